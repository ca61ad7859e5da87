"""Web Locks: one holder of a name over all tabs of the origin. The browser frees the lock when the
page of its holder goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import js
from pyodide.ffi import JsException, create_once_callable


async def available() -> bool:
    """False where the browser denies all storage, and on plain http from another machine."""
    try:
        await js.navigator.locks.query()
    except (JsException, AttributeError):
        return False
    return True


@asynccontextmanager
async def lock(name: str) -> AsyncIterator[None]:
    """Without Web Locks this returns at once: database.py opens nothing then, so tabs share no
    records."""
    if not await available():
        yield
        return
    held: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    release = js.Promise.withResolvers()

    def on_held(granted: Any) -> Any:
        if not held.done():
            held.set_result(None)
        return release.promise

    js.navigator.locks.request(name, create_once_callable(on_held))
    try:
        await held
        yield
    finally:
        release.resolve()
