"""Which Store there is: the browser's database, or, where it denies one, this tab alone.

A tab has two places that live as long as it does: the engine's memory, gone with every reload, and
the page's sessionStorage, which a worker cannot reach. So the TabStore tells the screen what it
commits (message `keep`, before anything is shown of it), the screen writes it down and greets the
next engine with all of it (intent `kept`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from midstream.engine.ports.host import Message, said_of
from midstream.engine.store.validation import (
    CheckedStore,
    sound_conversation,
    sound_message,
    sound_row,
)
from midstream.errors import StoreError
from midstream.journal import STORES, Change, MemoryStore, Record, Store

Post = Callable[[Message], None]
Entry = tuple[str, Record]  # (store, record)


class TabStore(MemoryStore):
    """A Store in memory that the screen keeps a copy of, for this tab only."""

    def __init__(self, post: Post) -> None:
        super().__init__()
        self._post = post

    async def commit(self, change: Change) -> None:
        gone = [("journal", key) for key in self._stores["journal"] if key[0] in change.drop_rows]
        await super().commit(change)
        changes: dict[tuple[str, Any], Record | None] = dict.fromkeys([*gone, *change.drops])
        changes |= {(store, key_of(store, record)): record for store, record in change.puts}
        for store, key, _ in change.amends:
            if record := self._stores[store].get(key):
                changes[store, key] = record
        if changes:
            self._post(keep(changes))

    def fill(self, entries: Iterable[Any]) -> None:
        """Takes in what an earlier page of this tab has kept. What cannot be used is left out: it
        lay where anybody of the origin could write."""
        for store, record in sound(entries):
            self._stores[store][key_of(store, record)] = record


def keep(changes: dict[tuple[str, Any], Record | None]) -> Message:
    """The message that makes the screen write records down, or forget them (None)."""
    listed = [[store, _plain(key), record] for (store, key), record in changes.items()]
    # As they are now: the batch goes out later, and records are changed in place by their owners.
    return {"type": "keep", "changes": json.loads(json.dumps(listed))}


def key_of(store: str, record: Record) -> Any:
    return (record["message"], record["n"]) if store == "journal" else record["id"]


def _plain(key: Any) -> Any:
    return list(key) if isinstance(key, tuple) else key


def sound(entries: Iterable[Any]) -> list[Entry]:
    """The usable ones of `[[store, record], …]`."""
    checks: dict[str, Callable[[Any], Record | None]] = {
        "conversations": sound_conversation,
        "messages": sound_message,
        "journal": sound_row,
        "settings": lambda raw: raw if isinstance(raw.get("id"), str) else None,
    }
    found: list[Entry] = []
    for entry in entries:
        match entry:
            case [str(store), dict(raw)] if store in STORES:
                record = checks[store](raw)
                if record is not None:
                    found.append((store, record))
    return found


async def open_store(post: Post) -> CheckedStore:
    """The best Store that there is; says in a notice when that is this tab only."""
    from midstream.engine.browser.idb import (
        IndexedDBStore,  # not above: everything else here runs in CPython too
    )

    try:
        return CheckedStore(await IndexedDBStore.open(), post)
    except StoreError as error:
        newer = error.code == "newer-data"
        code = "newer-data" if newer else "tab-only"
        post({"type": "notice", "code": code, "level": "error"} | said_of(error))
        store = TabStore(post)
        if newer:
            # Its conversations are shown, and what is added to them is kept in the tab: an older
            # version must not write into what a newer one has arranged.
            store.fill(await _newer(post))
        return CheckedStore(store, post)


async def _newer(post: Post) -> list[list[Any]]:
    from midstream.engine.browser.idb import IndexedDBStore

    try:
        database = await IndexedDBStore.open(version=None)
        try:
            return await everything_of(CheckedStore(database, post))
        finally:
            database.close()
    except StoreError as error:
        post({"type": "notice", "code": "newer-data", "level": "error"} | said_of(error))
        return []


async def everything_of(store: Store) -> list[list[Any]]:
    """All conversations with their messages and rows, as `[[store, record], …]`."""
    entries: list[list[Any]] = []
    for conversation in await store.conversations():
        entries.append(["conversations", conversation])
        for message in await store.messages(conversation["id"]):
            entries.append(["messages", message])
            entries += [["journal", row] for row in await store.rows(message["id"])]
    return entries


async def take_kept(store: Store, entries: Any, post: Post) -> None:
    """The intent `kept`: what this tab has kept while there was no database goes into the Store.

    Where a database can be had again it goes there, and the tab forgets it. What is in the database
    already is left alone. Raises StoreError when it cannot be written; the tab keeps it then.
    """
    if not isinstance(entries, list):
        return
    inner = store.inner if isinstance(store, CheckedStore) else store
    if isinstance(inner, TabStore):
        inner.fill(entries)
        return
    change = await _missing(store, sound(entries))
    if change.puts:
        await store.commit(change)
    gone = {(entry[0], key_of(entry[0], entry[1])): None for entry in entries if _has_key(entry)}
    post(keep(dict(gone)))


async def _missing(store: Store, entries: list[Entry]) -> Change:
    change = Change(durability="strict")
    known: set[str] = set()  # messages whose rows are the database's own
    for name, record in entries:
        if name == "messages" and await store.message(record["id"]):
            known.add(record["id"])
    for name, record in entries:
        owner = record["message"] if name == "journal" else record["id"]
        if name in ("messages", "journal") and owner in known:
            continue
        if name == "conversations" and await store.conversation(owner):
            continue
        if name == "settings" and await store.setting(owner):
            continue
        change.put(name, record)
    return change


def _has_key(entry: Any) -> bool:
    match entry:
        case ["journal", {"message": str(), "n": int()}]:
            return True
        case [str(store), {"id": str()}]:
            return store in STORES and store != "journal"
    return False
