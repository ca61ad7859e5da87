"""The Store in IndexedDB: database `midstream`, version 2.

Python talks to it in JSON: one `JSON.parse` or `JSON.stringify` per record is several times cheaper
than converting nested objects over the boundary, and the same bytes can be looked at in CPython.
"""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import js
from pyodide.ffi import JsException, create_once_callable, to_js

from ..errors import StoreError
from ..journal import STORES, UNFINISHED, Change, Record
from .room import make_room

NAME = "midstream"
VERSION = 2  # 1: conversations, messages, journal; 2: settings
# Store: its key, and its indexes. A new version adds here; what must be done to records as well
# goes into `_upgrade`.
SCHEMA: dict[str, tuple[str | list[str], dict[str, str | list[str]]]] = {
    "conversations": ("id", {}),
    "messages": ("id", {"conversation": ["conversation", "position"], "state": "state"}),
    "journal": (["message", "n"], {}),
    "settings": ("id", {}),
}

OPEN_S = 10.0  # a browser that says nothing at all for so long will not say anything
BLOCKED_S = 3.0  # another tab that does not let go by itself needs the person

# Why it failed, by the browser's name for it: a word for programs, and what to do.
_CODES = {
    "QuotaExceededError": "full",
    "VersionError": "newer-data",
    "SecurityError": "denied",
    "NotAllowedError": "denied",
    "InvalidStateError": "denied",  # a private window of some browsers
}
_HINTS = {
    "full": "Make room on this device, or delete the data of other sites.",
    "newer-data": "Reload the page to get the newer version of the app.",
    "denied": "Allow this site to store data.",
    "blocked": "Close the other tabs of this app and reload this one.",
    "foreign": "Delete the data of this site to start anew.",
}


class IndexedDBStore:
    """`code` of its StoreErrors: `full`, `newer-data`, `denied`, `blocked`, `foreign`, else
    `store`."""

    def __init__(self, database: Any, version: int | None) -> None:
        self._version = version
        self._superseded = False
        self._database: Any = None
        self._connecting = asyncio.Lock()
        self._use(database)

    @classmethod
    async def open(cls, version: int | None = VERSION) -> IndexedDBStore:
        """Raises StoreError when the browser denies storage, holds a database of a newer version of
        the app, or another tab does not let go of an older one. With `version` None: whatever is
        there, for reading."""
        return cls(await _connect(version), version)

    def close(self) -> None:
        self._database.close()

    async def commit(self, change: Change) -> None:
        """On a full storage what can be fetched again goes first, and the commit is tried once
        more."""
        try:
            await self._commit(change)
        except StoreError as error:
            if error.code != "full" or not await make_room():
                raise
            await self._commit(change)

    async def conversations(self) -> list[Record]:
        return await self._all("conversations")

    async def conversation(self, key: str) -> Record | None:
        return await self._get("conversations", key)

    async def message(self, key: str) -> Record | None:
        return await self._get("messages", key)

    async def messages(self, conversation: str) -> list[Record]:
        return await self._all("messages", _numbered(conversation), index="conversation")

    async def unfinished(self) -> list[Record]:
        found: list[Record] = []
        for state in UNFINISHED:
            found += await self._all("messages", state, index="state")
        return found

    async def rows(self, message: str) -> list[Record]:
        return await self._all("journal", _numbered(message))

    async def setting(self, key: str) -> Record | None:
        return await self._get("settings", key)

    # The connection

    def _use(self, database: Any) -> None:
        self._database = database
        database.onversionchange = create_once_callable(self._step_aside)
        database.onclose = create_once_callable(lambda event: self._lose(database))

    def _step_aside(self, event: Any) -> None:
        """Another tab upgrades or deletes the database: it would wait for ever for this one."""
        self._superseded = event.newVersion is not None and event.newVersion > VERSION
        self._lose(self._database)

    def _lose(self, database: Any) -> None:
        if database is not None:
            database.close()
        if database is self._database:
            self._database = None

    async def _connected(self) -> Any:
        """The connection; a new one where the browser has closed it, as it does when the person
        clears the site's data."""
        async with self._connecting:
            if self._superseded:
                raise _error("A newer version of the app has taken over the storage.", "newer-data")
            if self._database is None:
                self._use(await _connect(self._version))
        return self._database

    async def _begin(self, *arguments: Any) -> Any:
        try:
            return (await self._connected()).transaction(*arguments)
        except JsException as error:
            if error.name != "InvalidStateError":
                raise _failure("The browser's storage failed", error) from error
        self._lose(self._database)  # closed, and the event that says so is still to come
        try:
            return (await self._connected()).transaction(*arguments)
        except JsException as error:
            raise _failure("The browser's storage failed", error) from error

    # One transaction each

    async def _commit(self, change: Change) -> None:
        options = _parsed({"durability": change.durability})
        transaction = await self._begin(to_js(list(STORES)), "readwrite", options)
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        transaction.oncomplete = create_once_callable(lambda event: _resolve(done, None))
        transaction.onabort = create_once_callable(
            lambda event: _fail(done, _failure("Could not save", transaction.error))
        )
        try:
            _write(transaction, change)
            transaction.commit()
        except JsException as error:
            raise _failure("Could not save", error) from error
        await done

    async def _get(self, store: str, key: str) -> Record | None:
        found = await self._request(store, "get", key)
        return None if found is None else dict(found)

    async def _all(self, store: str, *query: Any, index: str = "") -> list[Record]:
        try:
            return list(await self._request(store, "getAll", *query, index=index))
        except StoreError as error:
            if error.code != "store":
                raise
        # One record that the browser itself cannot read any more fails all of them at once: Chromium
        # keeps large values in files of their own, which may be gone.
        keys = await self._request(store, "getAllKeys", *query, index=index)
        return [await self._or_stub(store, key) for key in keys]

    async def _or_stub(self, store: str, key: Any) -> Record:
        """The record, or nothing but its key: whoever checks it finds the rest missing."""
        stub = {"message": key[0], "n": key[1]} if store == "journal" else {"id": key}
        try:
            return await self._request(store, "get", to_js(key)) or stub
        except StoreError as error:
            if error.code != "store":
                raise
            return stub

    async def _request(self, store: str, method: str, *arguments: Any, index: str = "") -> Any:
        """The result as Python has it; None for a record that does not exist."""
        transaction = await self._begin(store)
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            source = transaction.objectStore(store)
            request = getattr(source.index(index) if index else source, method)(*arguments)
            _settle(request, done)
            return _plain(await done)
        except JsException as error:
            raise _failure("Could not read what is saved", error) from error


