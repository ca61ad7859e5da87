"""All conversations as a file: what comes back is what was there, whatever else the file says."""

from __future__ import annotations

import asyncio
import copy
import json
import time
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midstream.engine.store.rendering import drawn_rows
from midstream.engine.store.validation import CheckedStore
from midstream.engine.transfer import archive, archive_schema, import_file, importer
from midstream.engine.transfer.documents import as_markdown, file_name
from midstream.errors import StoreError, UsageError
from midstream.journal import Change, MemoryStore, Record, Row
from midstream.markdown import Parser
from midstream.patch import SAFE, Tree

ENDPOINT = {
    "name": "Local",
    "kind": "openai",
    "url": "http://user:secret@127.0.0.1/v1?key=secret",
    "model": "small",
}


def run(job: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(job)


def answer(key: str, position: int, state: str = "complete", **more: Any) -> Record:
    runs: list[Record] = [{"key": f"k-{key}", "run": f"r-{key}", "endpoint": ENDPOINT}]
    if state == "stopped":  # and continued before
        seam = {"kind": "echo", "skipped": 3, "at": 7}
        runs = [runs[0] | {"seq": 9}, runs[0] | {"key": f"k2-{key}", "seam": seam, "seq": 4}]
    common = {"conversation": "c1", "created": 2000, "parser": 1, "question": "u1"}
    record = {"id": key, "position": position, "author": "assistant", "state": state, "runs": runs}
    return record | common | more


def row(message: str, n: int, words: str, **more: Any) -> Record:
    made = Row(message, n, 0, 10 * n - 9, 10 * n, words, tokens=10, **more)
    made.ops = Parser().feed(words) if n == 1 else []
    return made.record()


async def filled() -> MemoryStore:
    """Two conversations: one with a whole answer, a stopped one, and one that is being written."""
    store = MemoryStore()
    change = Change()
    for key, title, created in (("c2", "Later", 900), ("c1", "Tides \u2013 and “more”", 100)):
        change.put("conversations", {"id": key, "title": title, "created": created, "updated": created + 5})
    question = {"id": "u1", "conversation": "c1", "position": 0, "author": "user"}
    change.put(
        "messages",
        question | {"text": "How?\n\n<b>", "state": "complete", "created": 1, "runs": []},
    )
    change.put("messages", answer("a1", 1, seconds=4.5, tokens=20, seq=20))
    change.put("messages", answer("a2", 2, "stopped"))
    failed = {"message": "The key was refused.", "hint": "Check it."}
    change.put("messages", answer("a3", 3, "failed", error=failed))
    change.put("messages", answer("a4", 4, "streaming"))
    change.put("journal", row("a1", 1, "# One\n\ntwo ", reasoning="because"))
    change.put("journal", row("a1", 2, "*three*", finish="stop"))
    change.put("journal", row("a2", 1, "half"))
    change.put("journal", row("a4", 1, "so far"))
    await store.commit(change)
    return store


async def texts(store: MemoryStore) -> dict[str, list[tuple[str, str]]]:
    """(author, text) of every message in order, by conversation."""
    found: dict[str, list[tuple[str, str]]] = {}
    for conversation in await store.conversations():
        turns = found.setdefault(f"{conversation['id']} {conversation['title']}", [])
        for message in await store.messages(conversation["id"]):
            rows = await store.rows(message["id"])
            words = message.get("text") or "".join(one["text"] for one in rows)
            turns.append((message["author"], words))
    return found


async def through_a_file(store: MemoryStore) -> Any:
    return json.loads(archive.encode(await archive.everything(store)))


def test_the_round_trip() -> None:
    async def scenario() -> None:
        store, other = await filled(), MemoryStore()
        file = archive.encode(await archive.everything(store))
        assert await importer.add_all(other, await import_file.decode(file)) == 2
        assert await texts(other) == await texts(store)
        assert await other.conversations() != []
        by_id = {record["id"]: record for record in await store.conversations()}
        assert {record["id"]: record for record in await other.conversations()} == by_id
        states = [record["state"] for record in await other.messages("c1")]
        assert states == ["complete", "complete", "stopped", "failed", "interrupted"]
        whole = (await other.messages("c1"))[1]
        assert (whole["seconds"], whole["question"], whole["tokens"]) == (4.5, "u1", 20)
        assert (await other.messages("c1"))[3]["error"]["hint"] == "Check it."
        continued = (await other.messages("c1"))[2]["runs"]
        assert [(one["seq"], one.get("seam", {}).get("at")) for one in continued] == [
            (9, None),
            (4, 7),
        ]
        (made,) = await other.rows("a1")
        assert (made["reasoning"], made["finish"], made["last"]) == ("because", "stop", 20)
        assert made["tokens"] == 20
        # and once more: what was read is what is written
        again = await through_a_file(other)
        first = await through_a_file(store)
        first["conversations"][0]["messages"][4] |= {
            "state": "interrupted",
            "error": again["conversations"][0]["messages"][4]["error"],
        }
        for file in (first, again):
            del file["exported"]
            for message in file["conversations"][0]["messages"]:
                for name in ("runs", "seconds", "seq", "tokens"):
                    message.pop(name, None)
        assert again == first

    run(scenario())


def test_no_address_and_no_secret_is_written() -> None:
    file = archive.encode(run(archive.everything(run(filled()))))
    assert "secret" not in file and "127.0.0.1" not in file
    assert "small" in file and "k-a1" in file


def test_no_address_and_no_op_is_read() -> None:
    async def scenario() -> None:
        data = await through_a_file(await filled())
        message = data["conversations"][0]["messages"][1]
        message["runs"][0]["endpoint"] |= {"url": "https://evil.example/v1", "kind": "openai"}
        message |= {"ops": [[0, 0, "script", 1]], "text": "<script>x</script> *y*", "parser": 99}
        other = MemoryStore()
        await importer.add_all(other, data)
        stored = json.dumps([await other.messages("c1"), await other.rows("a1")])
        assert "evil" not in stored and '"kind": "openai"' not in stored
        (made,) = await other.rows("a1")
        assert made["ops"] == []  # it is drawn when it is shown
        answer = await other.message("a1")
        assert answer
        ((row,), _) = await drawn_rows(other, answer)
        tree = Tree(SAFE).apply(row.ops)
        (paragraph,) = tree.root.children
        assert getattr(paragraph, "tag", "") == "p"

    run(scenario())


def test_what_is_here_stands() -> None:
    async def scenario() -> None:
        store = await filled()
        before = copy.deepcopy(store._stores)
        data = await through_a_file(store)
        for message in data["conversations"][0]["messages"]:
            message["text"] = "other"
        data["conversations"][0]["title"] = "Other"
        assert await importer.add_all(store, data) == 0
        assert store._stores == before

    run(scenario())


def test_a_file_that_goes_further_adds_what_follows() -> None:
    async def scenario() -> None:
        store, longer = await filled(), await filled()
        more = answer("a5", 7, question="u1")
        await longer.commit(Change().put("messages", more).put("journal", row("a5", 1, "more of it")))
        before = await store.messages("c1")
        assert await importer.add_all(store, await through_a_file(longer)) == 1
        after = await store.messages("c1")
        assert after[:5] == before
        assert (after[5]["id"], after[5]["position"]) == ("a5", 5)
        assert (await store.rows("a5"))[0]["text"] == "more of it"
        # One that went another way is left alone.
        data = await through_a_file(await filled())
        data["conversations"][0]["messages"][1]["id"] = "elsewhere"
        data["conversations"][0]["messages"].append({"id": "u9", "author": "user", "text": "x"})
        data["conversations"][0]["messages"].append({"id": "u8", "author": "user", "text": "x"})
        assert await importer.add_all(store, data) == 0

    run(scenario())


def test_a_message_of_another_conversation_is_not_taken() -> None:
    async def scenario() -> None:
        store = await filled()
        before = copy.deepcopy(store._stores)
        data = file_of([{"id": "c9", "title": "New", "messages": [asked("u9"), asked("u1")]}])
        with pytest.raises(UsageError, match=r"Nothing was added.*another conversation"):
            await importer.add_all(store, data)
        assert store._stores == before

    run(scenario())


def asked(key: str, **more: Any) -> Record:
    return {"id": key, "author": "user", "text": "x"} | more


def file_of(conversations: Any, **more: Any) -> Record:
    return {"format": "midstream", "version": 1, "conversations": conversations} | more


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "does not hold"),
        ({"format": "other", "version": 1, "conversations": []}, "does not hold"),
        (file_of([], version=2), "newer version"),
        (file_of([], version="1"), "which version"),
        (file_of([], version=True), "which version"),
        (file_of({}), "no list"),
    ],
    ids=str,
)
def test_another_file_is_refused(data: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        run(importer.add_all(MemoryStore(), data))
    assert refused.value.hint


@pytest.mark.parametrize("file", ["", "{", "\x00", "9e"])
def test_what_is_no_json_is_refused(file: str) -> None:
    with pytest.raises(UsageError, match="does not hold"):
        run(import_file.decode(file))


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_file, "FILE_CHARACTERS", 10)
    with pytest.raises(UsageError, match="too large"):
        run(import_file.decode('"0123456789"'))


