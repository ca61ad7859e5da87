"""Several tabs over one store: one writes, all are live, and any of them can take over or stop."""

from __future__ import annotations

import pytest

from midstream.journal import MemoryStore
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
    quicken(monkeypatch, 500.0)


class Browser:
    """Tabs that hear each other and share a store."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.locks = Locks()
        self.tabs: list[Page] = []

    async def tab(self) -> Page:
        return await new_page(self.store, self.locks, tabs=self.tabs)

    async def second(self) -> tuple[Page, Page, str]:
        """Two tabs on one conversation, whose answer the first of them is writing."""
        first, second = await self.tab(), await self.tab()
        answer = await send(first)
        await until(lambda: first.painted.get(answer, 0) > 3)
        conversation = (await self.store.conversations())[0]["id"]
        opening = {"type": "open", "conversation": conversation, "painted": {}}
        await second.engine.handle(opening)
        return first, second, answer


def same_on_both(first: Page, second: Page, answer: str) -> bool:
    return same_tree(first.trees[answer], second.trees[answer])


def resets(page: Page) -> int:
    return len([m for m in page.messages if m["type"] == "patch" and m.get("reset")])


def test_both_tabs_are_live_and_one_writes() -> None:
    async def scenario() -> None:
        first, second, answer = await Browser().second()
        await until(lambda: second.last(answer) == "streaming")
        middle = second.painted[answer]
        await until(lambda: second.painted[answer] > middle)
        assert first.last(answer) == "streaming"
        await until(lambda: second.last(answer) == "complete")
        await until(lambda: not list(second.engine._answers))
        assert same_on_both(first, second, answer)
        assert same_tree(second.trees[answer], drawn(whole()))
        assert resets(second) == 1  # its first patch: what was heard is not painted anew

    run(scenario)


def test_a_tab_that_was_open_before_the_question_shows_it() -> None:
    async def scenario() -> None:
        browser = Browser()
        first = await browser.tab()
        earlier = await send(first, "a first question")
        await until(lambda: first.last(earlier) == "complete")
        second = await browser.tab()
        await second.engine.handle({"type": "open", "conversation": None, "painted": {}})
        conversation = (await browser.store.conversations())[0]["id"]
        answer = await send(first, "another question", conversation)
        await until(lambda: second.last(answer) == "complete")
        assert same_on_both(first, second, answer)

    run(scenario)


def test_what_a_tab_has_painted_is_not_painted_again_when_another_one_goes_on() -> None:
    async def scenario() -> None:
        browser = Browser()
        first, second, answer = await browser.second()
        await until(lambda: second.last(answer) == "complete")
        seen = len(second.messages)
        conversation = (await browser.store.conversations())[0]["id"]
        later = await send(first, "and now?", conversation)
        await until(lambda: second.last(later) == "complete")
        assert same_on_both(first, second, later)
        fresh = second.messages[seen:]
        assert not [m for m in fresh if m["type"] == "patch" and m["message"] == answer]

    run(scenario)


def test_another_tab_takes_over_from_one_that_was_closed() -> None:
    async def scenario() -> None:
        browser = Browser()
        first, second, answer = await browser.second()
        await first.vanish()
        await until(lambda: second.last(answer) == "complete")
        assert await text_of(browser.store, answer) == whole()
        assert same_tree(second.trees[answer], drawn(whole()))
        assert resets(second) == 1

    run(scenario)


def test_a_patch_that_was_stored_but_not_told_comes_with_the_takeover() -> None:
    async def scenario() -> None:
        browser = Browser()
        first, second, answer = await browser.second()
        heard = second.painted[answer]
        first.tabs.remove(second)  # from now on it hears nothing, as if the writer died after its commits
        await until(lambda: first.painted[answer] > heard + 3)
        await first.vanish()
        await until(lambda: second.last(answer) == "complete")
        assert same_tree(second.trees[answer], drawn(whole()))

    run(scenario)


def test_stop_from_the_tab_that_does_not_write() -> None:
    async def scenario() -> None:
        first, second, answer = await Browser().second()
        await press(second, "stop", answer)
        await until(lambda: first.last(answer) == second.last(answer) == "stopped")
        assert same_on_both(first, second, answer)

    run(scenario)


def test_stop_before_the_page_has_found_out_who_writes() -> None:
    async def scenario() -> None:
        browser = Browser()
        first, second, answer = await browser.second()
        await first.vanish()
        await second.vanish()
        browser.tabs.clear()
        async with browser.locks(f"midstream:answer:{answer}"):  # as of a tab that is about to go
            page = await browser.tab()
            await press(page, "stop", answer)
            waiting = page.engine._answers.get(answer)
            await until(lambda: waiting and not waiting.jobs.tasks)
        await page.engine.handle({"type": "open", "conversation": None, "painted": {}})
        await until(lambda: page.last(answer) == "stopped")

    run(scenario)


def test_a_third_tab_sees_the_ended_answer_once() -> None:
    async def scenario() -> None:
        browser = Browser()
        _, second, answer = await browser.second()
        third = await browser.tab()
        await third.engine.handle({"type": "open", "conversation": None, "painted": {}})
        await until(lambda: second.last(answer) == third.last(answer) == "complete")
        assert same_on_both(second, third, answer)

    run(scenario)
