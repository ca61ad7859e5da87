"""The Store of a tab whose browser denies a database.

Two memories live as long as a tab: the engine's own, which every reload empties, and the page's
sessionStorage, which a worker cannot reach. So the TabStore sends each commit to the screen (message
`keep`, before the screen shows anything of it). The screen writes it down and sends all of it to the
next engine (intent `kept`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from midstream.engine.ports.host import Message
from midstream.engine.store.validation import (
    CheckedStore,
    sound_conversation,
    sound_message,
    sound_row,
)
from midstream.journal import STORES, Change, MemoryStore, Record, Store

Post = Callable[[Message], None]
StoredEntry = tuple[str, Record]  # (store, record)


class TabStore(MemoryStore):
    """A Store in memory. The screen holds a copy of it, for this tab only."""

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
            self._post(keep_message(changes))

    def fill(self, entries: Iterable[Any]) -> None:
        """Takes in the records of an earlier page of this tab. Unusable ones are left out: every page
        of the origin can write where they were."""
        for store, record in sound(entries):
            self._stores[store][key_of(store, record)] = record


def keep_message(changes: dict[tuple[str, Any], Record | None]) -> Message:
    """The message by which the screen stores records, or forgets them (None)."""
    listed = [[store, _plain(key), record] for (store, key), record in changes.items()]
    # A copy: the batch goes out later, and owners change their records in place.
    return {"type": "keep", "changes": json.loads(json.dumps(listed))}


def key_of(store: str, record: Record) -> Any:
    return (record["message"], record["n"]) if store == "journal" else record["id"]


def _plain(key: Any) -> Any:
    return list(key) if isinstance(key, tuple) else key


def sound(entries: Iterable[Any]) -> list[StoredEntry]:
    """The usable ones of `[[store, record], …]`."""
    checks: dict[str, Callable[[Any], Record | None]] = {
        "conversations": sound_conversation,
        "messages": sound_message,
        "journal": sound_row,
        "settings": lambda raw: raw if isinstance(raw.get("id"), str) else None,
    }
    usable: list[StoredEntry] = []
    for entry in entries:
        match entry:
            case [str(store), dict(raw)] if store in STORES:
                record = checks[store](raw)
                if record is not None:
                    usable.append((store, record))
    return usable


async def all_entries(store: Store) -> list[list[Any]]:
    """All conversations with their messages and rows, as `[[store, record], …]`."""
    entries: list[list[Any]] = []
    for conversation in await store.conversations():
        entries.append(["conversations", conversation])
        for message in await store.messages(conversation["id"]):
            entries.append(["messages", message])
            entries += [["journal", row] for row in await store.rows(message["id"])]
    return entries


async def load_tab_records(store: Store, entries: Any, post: Post) -> None:
    """Puts the records that the screen held for its tab (intent `kept`) into the Store.

    When that is a database again, the tab forgets them. A record that the database has already stays
    as it is. Raises StoreError when they cannot be written; the tab holds them then.
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
    post(keep_message(dict(gone)))


async def _missing(store: Store, entries: list[StoredEntry]) -> Change:
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