GOOD = {"id": "c8", "title": "Good", "messages": [asked("u8")]}
DAMAGED: list[Any] = [
    None,
    {},
    {"id": 5, "messages": []},
    {"id": "", "messages": []},
    {"id": "c" * 300, "messages": []},
    {"id": "\ud800", "messages": []},
    {"id": "c9"},
    {"id": "c9", "messages": {}},
    {"id": "c9", "messages": [], "title": 1},
    {"id": "c9", "messages": [], "created": "yesterday"},
    {"id": "c9", "messages": [], "created": -1},
    {"id": "c9", "messages": [], "created": float("nan")},
    {"id": "c9", "messages": [], "created": float("inf")},
    {"id": "c9", "messages": [], "created": 10**400},
    {"id": "c9", "messages": [], "created": True},
    {"id": "c9", "messages": [None]},
    {"id": "c9", "messages": [asked("c9")]},
    {"id": "c9", "messages": [asked("u1"), asked("u1")]},
    {"id": "c9", "messages": [asked("u1", author="root")]},
    {"id": "c9", "messages": [asked("u1", author=["user"])]},
    {"id": "c9", "messages": [asked("u1", text=None)]},
    {"id": "c9", "messages": [asked("u1", author="assistant", state=3)]},
    {"id": "c9", "messages": [asked("u1", author="assistant", runs="x")]},
    {"id": "c9", "messages": [asked("u1", author="assistant", runs=[3])]},
    {"id": "c9", "messages": [asked("u1", author="assistant", runs=[{"endpoint": 1}])]},
    {"id": "c9", "messages": [asked("u1", author="assistant", runs=[{}] * 101)]},
    {"id": "c9", "messages": [asked("u1", author="assistant", runs=[{"seam": {"at": ""}}])]},
    {"id": "c9", "messages": [asked("u1", author="assistant", tokens=1.5)]},
    {"id": "c9", "messages": [asked("u1", author="assistant", seq="2")]},
    {"id": "c9", "messages": [asked("u1", author="assistant", reasoning=[])]},
    {"id": "c9", "messages": [asked("u1", author="assistant", runs=[{"seam": 5}])]},
]


