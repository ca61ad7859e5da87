"""Makes room in a full storage: what the network can give again goes before any word of a
conversation does."""

from __future__ import annotations

from typing import Any

import js
from pyodide.ffi import JsException

# How sw.js begins the names of its caches; the scope comes last.
CACHES = "midstream "
# How engine/pyodide/snapshot_store.mjs begins the names of its folders.
SNAPSHOTS = "midstream-snapshot "
# The large half of the app. The rest, which shows saved conversations offline, stays.
RUNTIME = ("pyscript/", "engine/pyodide/", "wheels/")


async def make_room() -> bool:
    """Drops the kept memory, and the runtime from the service worker's caches, those of other
    copies of the app on this origin too: they share its quota. Tells whether there was anything to
    drop."""
    return any([await _drop_snapshots(), await _thin_all()])


async def _drop_snapshots() -> bool:
    try:
        root: Any = await js.navigator.storage.getDirectory()
        names = [str(entry.name) async for entry in root.values()]
        found = [name for name in names if name.startswith(SNAPSHOTS)]
        for name in found:
            await root.removeEntry(name, recursive=True)
    except (JsException, AttributeError):  # there is none, it is denied, or another tab reads one
        return False
    return bool(found)


async def _thin_all() -> bool:
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
