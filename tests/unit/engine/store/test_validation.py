"""The check of stored records: which are usable, which are mended, and what is said of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midstream.engine.app import Engine
from midstream.engine.ports.host import Host, Message
from midstream.engine.store.validation import (
    CheckedStore,
    has_valid_ops,
    sound_conversation,
    sound_message,
    sound_row,
    sound_run,
    with_new_ops,
)
from midstream.journal import MemoryStore, Record, Row, text, unbroken
from midstream.markdown import Parser
from tests.unit.engine.store.samples import ANSWER, CONVERSATION, ENDPOINT, QUESTION, ROWS, RUN


def run(job: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(job)


def without(record: Record, *names: str) -> Record:
    return {key: value for key, value in record.items() if key not in names}


def raw_store(*entries: tuple[str, Any, Any]) -> MemoryStore:
    """A store that holds (store, key, whatever)."""
    store = MemoryStore()
    for name, key, record in entries:
        store._stores[name][key] = record
    return store


SEAM = {"kind": "echo", "skipped": 2, "at": 3}
LATER_RUN = RUN | {"seam": SEAM, "seq": 4, "began": 5, "via": "spool"}
NEWER = {"of_a_newer_version": {"x": 1}}
NOBODY = {"key": "k", "run": None}
DAMAGED = {"seam": {"at": "3"}, "seq": "x", "began": None, "via": 1}

# A check, a stored record, and fields of the record that the engine gets: None for a field that is
# not there. Instead of them None for a record that is left out.
RECORDS: list[tuple[Callable[[Any], Record | None], Any, Record | None]] = [
    (sound_conversation, CONVERSATION, CONVERSATION),
    (sound_conversation, CONVERSATION | NEWER, NEWER),
    (sound_conversation, CONVERSATION | {"title": 5}, {"title": ""}),
    (sound_conversation, CONVERSATION | {"created": "x"}, {"created": 0, "updated": 2}),
    (sound_conversation, CONVERSATION | {"updated": None}, {"created": 1, "updated": 1}),
    (sound_conversation, CONVERSATION | {"pinned": 1, "leaf": 2}, {"pinned": None, "leaf": None}),
    (
        sound_conversation,
        CONVERSATION | {"deleted": "x", "gone": 1},
        {"deleted": None, "gone": None},
    ),
    (sound_conversation, {"id": "c1"}, {"title": "", "created": 0, "updated": 0}),
    (sound_conversation, without(CONVERSATION, "id"), None),
    (sound_conversation, CONVERSATION | {"id": 1}, None),
    (sound_conversation, [], None),
    (sound_message, QUESTION | NEWER, QUESTION | NEWER),
    (sound_message, QUESTION | {"runs": [RUN, LATER_RUN]}, QUESTION | {"runs": [RUN, LATER_RUN]}),
    (sound_message, without(QUESTION, "state", "runs"), {"state": "complete", "runs": []}),
    (sound_message, None, None),
    (sound_message, "text", None),
    (sound_message, [], None),
    (sound_message, {}, None),
    (sound_message, without(QUESTION, "author"), None),
    (sound_message, QUESTION | {"author": ["user"]}, None),
    (sound_message, QUESTION | {"author": "root"}, None),
    (sound_message, QUESTION | {"position": "1"}, None),
    (sound_message, QUESTION | {"position": None}, None),
    (sound_message, QUESTION | {"position": True}, None),
    (sound_message, QUESTION | {"text": None}, None),
    (sound_message, QUESTION | {"conversation": 4}, None),
    (sound_message, ANSWER | NEWER, ANSWER | NEWER),
    (sound_message, ANSWER | {"runs": [RUN, LATER_RUN]}, ANSWER | {"runs": [RUN, LATER_RUN]}),
    (sound_message, ANSWER | {"runs": [RUN, RUN | DAMAGED]}, {"runs": [RUN, RUN]}),
    (sound_message, ANSWER | {"id": ""}, None),
    (sound_message, ANSWER | {"state": "constructor"}, {"state": "interrupted"}),
    (sound_message, without(ANSWER, "state"), {"state": "interrupted"}),
    (sound_message, ANSWER | {"state": {}}, {"state": "interrupted"}),
    (sound_message, ANSWER | {"runs": []}, {"state": "interrupted", "runs": []}),
    (sound_message, ANSWER | {"runs": "x"}, {"state": "interrupted", "runs": []}),
    (sound_message, ANSWER | {"runs": [RUN | {"run": 4}]}, {"state": "interrupted"}),
    (sound_message, ANSWER | {"runs": [NOBODY]}, {"state": "interrupted"}),
    (
        sound_message,
        ANSWER | {"runs": [without(RUN, "run") | {"endpoint": ENDPOINT | {"new": 1, "url": 5}}]},
        {"state": "streaming"},
    ),
    (
        sound_message,
        ANSWER | {"state": "complete", "runs": None},
        {"state": "complete", "runs": []},
    ),
    (sound_message, ANSWER | {"created": "x"}, {"created": 0, "state": "streaming"}),
    *(
        (sound_message, ANSWER | {name: ["x"]}, {name: None})
        for name in ("seconds", "tokens", "seq", "error", "question", "thought")
    ),
    (sound_run, RUN, RUN),
    (sound_run, LATER_RUN | NEWER, LATER_RUN | NEWER),
    (sound_run, RUN | DAMAGED, RUN | dict.fromkeys(DAMAGED)),
    (sound_run, NOBODY, None),
    (sound_run, RUN | {"key": None}, None),
    (sound_run, RUN | {"endpoint": {"name": "", "kind": "demo"}}, None),
    *((sound_row, row, row) for row in ROWS),
    (sound_row, ROWS[0] | {"n": "1"}, None),
    (sound_row, ROWS[0] | {"text": None}, None),
    (sound_row, ROWS[0] | {"reasoning": None}, None),
    (sound_row, ROWS[0] | {"finish": 0}, None),
    (sound_row, ROWS[0] | {"extras": None}, None),
    (sound_row, ROWS[0] | {"extras": [1]}, None),
    (sound_row, ROWS[0] | {"held": 1}, None),
    (sound_row, ROWS[0] | {"first": -1}, None),
    (sound_row, ROWS[0] | {"message": 1}, None),
]


def short(value: Any) -> str:
    return str(value.__name__ if callable(value) else value)[-60:]


@pytest.mark.parametrize(("sound", "raw", "fields"), RECORDS, ids=short)
def test_good_and_bad_records(sound: Callable[[Any], Record | None], raw: Any, fields: Record | None) -> None:
    record = sound(raw)
    if fields is None:
        assert record is None
    else:
        assert record is not None and {name: record.get(name) for name in fields} == fields


@pytest.mark.parametrize("record", [CONVERSATION, QUESTION, ANSWER])
def test_a_good_record_gets_no_other_field(record: Record) -> None:
    sound = sound_message if "author" in record else sound_conversation
    assert sound(record | NEWER) == record | NEWER


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
    assert has_valid_ops(ROWS) and not has_valid_ops(damaged)
    assert with_new_ops(damaged) == ROWS


def test_ops_of_a_finished_text_are_made_again() -> None:
    parser = Parser()
    words = "two *three"
    whole = Row("a1", 4, 0, 1, 9, words, ops=parser.feed(words) + parser.finish(), whole=True)
    assert with_new_ops([whole.record() | {"ops": [None]}]) == [whole.record()]


def test_ops_of_an_answer_that_is_continued_stay_open() -> None:
    parser = Parser()
    first = Row("a1", 4, 0, 1, 9, "two *three", ops=parser.feed("two *three"), whole=True)
    second = Row("a1", 5, 1, 1, 2, "* four", ops=parser.feed("* four"))
    rows = [first.record(), second.record()]
    assert with_new_ops([rows[0] | {"ops": [None]}, rows[1]]) == rows


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
def test_whatever_is_stored_the_rest_is_opened(conversation: Any, question: Any, answer: Any, row: Any) -> None:
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
