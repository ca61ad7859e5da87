"""The browser deletes the data of the site while the page lives: it is noticed, said, and stored again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from midstream.engine.answers import answer_journal
from midstream.engine.store.restoring import RestoringStore
from midstream.errors import StoreError
from midstream.journal import Change, MemoryStore
from tests.unit.engine.support import (
    Locks,
    Page,
    drawn,
    new_page,
    press,
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
    quicken(monkeypatch, 1000)


def everything(store: MemoryStore) -> None:
    for records in store._stores.values():
        records.clear()


def conversations_and_messages(store: MemoryStore) -> None:
    """The journal is left, as when one of its rows is written after the rest has gone."""
    store._stores["conversations"].clear()
    store._stores["messages"].clear()


def messages(store: MemoryStore) -> None:
    store._stores["messages"].clear()


def rows(store: MemoryStore) -> None:
    store._stores["journal"].clear()


CLEARED = [everything, conversations_and_messages, messages, rows]
Clear = Callable[[MemoryStore], None]


async def reloaded(page: Page, locks: Locks, conversation: str) -> Page:
    """Another page, which knows the store only."""
    await page.vanish()
    later = await new_page(page.store, locks)
    await later.engine.handle({"type": "open", "conversation": conversation, "painted": {}})
    return later


def turns(page: Page) -> list[str]:
    shown = [m for m in page.messages if m["type"] == "conversation"][-1]["turns"]
    return [turn.get("text", turn["message"]) for turn in shown]


@pytest.mark.parametrize("clear", CLEARED)
def test_cleared_in_the_middle_of_an_answer(clear: Clear) -> None:
    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        page = await new_page(store, locks)
        before = await send(page, "one")
        await until(lambda: page.last(before) == "complete")
        (conversation,) = await store.conversations()
        answer = await send(page, "two", conversation["id"])
        await until(lambda: page.painted.get(answer, 0) > 3)
        clear(store)
        await until(lambda: page.notices() == ["storage-cleared"])
        seq = [m["seq"] for m in page.messages if m["type"] == "patch" and m["message"] == answer][-1]
        stored = await store.rows(answer)
        assert stored[0]["first"] == 1 and stored[-1]["last"] >= seq  # all that was shown is stored
        later = await reloaded(page, locks, conversation["id"])
        assert turns(later) == ["one", before, "two", answer]
        await until(lambda: later.last(answer) == "complete")
        assert await text_of(store, before) == whole("one")
        assert await text_of(store, answer) == whole("two")
        assert same_tree(later.trees[before], drawn(whole("one")))
        assert page.notices() == ["storage-cleared"]

    run(scenario)


@pytest.mark.parametrize("clear", CLEARED)
def test_cleared_before_the_next_prompt(clear: Clear) -> None:
    """It goes on in its conversation, and does not wait for ever."""

    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        page = await new_page(store, locks)
        before = await send(page, "one")
        await until(lambda: page.last(before) == "complete")
        (conversation,) = await store.conversations()
        clear(store)
        answer = await send(page, "two", conversation["id"])
        await until(lambda: page.last(answer) == "complete")
        assert page.notices() == ["storage-cleared"]
        later = await reloaded(page, locks, conversation["id"])
        assert turns(later) == ["one", before, "two", answer]
        assert await text_of(store, before) == whole("one")

    run(scenario)


def test_cleared_while_nothing_is_written() -> None:
    """The browser closes the database then, and the page looks at it."""

    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        page = await new_page(store, locks)
        answer = await send(page)
        await until(lambda: page.last(answer) == "complete" and not list(page.engine._answers))
        (conversation,) = await store.conversations()
        everything(store)
        page.engine.check_storage()
        await until(lambda: page.notices() == ["storage-cleared"])
        assert [item["id"] for item in page.messages[-1]["items"]] == [conversation["id"]]
        assert await text_of(store, answer) == whole()

    run(scenario)


def test_where_it_cannot_be_stored_again_nothing_is_called_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_journal, "RETRY_S", 0.01)

    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        page = await new_page(store, locks)
        answer = await send(page)
        await until(lambda: page.painted.get(answer, 0) > 3)
        commit = store.commit

        async def refuse(change: Change) -> None:
            if change.needs:
                await commit(change)
            raise StoreError("no room")

        everything(store)
        store.commit = refuse  # type: ignore[method-assign]
        await until(lambda: page.notices() == ["not-saved"])
        written = page.engine._answers.get(answer)
        assert written and written.status()["saved"] == 0
        store.commit = commit  # type: ignore[method-assign]
        await until(lambda: page.last(answer) == "complete")
        await until(lambda: not list(page.engine._answers))
        assert await text_of(store, answer) == whole()
        await until(lambda: len(store._stores["conversations"]) == 1)

    run(scenario)


def test_a_prompt_that_cannot_be_stored_is_answered_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait for ever, and is stored with its answer when there is room again."""
    monkeypatch.setattr(answer_journal, "RETRY_S", 0.01)

    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        page = await new_page(store, locks)
        before = await send(page, "one")
        await until(lambda: page.last(before) == "complete" and not list(page.engine._answers))
        (conversation,) = await store.conversations()
        commit = store.commit

        async def full(change: Change) -> None:
            raise StoreError("the disk is full", code="full")

        store.commit = full  # type: ignore[method-assign]
        answer = await send(page, "two", conversation["id"])
        await until(lambda: page.painted.get(answer, 0) > 3)
        assert page.notices()[0] == "full" and "storage-cleared" not in page.notices()
        store.commit = commit  # type: ignore[method-assign]
        await until(lambda: page.last(answer) == "complete" and not list(page.engine._answers))
        later = await reloaded(page, locks, conversation["id"])
        assert turns(later) == ["one", before, "two", answer]
        assert await text_of(store, answer) == whole("two")
        assert "storage-cleared" not in page.notices()

    run(scenario)


def test_what_another_tab_has_removed_is_not_lost() -> None:
    async def scenario() -> None:
        store, tabs, locks = MemoryStore(), [], Locks()  # type: ignore[var-annotated]
        first = await new_page(store, locks, tabs=tabs)
        before = await send(first, "one")
        (conversation,) = await store.conversations()
        second = await new_page(store, locks, tabs=tabs)
        await second.engine.handle({"type": "open", "conversation": conversation["id"], "painted": {}})
        answer = await send(second, "two", conversation["id"])
        await until(lambda: second.last(answer) == "queued" and first.engine._answers.get(answer))
        await press(first, "remove", answer)
        await until(lambda: first.last(before) == "complete")
        await until(lambda: not list(second.engine._answers))
        await second.engine.handle({"type": "open", "conversation": conversation["id"], "painted": {}})
        assert turns(second) == ["one", before]
        assert first.notices() == second.notices() == []

    run(scenario)


def test_only_the_conversations_in_use_are_remembered() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        restoring = RestoringStore(store, Locks(), lambda: None, lambda error: None)
        for n in range(20):
            change = Change().put("conversations", {"id": f"c{n}", "title": "", "created": n, "updated": n})
            message = {"id": f"q{n}", "conversation": f"c{n}", "position": 0, "author": "user", "text": "", "runs": []}
            await restoring.commit(change.put("messages", message | {"state": "complete"}))
        everything(store)
        assert await restoring.message("q19") and not await restoring.message("q0")
        assert len(await store.conversations()) == len(await restoring.conversations()) == 8

    run(scenario)
