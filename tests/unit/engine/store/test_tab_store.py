"""Records are not trusted: what is read of them, and what a tab keeps that has no database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midstream.engine.app import Engine
from midstream.engine.ports.host import Host, Message
from midstream.engine.store.tab_store import TabStore, all_entries, load_tab_records
from midstream.engine.store.validation import (
    CheckedStore,
    drawable,
    drawn,
    sound_message,
    sound_row,
)
from midstream.errors import StoreError
from midstream.journal import STORES, Change, MemoryStore, Record, Row, text, unbroken
from midstream.markdown import Parser

ENDPOINT = {"name": "Demo", "kind": "demo", "url": "", "model": "", "note": "", "options": {}}
CONVERSATION = {"id": "c1", "title": "Tides", "created": 1, "updated": 2}
QUESTION = {
    "id": "u1",
    "conversation": "c1",
    "position": 0,
    "author": "user",
    "text": "How?",
    "state": "complete",
    "created": 1,
    "runs": [],
}
RUN = {"key": "k", "run": None, "endpoint": ENDPOINT}
ANSWER = {
    "id": "a1",
    "conversation": "c1",
    "position": 1,
    "author": "assistant",
    "state": "streaming",
    "created": 1,
    "parser": 1,
    "question": "u1",
    "runs": [RUN],
}


def run(job: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(job)


def rows_of(*texts: str, message: str = "a1") -> list[Record]:
    parser = Parser()
    return [
        Row(message, n, 0, n, n, words, tokens=1, ops=parser.feed(words)).record()
        for n, words in enumerate(texts, 1)
    ]


ROWS = rows_of("# One\n\n", "two *th", "ree*")


def without(record: Record, *names: str) -> Record:
    return {key: value for key, value in record.items() if key not in names}


def raw_store(*entries: tuple[str, Any, Any]) -> MemoryStore:
    """A store that holds (store, key, whatever)."""
    store = MemoryStore()
    for name, key, record in entries:
        store._stores[name][key] = record
    return store


# What is read


UNUSABLE_MESSAGES: list[Any] = [
    None,
    "text",
    [],
    {},
    without(QUESTION, "author"),
    QUESTION | {"author": ["user"]},
    QUESTION | {"author": "root"},
    QUESTION | {"position": "1"},
    QUESTION | {"position": None},
    QUESTION | {"position": True},
    QUESTION | {"text": None},
    QUESTION | {"conversation": 4},
    ANSWER | {"id": ""},
]


@pytest.mark.parametrize("raw", UNUSABLE_MESSAGES, ids=lambda raw: str(raw)[:60])
def test_a_record_that_is_no_message_is_left_out(raw: Any) -> None:
    assert sound_message(raw) is None


MENDED: list[tuple[Record, Record]] = [
    (ANSWER | {"state": "constructor"}, {"state": "interrupted"}),
    (without(ANSWER, "state"), {"state": "interrupted"}),
    (ANSWER | {"state": {}}, {"state": "interrupted"}),
    (ANSWER | {"runs": []}, {"state": "interrupted", "runs": []}),
    (ANSWER | {"runs": "x"}, {"state": "interrupted", "runs": []}),
    (ANSWER | {"runs": [{"key": "k", "run": 4, "endpoint": ENDPOINT}]}, {"state": "interrupted"}),
    (ANSWER | {"runs": [{"key": "k", "run": None}]}, {"state": "interrupted"}),
    (
        ANSWER | {"runs": [{"key": "k", "endpoint": ENDPOINT | {"new": 1, "url": 5}}]},
        {"state": "streaming"},
    ),
    (
        ANSWER | {"runs": [RUN, RUN | {"seam": {"at": "3"}, "seq": "x", "began": None, "via": 1}]},
        {"runs": [RUN, RUN]},
    ),
    (ANSWER | {"state": "complete", "runs": None}, {"state": "complete", "runs": []}),
    (without(QUESTION, "state", "runs"), {"state": "complete", "runs": []}),
    (ANSWER | {"created": "x"}, {"created": 0, "state": "streaming"}),
]


@pytest.mark.parametrize(("raw", "mended"), MENDED, ids=lambda value: str(value)[-60:])
def test_what_can_be_done_without_is_mended(raw: Record, mended: Record) -> None:
    record = sound_message(raw)
    assert record is not None
    assert {key: record[key] for key in mended} == mended


@pytest.mark.parametrize("name", ["seconds", "tokens", "seq", "error", "question"])
def test_an_optional_field_of_another_type_is_as_good_as_none(name: str) -> None:
    record = sound_message(ANSWER | {name: ["x"]})
    assert record is not None and record.get(name) is None


def test_sound_records_are_given_as_they_are() -> None:
    run = RUN | {
        "seam": {"kind": "echo", "skipped": 2, "at": 3},
        "seq": 4,
        "began": 5,
        "via": "spool",
    }
    later = {"runs": [RUN, run], "of_a_newer_version": {"x": 1}}
    for record in (QUESTION | later, ANSWER | later):
        assert sound_message(record) == record
    assert [sound_row(row) for row in ROWS] == ROWS


@pytest.mark.parametrize(
    "damage",
    [{"n": "1"}, {"text": None}, {"reasoning": None}, {"finish": 0}, {"first": -1}, {"message": 1}],
    ids=str,
)
def test_a_damaged_row_is_left_out(damage: Record) -> None:
    assert sound_row(ROWS[0] | damage) is None


@pytest.mark.parametrize(
    "ops",
    [
        [None],
        [[]],
        [[0]],
        [[9, 0]],
        [["0", 0, "p", 1]],
        [[1, None, "x"]],
        [[0, 0, "p", 7]],
        [[1, 1, "x", "y"]],
    ],
    ids=str,
)
def test_ops_that_cannot_be_drawn_are_made_again(ops: Any) -> None:
    damaged = [ROWS[0], ROWS[1] | {"ops": ops}, ROWS[2]]
    assert drawable(ROWS) and not drawable(damaged)
    assert drawn(damaged) == ROWS


def test_ops_of_a_finished_text_are_made_again() -> None:
    parser = Parser()
    words = "two *three"
    whole = Row("a1", 4, 0, 1, 9, words, ops=parser.feed(words) + parser.finish(), whole=True)
    assert drawn([whole.record() | {"ops": [None]}]) == [whole.record()]


def test_ops_of_an_answer_that_is_continued_stay_open() -> None:
    parser = Parser()
    first = Row("a1", 4, 0, 1, 9, "two *three", ops=parser.feed("two *three"), whole=True)
    second = Row("a1", 5, 1, 1, 2, "* four", ops=parser.feed("* four"))
    rows = [first.record(), second.record()]
    assert drawn([rows[0] | {"ops": [None]}, rows[1]]) == rows


def test_each_unusable_record_is_said_once() -> None:
    async def scenario() -> None:
        store = raw_store(
            ("conversations", "c1", CONVERSATION),
            ("conversations", "x", {"title": "no id"}),
            ("conversations", "c2", {"id": "c2"}),
        )
        told: list[Message] = []
        checked = CheckedStore(store, told.append)
        for _ in range(2):
            assert [one["id"] for one in await checked.conversations()] == ["c1", "c2"]
        assert [(one["code"], one["detail"]) for one in told] == [("damaged", "conversation None")]
        assert await checked.conversation("x") is None
        assert (await checked.conversation("c2") or {})["title"] == ""
        assert len(told) == 1

    run(scenario())


def test_many_are_said_in_one_line() -> None:
    told: list[Message] = []
    store = raw_store(*(("journal", ("a1", n), {"message": "a1", "n": n}) for n in range(9)))
    assert run(CheckedStore(store, told.append).rows("a1")) == []
    assert [one["detail"] for one in told] == ["row a1/0, row a1/1, row a1/2 and 6 more"]


def test_a_damaged_row_in_the_middle_leaves_what_stands_before_it() -> None:
    rows = [ROWS[0], ROWS[1] | {"text": 5}, ROWS[2]]
    store = raw_store(*(("journal", ("a1", row["n"]), row) for row in rows))
    found = run(CheckedStore(store, lambda message: None).rows("a1"))
    assert text(unbroken(Row.from_record(row) for row in found)) == "# One\n\n"


def test_an_unfinished_answer_that_cannot_go_on_is_not_begun() -> None:
    async def scenario() -> None:
        store = raw_store(
            ("messages", "a1", ANSWER),
            ("messages", "a2", ANSWER | {"id": "a2", "runs": []}),
        )
        checked = CheckedStore(store, lambda message: None)
        assert [one["id"] for one in await checked.unfinished()] == ["a1"]

    run(scenario())


ODD: list[Any] = [None, True, -1, 1.5, 10**400, "", "x", [], [None], {}, {"x": 1}, [{}], [[]]]


def damaged(record: Record) -> Any:
    """The record with some of its fields gone or of any other kind."""
    changes = st.dictionaries(st.sampled_from(sorted(record)), st.sampled_from(ODD), max_size=3)
    gone = st.sets(st.sampled_from(sorted(record)), max_size=2)
    return st.builds(lambda change, out: without(record | change, *out), changes, gone)


@settings(max_examples=50)
@given(
    damaged(CONVERSATION),
    damaged(QUESTION),
    damaged(ANSWER | {"state": "stopped"}),
    damaged(ROWS[0]),
)
def test_whatever_is_stored_the_rest_is_opened(
    conversation: Any, question: Any, answer: Any, row: Any
) -> None:
    async def scenario() -> None:
        other = CONVERSATION | {"id": "c2", "updated": 9}
        store = raw_store(
            ("conversations", "c1", conversation),
            ("conversations", "c2", other),
            ("messages", "x1", question),
            ("messages", "x2", answer),
            ("messages", "u1", QUESTION),
            ("messages", "a1", ANSWER | {"state": "complete"}),
            ("messages", "u2", QUESTION | {"id": "u2", "conversation": "c2"}),
            ("journal", ("a1", 1), row),
        )
        told: list[Message] = []
        engine = engine_of(CheckedStore(Loose(store), told.append), told)
        await engine.start()
        engine.configure({})
        for wanted in ("c1", "c2"):
            await engine.handle({"type": "open", "conversation": wanted})
        await asyncio.gather(*engine._jobs.tasks)
        assert [one for one in told if one.get("code") == "failed"] == []
        opened = [one for one in told if one["type"] == "conversation" and one["id"] == "c2"]
        assert [turn["message"] for turn in opened[-1]["turns"]] == ["u2"]

    run(scenario())


class Loose(MemoryStore):
    """IndexedDB looks only at the keys of records: it gives whatever lies under them."""

    def __init__(self, inner: MemoryStore) -> None:
        self._stores = inner._stores

    async def conversations(self) -> list[Record]:
        return list(self._stores["conversations"].values())

    async def messages(self, conversation: str) -> list[Record]:
        every = self._stores["messages"].values()
        return [one for one in every if one.get("conversation") == conversation]

    async def unfinished(self) -> list[Record]:
        return [one for one in self._stores["messages"].values() if one.get("state") == "sending"]

    async def rows(self, message: str) -> list[Record]:
        return [one for key, one in self._stores["journal"].items() if key[0] == message]


def engine_of(store: Any, told: list[Message]) -> Engine:
    def locked(name: str) -> Any:
        raise AssertionError(f"nothing is written: {name}")

    return Engine(
        Host(store, None, told.append, lambda: 0.0, lambda: "id", locked)  # type: ignore[arg-type]
    )


# What a tab keeps


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
