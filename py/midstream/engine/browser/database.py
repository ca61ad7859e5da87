"""The connection to the database `midstream`: opening it, making what it lacks, and why that fails."""

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
# The code of the words of each.
_WORDS = {
    "full": "storage_full",
    "newer-data": "storage_newer",
    "denied": "storage_denied",
    "insecure": "storage_insecure",
    "blocked": "storage_blocked",
    "foreign": "storage_foreign",
    "store": "storage_failed",
}


async def connect(version: int | None) -> Any:
    """An IDBDatabase with everything in SCHEMA; for `version` None whatever is there. Raises
    StoreError, its code as in _WORDS."""
    if not await available():  # two tabs would write the same answer
        raise error_of("insecure")
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()
    held = error_of("blocked")
    try:
        request = js.indexedDB.open(NAME, *([] if version is None else [version]))
    except (JsException, AttributeError) as error:  # no storage for this page at all
        raise error_of("denied", f"The browser denies storage ({error}).", str(error)) from error
    request.onupgradeneeded = create_once_callable(lambda event: _upgrade(request))

    def block(event: Any) -> None:
        loop.call_later(BLOCKED_S, fail, done, held)

    def succeed(event: Any) -> None:
        if done.done():  # too late, nobody waits for it any more: it would block others
            request.result.close()
        resolve(done, request.result)

    request.onblocked = create_once_callable(block)
    settle(request, done)
    request.onsuccess = create_once_callable(succeed)
    try:
        database = await asyncio.wait_for(done, OPEN_S)
    except TimeoutError:
        raise held from None
    if version is not None and not _fits(database):
        database.close()
        raise error_of("foreign")
    return database


def _upgrade(request: Any) -> None:
    """Makes whatever is missing, whichever version stood there: so a database that was made by half,
    or by another app, gets what we need as well."""
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


def settle(request: Any, done: asyncio.Future[Any]) -> None:
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


def failure(words: str, error: Any) -> StoreError:
    """`error`: a DOMException, or None where the browser gives no reason."""
    name = str(getattr(error, "name", ""))
    reason = str(getattr(error, "message", "")) or name or "no reason given"
    return error_of(_CODES.get(name, "store"), f"{words} ({reason.rstrip('.')}).", reason)


def error_of(code: str, message: str = "", quote: str = "") -> StoreError:
    """`message`: English that says where it happened; `quote`: the browser's own words."""
    return StoreError(problem(_WORDS[code], message=message, quote=quote), code=code)