@pytest.mark.parametrize("bad", DAMAGED, ids=lambda bad: str(bad)[:60])
def test_one_damaged_conversation_leaves_the_others(bad: Any) -> None:
    async def scenario() -> None:
        store = MemoryStore()
        with pytest.raises(UsageError, match=r"1 conversation was added.*conversation 1: "):
            await importer.add_all(store, file_of([bad, GOOD]))
        assert [record["id"] for record in await store.conversations()] == ["c8"]
        assert list(store._stores["messages"]) == ["u8"], "nothing of the damaged one"

    run(scenario())


def test_an_id_stands_for_one_thing_only() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        twice = [GOOD, GOOD | {"title": "Again"}, {"id": "c7", "messages": [asked("u8")]}]
        with pytest.raises(UsageError, match="stands in the file twice"):
            await importer.add_all(store, file_of(twice))
        (only,) = await store.conversations()
        assert only["title"] == "Good"

    run(scenario())


def test_many_damaged_ones_are_counted() -> None:
    with pytest.raises(UsageError, match="and 97 more"):
        run(importer.add_all(MemoryStore(), file_of([None] * 100)))


def test_a_text_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_schema, "TEXT_CHARACTERS", 10)
    bad = {"id": "c9", "messages": [asked("u1", text="x" * 11)]}
    with pytest.raises(UsageError, match="longer than 10"):
        run(importer.add_all(MemoryStore(), file_of([bad])))


