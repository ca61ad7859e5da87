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
from pyodide.ffi import create_once_callable, to_js

from ..errors import StoreError
from ..journal import STORES, UNFINISHED, Change, Record

NAME = "midstream"
VERSION = 2


class IndexedDBStore:
    def __init__(self, database: Any) -> None:
        self._database = database
        # Another tab with a newer version of the app wants to upgrade: step aside, it would wait
        # for ever otherwise.
        database.onversionchange = create_once_callable(lambda event: database.close())

    @classmethod
    async def open(cls) -> IndexedDBStore:
        """Raises StoreError when the browser denies storage, or holds a database of a newer version
        of the app."""
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            request = js.indexedDB.open(NAME, VERSION)
        except (
            Exception
        ) as error:  # a JsException; a denied storage throws at once in some browsers
            raise StoreError(f"The browser denies storage: {error}") from error
        request.onupgradeneeded = create_once_callable(
            lambda event: _upgrade(request.result, int(event.oldVersion))
        )
        _settle(request, done)
        return cls(await done)

    async def commit(self, change: Change) -> None:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            options = js.JSON.parse(json.dumps({"durability": change.durability}))
            transaction = self._database.transaction(to_js(list(STORES)), "readwrite", options)
            for message in change.drop_rows:
                transaction.objectStore("journal").delete(_numbered(message))
            for store, key in change.drops:
                transaction.objectStore(store).delete(key)
            for store, record in change.puts:
                transaction.objectStore(store).put(js.JSON.parse(json.dumps(record)))
        except Exception as error:
            raise StoreError(f"Could not save: {error}") from error
        transaction.oncomplete = create_once_callable(lambda event: _resolve(done, None))
        transaction.onabort = create_once_callable(
            lambda event: _fail(done, f"Could not save: {transaction.error}")
        )
        transaction.commit()
        await done

    async def conversations(self) -> list[Record]:
        return _list(await self._request("conversations", "getAll"))

    async def conversation(self, key: str) -> Record | None:
        return _record(await self._request("conversations", "get", key))

    async def message(self, key: str) -> Record | None:
        return _record(await self._request("messages", "get", key))

    async def messages(self, conversation: str) -> list[Record]:
        own = _numbered(conversation)
        return _list(await self._request("messages", "getAll", own, index="conversation"))

    async def unfinished(self) -> list[Record]:
        found: list[Record] = []
        for state in UNFINISHED:
            found += _list(await self._request("messages", "getAll", state, index="state"))
        return found

    async def rows(self, message: str) -> list[Record]:
        return _list(await self._request("journal", "getAll", _numbered(message)))

    async def setting(self, key: str) -> Record | None:
        return _record(await self._request("settings", "get", key))

    async def _request(self, store: str, method: str, *arguments: Any, index: str = "") -> Any:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            source = self._database.transaction(store).objectStore(store)
            request = getattr(source.index(index) if index else source, method)(*arguments)
        except Exception as error:
            raise StoreError(f"Could not read what is saved: {error}") from error
        _settle(request, done)
        return await done


def _upgrade(database: Any, old: int) -> None:
    """Runs the migrations that the database has not seen, oldest first."""
    for migrate in MIGRATIONS[old:]:
        migrate(database)


def _create(database: Any) -> None:
    database.createObjectStore("conversations", _options({"keyPath": "id"}))
    messages = database.createObjectStore("messages", _options({"keyPath": "id"}))
    messages.createIndex("conversation", to_js(["conversation", "position"]))
    messages.createIndex("state", "state")
    database.createObjectStore("journal", _options({"keyPath": ["message", "n"]}))


def _add_settings(database: Any) -> None:
    database.createObjectStore("settings", _options({"keyPath": "id"}))


# MIGRATIONS[n] makes version n + 1 out of version n; 0 is no database at all.
MIGRATIONS = (_create, _add_settings)


def _options(options: dict[str, Any]) -> Any:
    return js.JSON.parse(json.dumps(options))


def _numbered(owner: str) -> Any:
    """The keys [owner, number] for every number."""
    return js.IDBKeyRange.bound(to_js([owner, 0]), to_js([owner, math.inf]))


def _settle(request: Any, done: asyncio.Future[Any]) -> None:
    request.onsuccess = create_once_callable(lambda event: _resolve(done, request.result))
    request.onerror = create_once_callable(
        lambda event: _fail(done, f"The browser's storage failed: {request.error}")
    )


def _resolve(done: asyncio.Future[Any], value: Any) -> None:
    if not done.done():
        done.set_result(value)


def _fail(done: asyncio.Future[Any], words: str) -> None:
    if not done.done():
        done.set_exception(StoreError(words))


def _list(value: Any) -> list[Record]:
    return list(json.loads(js.JSON.stringify(value)))


def _record(value: Any) -> Record | None:
    return None if value is None else dict(json.loads(js.JSON.stringify(value)))
