"""The records of a tab whose browser denies a database: the screen holds them, the next page gets them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import pytest

from midstream.engine.ports.host import Message
from midstream.engine.store.tab_store import TabStore, all_entries, load_tab_records
from midstream.engine.store.validation import CheckedStore
from midstream.errors import StoreError
from midstream.journal import STORES, Change, MemoryStore
from tests.unit.engine.store.samples import ANSWER, CONVERSATION, QUESTION, ROWS


def run(job: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(job)


class Tab:
    """sessionStorage as session_storage.js fills it: JSON texts by store and key."""

    def __init__(self) -> None:
        self.items: dict[str, str] = {}
        self.told: list[Message] = []

    def post(self, message: Message) -> None:
        self.told.append(message)
        if message["type"] != "keep":
            return
        for store, key, record in json.loads(json.dumps(message["changes"])):
            name = f"{store}/{json.dumps(key)}"
            if record is None:
                self.items.pop(name, None)
            else:
                self.items[name] = json.dumps(record)

    def records(self) -> list[list[Any]]:
        return [[name.split("/")[0], json.loads(item)] for name, item in self.items.items()]


async def fill(store: Any) -> None:
    change = Change().put("conversations", CONVERSATION).put("messages", QUESTION)
    change.put("messages", ANSWER).put("settings", {"id": "s", "value": 1})
    for row in ROWS:
        change.put("journal", row)
    await store.commit(change)


def test_the_next_page_of_the_tab_has_everything() -> None:
    async def scenario() -> None:
        tab = Tab()
        first = TabStore(tab.post)
        await fill(first)
        second = TabStore(tab.post)
        second.fill(tab.records())
        assert second._stores == first._stores
        assert [one["id"] for one in await second.unfinished()] == ["a1"]

    run(scenario())


def test_what_is_dropped_is_forgotten_by_the_tab() -> None:
    async def scenario() -> None:
        tab = Tab()
        store = TabStore(tab.post)
        await fill(store)
        whole = ROWS[2] | {"first": 1, "whole": True}
        await store.commit(Change(drop_rows=["a1"]).put("journal", whole))
        assert [key for key in tab.items if key.startswith("journal")] == ['journal/["a1", 3]']
        await store.commit(Change().drop("messages", "a1").drop("settings", "s"))
        assert [key for key in tab.items if "a1" in key or "settings" in key] == []
        await store.commit(Change())
        assert sum(one["type"] == "keep" for one in tab.told) == 3, "an empty change says nothing"

    run(scenario())


def test_a_record_is_kept_as_it_was_committed() -> None:
    async def scenario() -> None:
        told: list[Message] = []
        record = dict(CONVERSATION)
        await TabStore(told.append).commit(Change().put("conversations", record))
        record["title"] = "changed before the batch goes out"
        assert told[0]["changes"][0][2]["title"] == "Tides"

    run(scenario())


@pytest.mark.parametrize(
    "entries",
    [
        [None, 5, [], ["messages"], ["cookies", {"id": "x"}], ["messages", None]],
        [["messages", {"id": "x"}], ["journal", {"message": "m", "n": 1}], ["settings", {"id": 5}]],
        [["conversations", {}], [["messages"], {}], [None, None]],
    ],
    ids=str,
)
def test_what_somebody_else_left_in_the_tab_is_left_out(entries: list[Any]) -> None:
    store = TabStore(lambda message: None)
    store.fill(entries)
    assert store._stores == {name: {} for name in STORES}


def test_what_a_tab_has_kept_goes_into_a_database_that_can_be_had_again() -> None:
    async def scenario() -> None:
        tab, database = Tab(), MemoryStore()
        await fill(TabStore(tab.post))
        await database.commit(Change().put("messages", ANSWER | {"state": "complete"}))
        await database.commit(Change().put("journal", ROWS[0] | {"text": "its own"}))
        tab.items["journal/[]"] = json.dumps({"message": "m", "n": 1, "text": 5})
        await load_tab_records(CheckedStore(database, tab.post), tab.records(), tab.post)
        assert await database.conversation("c1") == CONVERSATION
        assert await database.message("u1") == QUESTION
        assert await database.setting("s") == {"id": "s", "value": 1}
        assert (await database.message("a1") or {})["state"] == "complete", "what is there stands"
        assert [row["text"] for row in await database.rows("a1")] == ["its own"]
        assert list(tab.items) == ["journal/[]"], "what could be used is forgotten"

    run(scenario())


def test_the_tab_forgets_nothing_that_could_not_be_written() -> None:
    class Full(MemoryStore):
        async def commit(self, change: Change) -> None:
            raise StoreError("full", code="full")

    async def scenario() -> None:
        tab = Tab()
        await fill(TabStore(tab.post))
        before = dict(tab.items)
        with pytest.raises(StoreError):
            await load_tab_records(CheckedStore(Full(), tab.post), tab.records(), tab.post)
        assert tab.items == before

    run(scenario())


@pytest.mark.parametrize("entries", [None, {}, "x", 5])
def test_a_greeting_that_keeps_nothing_usable(entries: Any) -> None:
    told: list[Message] = []
    run(load_tab_records(TabStore(told.append), entries, told.append))
    assert told == []


def test_everything_of_a_store_fills_another() -> None:
    async def scenario() -> None:
        store, other = MemoryStore(), TabStore(lambda message: None)
        await fill(store)
        other.fill(await all_entries(store))
        for name in ("conversations", "messages", "journal"):
            assert other._stores[name] == store._stores[name]

    run(scenario())
