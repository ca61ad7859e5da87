"""Makes room in a full storage: what the network can give again goes before any word of a
conversation does."""

from __future__ import annotations

from typing import Any

import js
from pyodide.ffi import JsException

# How sw.js and pyodide/kept.mjs begin the names of their caches; the scope comes last.
CACHES = ("midstream ", "midstream-snapshot ")
# The large half of the app. The rest, which shows saved conversations offline, stays.
RUNTIME = ("pyscript/", "pyodide/", "wheels/")


async def make_room() -> bool:
    """Drops the runtime from the service worker's caches, those of other copies of the app on this
    origin too: they share its quota. Tells whether there was anything to drop."""
    try:
        names = [str(name) for name in await js.caches.keys()]
        dropped = [await _thin(name) for name in names if name.startswith(CACHES)]
    except (JsException, AttributeError):  # no caches here: plain http, or denied like the rest
        return False
    return any(dropped)


async def _thin(name: str) -> bool:
    scope = name.rsplit(" ", 1)[1]
    large = tuple(scope + folder for folder in RUNTIME)
    cache: Any = await js.caches.open(name)
    found = [entry for entry in await cache.keys() if str(entry.url).startswith(large)]
    for entry in found:
        await cache.delete(entry)
    return bool(found)