def _write(transaction: Any, change: Change) -> None:
    for message in change.drop_rows:
        transaction.objectStore("journal").delete(_numbered(message))
    for store, key in change.drops:
        transaction.objectStore(store).delete(key)
    for store, record in change.puts:
        transaction.objectStore(store).put(_parsed(record))


# Opening


async def _connect(version: int | None) -> Any:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()
    held = _error("Another tab holds the browser's storage.", "blocked")
    try:
        request = js.indexedDB.open(NAME, *([] if version is None else [version]))
    except (JsException, AttributeError) as error:  # no storage for this page at all
        raise _error(f"The browser denies storage ({error}).", "denied") from error
    request.onupgradeneeded = create_once_callable(lambda event: _upgrade(request))

    def block(event: Any) -> None:
        loop.call_later(BLOCKED_S, _fail, done, held)

    def succeed(event: Any) -> None:
        if done.done():  # too late, nobody waits for it any more: it would block others
            request.result.close()
        _resolve(done, request.result)

    request.onblocked = create_once_callable(block)
    _settle(request, done)
    request.onsuccess = create_once_callable(succeed)
    try:
        database = await asyncio.wait_for(done, OPEN_S)
    except TimeoutError:
        raise held from None
    if version is not None and not _fits(database):
        database.close()
        raise _error("What is stored under this app's name is not its own.", "foreign")
    return database


def _upgrade(request: Any) -> None:
    """Makes whatever is missing, whichever version stood there: so a database that was made by half,
    or by another app, gets what we need as well."""
    database = request.result
    for name, (key, indexes) in SCHEMA.items():
        if database.objectStoreNames.contains(name):
            store = request.transaction.objectStore(name)
        else:
            store = database.createObjectStore(name, _parsed({"keyPath": key}))
        for index, path in indexes.items():
            if not store.indexNames.contains(index):
                store.createIndex(index, to_js(path))


def _fits(database: Any) -> bool:
    if not all(database.objectStoreNames.contains(name) for name in SCHEMA):
        return False
    stores = database.transaction(to_js(list(SCHEMA)))
    for name, (key, indexes) in SCHEMA.items():
        store = stores.objectStore(name)
        if json.loads(js.JSON.stringify(store.keyPath)) != key:
            return False
        if not all(store.indexNames.contains(index) for index in indexes):
            return False
    return True


# Over the boundary


def _numbered(owner: str) -> Any:
    """The keys [owner, number] for every number."""
    return js.IDBKeyRange.bound(to_js([owner, 0]), to_js([owner, math.inf]))


def _parsed(value: Any) -> Any:
    return js.JSON.parse(json.dumps(value))


def _plain(value: Any) -> Any:
    """A record may hold what JSON cannot (another app's): that raises JsException."""
    return None if value is None else json.loads(js.JSON.stringify(value))


def _settle(request: Any, done: asyncio.Future[Any]) -> None:
    request.onsuccess = create_once_callable(lambda event: _resolve(done, request.result))
    request.onerror = create_once_callable(
        lambda event: _fail(done, _failure("The browser's storage failed", request.error))
    )


def _resolve(done: asyncio.Future[Any], value: Any) -> None:
    if not done.done():
        done.set_result(value)


def _fail(done: asyncio.Future[Any], error: StoreError) -> None:
    if not done.done():
        done.set_exception(error)


def _failure(words: str, error: Any) -> StoreError:
    """`error`: a DOMException, or None where the browser gives no reason."""
    name = str(getattr(error, "name", ""))
    reason = str(getattr(error, "message", "")) or name or "no reason given"
    return _error(f"{words} ({reason.rstrip('.')}).", _CODES.get(name, "store"))


def _error(message: str, code: str) -> StoreError:
    return StoreError(message, hint=_HINTS.get(code, ""), code=code)
