"""An answer that was cut off goes on: as one more run whose text joins what is there."""

from __future__ import annotations

from typing import Any

import pytest

from midstream.journal import MemoryStore
from midstream.providers import demo, openai
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

pytestmark = pytest.mark.full_run(reason="whole conversations at the demo's pace")


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch, 500.0)


async def stopped(store: MemoryStore, locks: Locks) -> tuple[Page, str]:
    """A page with an answer that was stopped in the middle."""
    page = await new_page(store, locks)
    answer = await send(page)
    await until(lambda: page.painted.get(answer, 0) > 5)
    await press(page, "stop", answer)
    await until(lambda: page.last(answer) == "stopped")
    await until(lambda: not list(page.engine._answers))
    return page, answer


def last_status(page: Page, answer: str) -> dict[str, Any]:
    return [m for m in page.messages if m["type"] == "status" and m["message"] == answer][-1]


def test_it_goes_on_where_it_was_stopped() -> None:
    """The demo begins anew each time it is asked: its repetition is skipped."""

    async def scenario() -> None:
        store = MemoryStore()
        page, answer = await stopped(store, Locks())
        before = last_status(page, answer)
        assert 0 < before["tokens"] < len(list(demo.tokens("")))
        await press(page, "continue", answer)
        await until(lambda: page.last(answer) == "complete")
        assert await text_of(store, answer) == whole()
        assert same_tree(page.trees[answer], drawn(whole()))
        after = last_status(page, answer)
        assert after["seams"] == [before["tokens"]]
        assert after["tokens"] > before["tokens"]
        assert after["seq"] > before["seq"]
        record = await store.message(answer)
        assert record and record["runs"][1]["seam"]["kind"] == "echo"
        assert record["runs"][1]["key"] == record["runs"][0]["key"][:-1] + "1"

    run(scenario)


@pytest.mark.parametrize("more", [0, 2, 9])
def test_a_reload_while_it_is_continued(more: int) -> None:
    """Before the repetition is over nothing of the new run is stored; afterwards its text is."""

    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        page, answer = await stopped(store, locks)
        painted = page.painted[answer]
        await press(page, "continue", answer)
        await until(lambda: page.painted[answer] > painted + more)
        await page.vanish()
        page = await new_page(store, locks)
        conversation = (await store.conversations())[0]["id"]
        await page.paint_saved(conversation)
        opening = {"type": "open", "conversation": conversation, "painted": dict(page.painted)}
        await page.engine.handle(opening)
        await until(lambda: page.last(answer) == "complete")
        assert await text_of(store, answer) == whole()
        assert same_tree(page.trees[answer], drawn(whole()))

    run(scenario)


def test_it_can_be_stopped_and_continued_again() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page, answer = await stopped(store, Locks())
        first = last_status(page, answer)["tokens"]
        await press(page, "continue", answer)
        await until(lambda: page.last(answer) == "streaming")
        await until(lambda: last_status(page, answer)["tokens"] > first + 3)
        await press(page, "stop", answer)
        await until(lambda: page.last(answer) == "stopped")
        await until(lambda: not list(page.engine._answers))
        second = last_status(page, answer)["tokens"]
        await press(page, "continue", answer)
        await until(lambda: page.last(answer) == "complete")
        assert await text_of(store, answer) == whole()
        assert last_status(page, answer)["seams"] == [first, second]

    run(scenario)


def test_an_answer_that_is_complete_is_left_alone() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        answer = await send(page)
        await until(lambda: page.last(answer) == "complete")
        await until(lambda: not list(page.engine._answers))
        await press(page, "continue", answer)
        record = await store.message(answer)
        assert record and record["state"] == "complete" and len(record["runs"]) == 1

    run(scenario)


def test_the_prompts_after_it_see_the_whole_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    request = openai.chat_request

    def chat_request(messages: Any, **options: Any) -> Any:
        asked.append(messages)
        return request(messages, **options)

    monkeypatch.setattr(openai, "chat_request", chat_request)

    async def scenario() -> None:
        store = MemoryStore()
        page, answer = await stopped(store, Locks())
        await press(page, "continue", answer)
        await until(lambda: page.last(answer) == "complete")
        conversation = (await store.conversations())[0]["id"]
        second = await send(page, "and now?", conversation)
        await until(lambda: page.last(second) == "complete")
        assert [m["role"] for m in asked[-1]] == ["user", "assistant", "user"]
        assert asked[-1][1]["content"] == whole()

    run(scenario)
