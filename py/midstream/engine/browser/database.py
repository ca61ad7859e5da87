"""The connection to the database `midstream`: opens it, makes its stores, and says why that fails."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import js
from pyodide.ffi import JsException, create_once_callable, to_js

from midstream.engine.browser.locks import available
from midstream.errors import StoreError
from midstream.problems import problem

NAME = "midstream"
VERSION = 2  # 1: conversations, messages, journal; 2: settings
# Store: its key, and its indexes. A new version adds here; changes of records go into `_upgrade`.
SCHEMA: dict[str, tuple[str | list[str], dict[str, str | list[str]]]] = {
    "conversations": ("id", {}),
    "messages": ("id", {"conversation": ["conversation", "position"], "state": "state"}),
    "journal": (["message", "n"], {}),
    "settings": ("id", {}),
}

OPEN_S = 10.0  # a browser without an answer for so long will give none
BLOCKED_S = 3.0  # then the person has to close the other tab that holds the database open

# The code of a StoreError, by the browser's name of the error.
_CODES = {
    "QuotaExceededError": "full",
    "VersionError": "newer-data",
    "SecurityError": "denied",
    "NotAllowedError": "denied",
    "InvalidStateError": "denied",  # a private window of some browsers
}
# The code of the problem of each.
_PROBLEMS = {
    "full": "storage_full",
    "newer-data": "storage_newer",
    "denied": "storage_denied",
    "insecure": "storage_insecure",
    "blocked": "storage_blocked",
    "foreign": "storage_foreign",
    "lost": "storage_cleared",
    "store": "storage_failed",
}


async def connect(version: int | None) -> tuple[Any, bool]:
    """An IDBDatabase with everything in SCHEMA, and whether there was none before; for `version` None
    a database of any version. Raises StoreError, its code as in _PROBLEMS."""
    if not await available():  # two tabs would write the same answer
        raise store_error("insecure")
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()
    blocked = store_error("blocked")
    try:
        request = js.indexedDB.open(NAME, *([] if version is None else [version]))
    except (JsException, AttributeError) as error:  # no storage for this page at all
        raise store_error("denied", f"The browser denies storage ({error}).", str(error)) from error
    before: list[int] = []  # the version that was there, 0 for none

    def upgrade(event: Any) -> None:
        before.append(int(event.oldVersion))
        _upgrade(request)

    request.onupgradeneeded = create_once_callable(upgrade)

    def block(event: Any) -> None:
        loop.call_later(BLOCKED_S, fail, done, blocked)

    def succeed(event: Any) -> None:
        if done.done():  # after the time-out: it would block others
            request.result.close()
        resolve(done, request.result)

    request.onblocked = create_once_callable(block)
    bind(request, done)
    request.onsuccess = create_once_callable(succeed)
    try:
        database = await asyncio.wait_for(done, OPEN_S)
    except TimeoutError:
        raise blocked from None
    if version is not None and not _fits(database):
        database.close()
        raise store_error("foreign")
    return database, before == [0]


def _upgrade(request: Any) -> None:
    """Makes all stores and indexes that are missing, whichever version the database has: an incomplete
    one, or one of another app, gets them too."""
    database = request.result
    for name, (key, indexes) in SCHEMA.items():
        if database.objectStoreNames.contains(name):
            store = request.transaction.objectStore(name)
        else:
            store = database.createObjectStore(name, parsed({"keyPath": key}))
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


def parsed(value: Any) -> Any:
    return js.JSON.parse(json.dumps(value))


def bind(request: Any, done: asyncio.Future[Any]) -> None:
    request.onsuccess = create_once_callable(lambda event: resolve(done, request.result))
    request.onerror = create_once_callable(
        lambda event: fail(done, failure("The browser's storage failed", request.error))
    )


def resolve(done: asyncio.Future[Any], value: Any) -> None:
    if not done.done():
        done.set_result(value)


def fail(done: asyncio.Future[Any], error: StoreError) -> None:
    if not done.done():
        done.set_exception(error)


def failure(message: str, error: Any) -> StoreError:
    """`error`: a DOMException, or None where the browser gives no reason."""
    name = str(getattr(error, "name", ""))
    reason = str(getattr(error, "message", "")) or name or "no reason given"
    return store_error(_CODES.get(name, "store"), f"{message} ({reason.rstrip('.')}).", reason)


def store_error(code: str, message: str = "", quote: str = "") -> StoreError:
    """`message`: English that says where it happened; `quote`: the message of the browser."""
    return StoreError(problem(_PROBLEMS[code], message=message, quote=quote), code=code)