def test_half_characters_come_whole_or_replaced() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        turn = asked("u1", text="\ud83d\ude00 \ud800")
        await importer.add_all(store, file_of([{"id": "c1", "messages": [turn]}]))
        assert (await store.messages("c1"))[0]["text"] == "😀 \ufffd"
        archive.encode(await archive.everything(store)).encode()  # a file can hold it

    run(scenario())


def test_ten_megabytes() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        words = "".join(f"w{n} " for n in range(20_000))
        turns = [asked(f"a{n}", author="assistant", state="complete", text=words) for n in range(90)]
        data = await import_file.decode(json.dumps(file_of([{"id": "c1", "messages": turns}])))
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0)

        beating = asyncio.ensure_future(beat())
        assert await importer.add_all(store, data) == 1
        beating.cancel()
        assert len(await store.messages("c1")) == 90
        assert (await store.rows("a89"))[0]["text"] == words
        assert beats >= 90, "others had their turn"

    run(scenario())


def test_a_store_that_fails_in_the_middle_says_how_far_it_came() -> None:
    class Full(MemoryStore):
        async def commit(self, change: Change) -> None:
            if self._stores["conversations"]:
                raise StoreError("Could not save.", hint="Make room.", code="full")
            await super().commit(change)

    with pytest.raises(StoreError, match="1 conversation was added, then: Could not save") as failed:
        run(importer.add_all(Full(), file_of([GOOD, {"id": "c7", "messages": []}])))
    assert (failed.value.code, failed.value.hint) == ("full", "Make room.")


ODD: list[Any] = [None, True, -1, 0, 7, 1.5, "", "x", "user", "stopped", [], [None], [{}], {}]
NAMES = ["id", "author", "text", "state", "runs", "messages", "title", "created", "seam", "seq"]
OBJECT = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ODD), max_size=5)
MESSAGE = st.builds(lambda odd: asked("u1") | odd, OBJECT)
CONVERSATION = st.builds(
    lambda odd, turns: {"id": "c1", "messages": turns} | odd,
    OBJECT,
    st.lists(MESSAGE | st.sampled_from(ODD), max_size=2),
)


@settings(deadline=None)
@given(st.lists(CONVERSATION | st.sampled_from(ODD), max_size=3))
def test_whatever_it_says_it_is_read_or_refused(conversations: list[Any]) -> None:
    async def scenario() -> None:
        store = MemoryStore()
        told: list[Any] = []
        try:
            await importer.add_all(store, file_of(conversations))
        except UsageError as error:
            told.append(error)
        # What was taken can be read by the engine.
        checked = CheckedStore(store, told.append)
        before = len(told)
        await archive.everything(checked)
        assert len(told) == before

    run(scenario())


NOW = time.mktime((2026, 11, 22, 5, 43, 0, 0, 0, -1))


@pytest.mark.parametrize("state", ["streaming", "stopped", "interrupted", "length", "failed"])
def test_a_partial_copy_says_how_far_it_came(state: str) -> None:
    partial = state == "streaming"
    copied = as_markdown({"state": state}, "text", partial=partial, tokens=214, now=NOW)
    assert copied == "<!-- partial, 214 tokens, 2026-11-22 05:43 -->\n\ntext"


def test_a_whole_copy_is_the_text_alone() -> None:
    assert as_markdown({"state": "complete"}, "text", partial=False, tokens=9, now=NOW) == "text"


def test_a_file_name_is_one_whatever_the_id() -> None:
    assert file_name({"id": "../a/b c\u202e"}, NOW) == "answer-2026-11-22-0543-abc.md"
    assert archive.file_name(NOW) == "midstream-2026-11-22-0543.json"
