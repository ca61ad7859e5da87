"""The engine's promise without a browser: one writer, nothing shown before it is stored, nothing lost over reloads."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from midstream.engine.answers import answer_journal
from midstream.engine.app import decode
from midstream.engine.endpoints.endpoints import endpoints
from midstream.engine.ports.host import Message
from midstream.engine.store import rendering
from midstream.errors import StoreError
from midstream.journal import Change, MemoryStore, Row, unbroken
from midstream.providers import demo
from tests.unit.engine.support import (
    DEMO,
    PROMPT,
    Locks,
    Page,
    drawn,
    new_page,
    quicken,
    run,
    same_tree,
    send,
    text_of,
    until,
    whole,
)


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch, 2000.0)


def test_an_answer_from_the_prompt_to_its_end() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        answer = await send(page)
        await until(lambda: page.last(answer) == "complete")
        assert await text_of(store, answer) == whole()
        assert same_tree(page.trees[answer], drawn(whole()))
        assert page.unsaved == []
        assert page.states(answer) == ["sending", "waiting", "streaming", "complete"]
        await until(lambda: page.lists()[-1] == "complete")
        assert page.lists() == ["streaming", "complete"]
        (row,) = await store.rows(answer)
        assert row["whole"]
        record = await store.message(answer)
        assert record is not None and record["state"] == "complete"
        assert record["tokens"] == len(list(demo.tokens(PROMPT)))

    run(scenario)


@pytest.mark.parametrize("reloads", [[1], [17], [60], [3, 4, 80], [120, 121, 122, 123]])
def test_reloads_lose_nothing_and_repeat_nothing(reloads: list[int]) -> None:
    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        page = await new_page(store, locks)
        answer = await send(page)
        conversation = (await store.conversations())[0]["id"]
        for at in reloads:
            await until(partial(_has_stored, store, at))
            await page.vanish()
            page = Page(store, locks)
            await page.paint_saved(conversation)
            painted = dict(page.painted)
            await page.engine.start()
            page.engine.configure(DEMO)
            await page.engine.handle({"type": "open", "conversation": None, "painted": painted})
        await until(lambda: page.last(answer) == "complete")
        assert await text_of(store, answer) == whole()
        assert same_tree(page.trees[answer], drawn(whole()))
        assert not [m for m in page.messages if m["type"] == "patch" and m.get("reset")], (
            "what was painted from storage was thrown away"
        )

    run(scenario)


def _stored(store: MemoryStore) -> int:
    """The last seq in the journal; 0 when that is empty."""
    last = (int(row["last"]) for row in store._stores["journal"].values())
    return max(last, default=0)


def test_a_page_that_vanishes_between_the_last_flush_and_the_end_finds_the_end() -> None:
    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        page = await new_page(store, locks)
        commit = store.commit

        async def never_end(change: Change) -> None:
            if change.drop_rows:
                await asyncio.Event().wait()
            await commit(change)

        store.commit = never_end  # type: ignore[method-assign]
        answer = await send(page)
        await until(lambda: any(row["ended"] for row in store._stores["journal"].values()))
        await page.vanish()
        store.commit = commit  # type: ignore[method-assign]
        page = await new_page(store, locks)
        await page.engine.handle({"type": "open", "conversation": None, "painted": {}})
        await until(lambda: page.last(answer) == "complete")
        assert await text_of(store, answer) == whole()

    run(scenario)


def test_stop_ends_the_answer_and_keeps_its_text() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        answer = await send(page)
        await until(lambda: page.last(answer) == "streaming")
        await page.engine.handle({"type": "stop", "message": answer})
        await until(lambda: page.last(answer) == "stopped")
        written = await text_of(store, answer)
        assert written and whole().startswith(written) and written != whole()

    run(scenario)


def test_two_tabs_one_writer() -> None:
    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        first = await new_page(store, locks)
        answer = await send(first)
        await until(lambda: first.last(answer) == "streaming")
        second = await new_page(store, locks)
        await second.engine.handle({"type": "open", "conversation": None, "painted": {}})
        await first.vanish()
        await until(lambda: second.last(answer) == "complete")
        assert await text_of(store, answer) == whole()
        assert same_tree(second.trees[answer], drawn(whole()))

    run(scenario)


def test_a_prompt_is_stored_with_its_indentation() -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        await send(page, "\n    for i in x:\n        print(i)\n")
        await send(page, " \n ")
        questions = [m["turn"].get("text") for m in page.messages if m["type"] == "turn"]
        assert questions[0] == "    for i in x:\n        print(i)" and len(questions) == 2

    run(scenario)


def test_a_prompt_that_is_repeated_is_sent_once() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        await send(page)
        await send(page)
        (conversation,) = await store.conversations()
        assert len(await store.messages(conversation["id"])) == 2
        opened = [m for m in page.messages if m["type"] == "conversation"]
        assert [m["id"] for m in opened] == [conversation["id"]], "the repetition is confirmed"
        await page.vanish()

    run(scenario)


def test_a_full_disk_is_said_and_the_answer_goes_on() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        answer = await send(page)
        await until(lambda: page.last(answer) == "streaming")

        async def full(change: Change) -> None:
            raise StoreError("the disk is full")

        store.commit = full  # type: ignore[method-assign]
        await until(lambda: page.last(answer) == "complete")
        assert page.notices() == ["not-saved"]
        assert same_tree(page.trees[answer], drawn(whole()))
        status = [m for m in page.messages if m["type"] == "status"][-1]
        assert status["saved"] == _stored(store) < status["seq"]

    run(scenario)


def test_what_is_being_stored_is_not_said_to_be_unsaved() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        answer = await send(page)
        await until(lambda: page.last(answer) == "streaming")
        commit, asked, go_on = store.commit, asyncio.Event(), asyncio.Event()

        async def slow(change: Change) -> None:
            asked.set()
            await go_on.wait()
            await commit(change)

        store.commit = slow  # type: ignore[method-assign]
        await asked.wait()
        writing = page.engine._answers.get(answer)
        assert writing
        status = writing.status()
        assert status["saved"] == status["seq"] > 0
        go_on.set()
        await until(lambda: page.last(answer) == "complete")

    run(scenario)


def test_what_a_full_disk_refused_is_stored_when_there_is_room_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answer_journal, "RETRY_S", 0.01)

    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        answer = await send(page)
        await until(lambda: page.last(answer) == "streaming")
        commit = store.commit

        async def full(change: Change) -> None:
            raise StoreError("the disk is full", code="full")

        store.commit = full  # type: ignore[method-assign]
        await until(lambda: page.notices() == ["full"])
        store.commit = commit  # type: ignore[method-assign]
        await until(lambda: page.notices() == ["full", "saved-again"])
        await page.vanish()
        assert await text_of(store, answer) != ""
        assert (await store.message(answer) or {})["state"] == "streaming"
        rows = unbroken(Row.from_record(row) for row in await store.rows(answer))
        assert rows[-1].last == _stored(store)  # no hole where it was refused

    run(scenario)


def test_an_end_that_a_full_disk_refused_is_stored_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_journal, "RETRY_S", 0.01)

    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        answer = await send(page)
        await until(lambda: page.last(answer) == "streaming")
        commit = store.commit

        async def full(change: Change) -> None:
            raise StoreError("the disk is full", code="full")

        store.commit = full  # type: ignore[method-assign]
        await until(lambda: page.last(answer) == "complete")
        store.commit = commit  # type: ignore[method-assign]
        await until(lambda: page.notices() == ["full", "saved-again"])
        await until(lambda: not list(page.engine._answers))
        assert (await store.message(answer) or {})["state"] == "complete"
        assert await text_of(store, answer) == whole()
        status = [m for m in page.messages if m["type"] == "status"][-1]
        assert status["saved"] == status["seq"]

    run(scenario)


def test_another_version_of_the_parser_draws_the_answer_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        page = await new_page(store, locks)
        answer = await send(page)
        await until(lambda: page.last(answer) == "complete")
        conversation = (await store.conversations())[0]["id"]
        for module in (rendering, answer_journal):
            monkeypatch.setattr(module, "VERSION", 10**6)
        page = Page(store, locks)
        await page.paint_saved(conversation)
        await page.engine.start()
        painted = dict(page.painted)
        await page.engine.handle({"type": "open", "conversation": conversation, "painted": painted})
        assert [m for m in page.messages if m["type"] == "patch" and m.get("reset")]
        assert same_tree(page.trees[answer], drawn(whole()))
        record = await store.message(answer)
        assert record is not None and record["parser"] == 10**6

    run(scenario)


def test_an_ended_answer_that_is_painted_is_not_sent_again() -> None:
    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        page = await new_page(store, locks)
        answer = await send(page)
        await until(lambda: page.last(answer) == "complete")
        page = Page(store, locks)
        conversation = (await store.conversations())[0]["id"]
        await page.paint_saved(conversation)
        await page.engine.start()
        await page.engine.handle({"type": "open", "conversation": conversation, "painted": dict(page.painted)})
        assert not [m for m in page.messages if m["type"] == "patch"]
        (opened,) = [m for m in page.messages if m["type"] == "conversation"]
        assert [turn["author"] for turn in opened["turns"]] == ["user", "assistant"]

    run(scenario)


def test_regenerate_adds_an_answer_and_keeps_the_first() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        first = await send(page)
        await until(lambda: page.last(first) == "complete")
        await page.engine.handle({"type": "regenerate", "message": first})
        second = str([m["turn"] for m in page.messages if m["type"] == "turn"][-1]["message"])
        await until(lambda: page.last(second) == "complete")
        assert first != second
        assert await text_of(store, first) == await text_of(store, second) == whole()
        record = await store.message(second)
        assert record is not None
        assert await rendering.history_of(store, record) == [{"role": "user", "content": PROMPT}]

    run(scenario)


def test_a_conversation_goes_on_with_what_was_said() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        first = await send(page)
        await until(lambda: page.last(first) == "complete")
        conversation = (await store.conversations())[0]["id"]
        second = await send(page, "and then?", conversation)
        record = await store.message(second)
        assert record is not None
        assert await rendering.history_of(store, record) == [
            {"role": "user", "content": PROMPT},
            {"role": "assistant", "content": whole()},
            {"role": "user", "content": "and then?"},
        ]
        await page.vanish()

    run(scenario)


def test_save_and_copy_give_the_source_in_the_middle_of_the_stream() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        answer = await send(page)
        await until(lambda: page.last(answer) == "streaming")
        await page.engine.handle({"type": "save", "message": answer, "format": "markdown"})
        await page.engine.handle({"type": "copy", "message": answer})
        (download,) = [m for m in page.messages if m["type"] == "download"]
        (clipboard,) = [m for m in page.messages if m["type"] == "clipboard"]
        assert "partial" in download["text"].splitlines()[0]
        assert clipboard["text"] and whole().startswith(clipboard["text"])
        await page.vanish()

    run(scenario)


@pytest.mark.parametrize(
    "intent",
    [{"type": "dance"}, {"type": "send"}, {"type": "copy", "message": "nobody"}, {"type": "stop"}],
)
def test_an_impossible_intent_is_said_and_breaks_nothing(intent: Message) -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        await page.engine.handle(intent)
        assert page.notices() == ["failed"]
        answer = await send(page)
        await until(lambda: page.last(answer) == "complete")

    run(scenario)


def test_an_unknown_conversation_is_said() -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        await page.engine.handle({"type": "open", "conversation": "gone", "painted": {}})
        await until(lambda: page.notices() == ["unknown-conversation"])

    run(scenario)


@pytest.mark.parametrize("batch", ["", "{}", "[1]", '[{"kind": "x"}]', "nonsense"])
def test_a_batch_that_is_no_batch_is_refused(batch: str) -> None:
    with pytest.raises(ValueError):
        decode(batch)


def test_the_default_endpoint_comes_first_and_unusable_ones_are_left_out() -> None:
    config = {
        "endpoints": [
            {"name": "a", "kind": "openai", "url": "http://127.0.0.1:1/v1"},
            {"name": "b", "kind": "gateway", "unknown": 1},
            {"kind": "gateway"},
            {"name": "c", "kind": "telepathy"},
            "nonsense",
        ],
        "default": "b",
    }
    assert [endpoint.name for endpoint in endpoints(config)] == ["b", "a"]
    assert [endpoint.kind for endpoint in endpoints({})] == ["demo"]


def _has_stored(store: MemoryStore, seq: int) -> bool:
    return _stored(store) >= seq
