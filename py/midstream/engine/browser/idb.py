"""The Store in IndexedDB.

Python talks to it in JSON: one `JSON.parse` or `JSON.stringify` per record is several times cheaper
than converting nested objects over the boundary.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import js
from pyodide.ffi import JsException, create_once_callable, to_js

from midstream.engine.browser.database import (
    VERSION,
    bind,
    connect,
    fail,
    failure,
    parsed,
    resolve,
    store_error,
)
from midstream.engine.browser.quota import free_space
from midstream.errors import StoreError
from midstream.journal import STORES, UNFINISHED, Change, Record

PIECE = 64  # records that `read_all` gives at once


class IndexedDBStore:
    """`code` of its StoreErrors: `full`, `newer-data`, `denied`, `blocked`, `foreign`, `lost`, else
    `store`.

    `closed` is called when the browser has closed the connection or wants it closed, as it does when
    the data of the site are deleted.
    """

    def __init__(self, database: Any, version: int | None) -> None:
        self.closed: Callable[[], None] = lambda: None
        self._version = version
        self._commits = _may_commit()
        self._superseded = False
        self._database: Any = None
        self._connecting = asyncio.Lock()
        self._use(database)

    @classmethod
    async def open(cls, version: int | None = VERSION) -> IndexedDBStore:
        """Raises StoreError when the browser denies storage, holds a database of a newer version of
        the app, or another tab holds an older one open. With `version` None: a database of any
        version, for reading."""
        database, _ = await connect(version)
        return cls(database, version)

    def close(self) -> None:
        self._database.close()

    async def commit(self, change: Change) -> None:
        """On a full storage frees space, and tries once more."""
        try:
            await self._commit(change)
        except StoreError as error:
            if error.code != "full" or not await free_space():
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
        records: list[Record] = []
        for state in UNFINISHED:
            records += await self._all("messages", state, index="state")
        return records

    async def rows(self, message: str) -> list[Record]:
        return await self._all("journal", _numbered(message))

    async def read_all(self, store: str, fields: Sequence[str]) -> AsyncIterator[list[Record]]:
        """Requests the next piece while the caller works on one: the browser reads in another thread."""
        piece = await self._piece(store, None, fields)
        while len(piece) == PIECE:
            after = js.IDBKeyRange.lowerBound(to_js(_key_of(store, piece[-1])), True)
            following = asyncio.ensure_future(self._piece(store, after, fields))
            try:
                await asyncio.sleep(0)  # its request goes out
                yield piece
                piece = await following
            finally:
                following.cancel()
        yield piece

    async def _piece(self, store: str, keys: Any, fields: Sequence[str]) -> list[Record]:
        try:
            records = await self._request(store, "getAll", keys, PIECE, fields=fields)
        except StoreError as error:
            if error.code != "store":
                raise
            every = await self._request(store, "getAllKeys", keys, PIECE)
            records = [await self._or_stub(store, key) for key in every]
        return list(records)

    async def setting(self, key: str) -> Record | None:
        return await self._get("settings", key)

    # The connection

    def _use(self, database: Any) -> None:
        self._database = database
        database.onversionchange = create_once_callable(self._step_aside)
        database.onclose = create_once_callable(lambda event: self._close(database))

    def _step_aside(self, event: Any) -> None:
        """Another tab upgrades or deletes the database: it would wait for ever for this one. When it
        is deleted there is no new version, which is JavaScript's null and not Python's None."""
        version = event.newVersion
        self._superseded = isinstance(version, int | float) and version > VERSION
        self._close(self._database)

    def _close(self, database: Any) -> None:
        self._lose(database)
        if not self._superseded:
            self.closed()

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
                raise store_error("newer-data")
            if self._database is None:
                database, made = await connect(self._version)
                self._use(database)
                if made:  # there was one when this page began
                    raise store_error("lost")
        return self._database

    async def _begin(self, *arguments: Any) -> Any:
        try:
            return (await self._connected()).transaction(*arguments)
        except JsException as error:
            if error.name != "InvalidStateError":
                raise failure("The browser's storage failed", error) from error
        self._lose(self._database)  # closed, and the event that says so is still to come
        try:
            return (await self._connected()).transaction(*arguments)
        except JsException as error:
            raise failure("The browser's storage failed", error) from error

    # One transaction each

    async def _commit(self, change: Change) -> None:
        options = parsed({"durability": change.durability})
        transaction = await self._begin(to_js(list(STORES)), "readwrite", options)
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        transaction.oncomplete = create_once_callable(lambda event: resolve(done, None))
        transaction.onabort = create_once_callable(
            lambda event: fail(done, failure("Could not save", transaction.error))
        )
        try:
            _write(transaction, change)
            needed = [transaction.objectStore("messages").getKey(message) for message in change.needs]
            needed += [transaction.objectStore("journal").getKey(to_js(row)) for row in change.needs_rows]
            if self._commits and not change.amends:  # those still have requests to make
                transaction.commit()
        except JsException as error:
            raise failure("Could not save", error) from error
        await done
        if any(request.result is None for request in needed):
            raise store_error("lost")

    async def _get(self, store: str, key: str) -> Record | None:
        record = await self._request(store, "get", key)
        return None if record is None else dict(record)

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
        """The record, or only its key: the check of records then reports it as damaged."""
        stub = {"message": key[0], "n": key[1]} if store == "journal" else {"id": key}
        try:
            return await self._request(store, "get", to_js(key)) or stub
        except StoreError as error:
            if error.code != "store":
                raise
            return stub

    async def _request(
        self,
        store: str,
        method: str,
        *arguments: Any,
        index: str = "",
        fields: Sequence[str] | None = None,
    ) -> Any:
        """The result as Python has it, or only some fields of its records; None for a record
        that does not exist."""
        transaction = await self._begin(store)
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            source = transaction.objectStore(store)
            request = getattr(source.index(index) if index else source, method)(*arguments)
            bind(request, done)
            return _plain(await done, fields)
        except JsException as error:
            raise failure("Could not read what is saved", error) from error


def _may_commit() -> bool:
    """Whether a transaction may be told to commit, which saves it from a page that goes meanwhile.

    Not in WebKit (2.50): when a worker goes between commit() and the end, the transaction stays open
    as long as the browser runs, and every later request waits for ever. Without commit() it is rolled
    back.
    """
    agent = str(js.navigator.userAgent)  # no feature test can see this fault
    return "AppleWebKit" not in agent or "Chrome" in agent


def _write(transaction: Any, change: Change) -> None:
    for message in change.drop_rows:
        transaction.objectStore("journal").delete(_numbered(message))
    for store, key in change.drops:
        transaction.objectStore(store).delete(key)
    for store, record in change.puts:
        transaction.objectStore(store).put(parsed(record))
    for store, key, fields in change.amends:
        _amend(transaction.objectStore(store), key, fields)


def _amend(store: Any, key: str, fields: Record) -> None:
    def change(event: Any) -> None:
        record = request.result
        if record is None:
            return
        for name, value in fields.items():
            if value is None:
                js.Reflect.deleteProperty(record, name)
            else:
                js.Reflect.set(record, name, parsed(value))
        store.put(record)

    request = store.get(key)
    request.onsuccess = create_once_callable(change)


def _numbered(owner: str) -> Any:
    """The keys [owner, number] for every number."""
    return js.IDBKeyRange.bound(to_js([owner, 0]), to_js([owner, math.inf]))


def _plain(value: Any, fields: Sequence[str] | None = None) -> Any:
    """A record may hold what JSON cannot (another app's): that raises JsException."""
    if value is None:
        return None
    only = () if fields is None else (to_js(list(fields)),)
    return json.loads(js.JSON.stringify(value, *only))


def _key_of(store: str, record: Record) -> Any:
    return [record["message"], record["n"]] if store == "journal" else record["id"]
