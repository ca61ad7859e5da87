"""Frees space in a full storage. Files that the network can give again are deleted, so that no
conversation has to be."""

from __future__ import annotations

from typing import Any

import js
from pyodide.ffi import JsException

# How sw.js begins the names of its caches; the scope comes last.
CACHES = "midstream "
# How engine/pyodide/snapshot_store.mjs begins the names of its folders.
SNAPSHOTS = "midstream-snapshot "
# The large half of the app. The other half, which shows stored conversations offline, stays.
RUNTIME = ("pyscript/", "engine/pyodide/", "wheels/")


async def free_space() -> bool:
    """Deletes the memory snapshots, and the runtime from the service worker's caches, those of other
    copies of the app on this origin too: they share its quota. False when there was nothing to
    delete."""
    return any([await _drop_snapshots(), await _thin_all()])


async def _drop_snapshots() -> bool:
    try:
        root: Any = await js.navigator.storage.getDirectory()
        names = [str(entry.name) async for entry in root.values()]
        snapshots = [name for name in names if name.startswith(SNAPSHOTS)]
        for name in snapshots:
            await root.removeEntry(name, recursive=True)
    except (JsException, AttributeError):  # there is none, it is denied, or another tab reads one
        return False
    return bool(snapshots)


async def _thin_all() -> bool:
    try:
        names = [str(name) for name in await js.caches.keys()]
        dropped = [await _thin(name) for name in names if name.startswith(CACHES)]
    except (JsException, AttributeError):  # no caches here: plain http, or denied
        return False
    return any(dropped)


async def _thin(name: str) -> bool:
    scope = name.rsplit(" ", 1)[1]
    large = tuple(scope + folder for folder in RUNTIME)
    cache: Any = await js.caches.open(name)
    entries = [entry for entry in await cache.keys() if str(entry.url).startswith(large)]
    for entry in entries:
        await cache.delete(entry)
    return bool(entries)
