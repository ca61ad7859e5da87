"""Opens the Store of this page: the browser's database, or a TabStore where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from midstream.engine.browser.idb import IndexedDBStore
from midstream.engine.ports.host import detail_of
from midstream.engine.store.tab_store import Post, TabStore, all_entries
from midstream.engine.store.validation import CheckedStore
from midstream.errors import StoreError


async def open_store(post: Post) -> CheckedStore:
    """A notice says when the Store is for this tab only."""
    try:
        return CheckedStore(await IndexedDBStore.open(), post)
    except StoreError as error:
        newer = error.code == "newer-data"
        code = "newer-data" if newer else "tab-only"
        post({"type": "notice", "code": code, "level": "error"} | detail_of(error))
        store = TabStore(post)
        if newer:
            # The screen shows its conversations, and additions to them stay in the tab: an older
            # version must not write into the database of a newer one.
            store.fill(await _newer_entries(post))
        return CheckedStore(store, post)


def watch_storage(store: CheckedStore, closed: Callable[[], None]) -> None:
    """`closed` is called when the browser has closed the database, as it does when it deletes it."""
    if isinstance(store.inner, IndexedDBStore):
        store.inner.closed = closed


async def _newer_entries(post: Post) -> list[list[Any]]:
    try:
        database = await IndexedDBStore.open(version=None)
        try:
            return await all_entries(CheckedStore(database, post))
        finally:
            database.close()
    except StoreError as error:
        post({"type": "notice", "code": "newer-data", "level": "error"} | detail_of(error))
        return []
