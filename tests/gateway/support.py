"""Small things that the gateway's tests share."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from midstream.gateway.store.interface import LEASE, RunRecord, RunStore

PATIENCE = 20.0


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Waits for a state, looking again every 10 ms."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"no {what} within {seconds:.0f} s")
        time.sleep(0.01)


async def eventually(condition: Callable[[], Awaitable[object]], what: str, seconds: float = PATIENCE) -> Any:
    """Waits for an asynchronous state and gives what was found."""
    end = time.monotonic() + seconds
    while not (found := await condition()):
        if time.monotonic() > end:
            raise AssertionError(f"no {what} within {seconds:.0f} s")
        await asyncio.sleep(0.01)
    return found


def new_run(**values: Any) -> RunRecord:
    now = time.time()
    fixed = {
        "id": secrets.token_hex(16),
        "owner": "me",
        "fingerprint": "f",
        "lease": now + LEASE,
        "created": now,
        "attended": now,
    }
    return RunRecord(**{**fixed, **values})


async def created(store: RunStore, **values: Any) -> RunRecord:
    run, new = await store.create(new_run(**values), max_live=100)
    assert new
    return run


async def write(store: RunStore, run: RunRecord, *payloads: str, end: str | None = None) -> None:
    """Appends at the head, as the run's rightful writer."""
    now = await store.get(run.id)
    assert now is not None
    await store.append(run.id, now.epoch, now.head + 1, payloads, now=time.time(), end=end)


async def texts(store: RunStore, run: RunRecord, after: int = 0) -> list[str]:
    """All payloads after a position, read page by page."""
    found: list[str] = []
    while True:
        page = await store.read(run.id, after)
        assert page is not None
        if not page.entries:
            return found
        assert [entry.seq for entry in page.entries] == list(range(after + 1, after + 1 + len(page.entries)))
        found += [entry.payload for entry in page.entries]
        after = page.entries[-1].seq
