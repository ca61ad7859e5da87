"""The reasoning above an answer, folded, and the source in the place of its text."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.screen_support import Screen, answer, asked, saved_rows
from tests.browser.start.paint_support import painted

WORDS: list[list[Any]] = [[0, 0, "p", 1], [1, 1, "Twice a day."]]


@pytest.fixture
def live(screen: Screen) -> Screen:
    screen.goto().ready()
    screen.conversation(asked(), answer())
    return screen


def patch(live: Screen, n: int, *ops: list[Any], **more: Any) -> None:
    message = {"type": "patch", "message": "a1", "n": n, "seq": n, "ops": list(ops)}
    live.post(message | more)


def folded(live: Screen) -> Locator:
    return live.article().locator("[data-part=reasoning]")


def test_folded_with_a_live_count_and_as_it_is(live: Screen) -> None:
    expect(folded(live)).to_be_hidden()
    patch(live, 1, thought="The **moon** ")
    live.status("streaming", seq=1, saved=1, tokens=12)
    summary = folded(live).locator("summary")
    expect(summary).to_have_text("Thinking, 12 tokens")
    expect(live.part("thoughts")).to_be_hidden()
    summary.click()
    expect(live.part("thoughts")).to_have_text("The **moon** ")
    live.part("thoughts").evaluate("e => getSelection().setBaseAndExtent(e.firstChild, 4, e.firstChild, 12)")
    patch(live, 2, thought="and the sun.")
    expect(live.part("thoughts")).to_have_text("The **moon** and the sun.")
    assert live.page.evaluate("getSelection().toString()") == "**moon**"
    patch(live, 3, *WORDS, thought=" Done.")
    thought = {"seconds": 11.8, "tokens": 40}
    live.status("streaming", seq=3, saved=3, tokens=44, thought=thought)
    expect(summary).to_have_text("Thought for 12 s, 40 tokens")
    expect(live.content()).to_have_text("Twice a day.")
    live.status("complete", seq=3, saved=3, tokens=44, thought=thought)
    expect(live.part("thoughts")).to_have_text("The **moon** and the sun. Done.")
    expect(live.part("thoughts")).to_be_visible()  # nobody has folded it
    assert live.page.evaluate("getSelection().toString()") == "**moon**"


def test_it_does_not_grow_without_end_and_scrolls_with_the_keyboard(live: Screen) -> None:
    patch(live, 1, thought="A long thought.\n" * 400)
    folded(live).locator("summary").click()
    box = live.part("thoughts").bounding_box()
    assert box and box["height"] <= 16 * 16 + 1
    live.part("thoughts").focus()
    live.page.keyboard.press("End")
    live.part("thoughts").evaluate(
        """e => new Promise(done => {
          const see = () => (e.scrollTop > 0 ? done() : requestAnimationFrame(see));
          see();
        })"""
    )


def test_a_reset_brings_all_of_it(live: Screen) -> None:
    patch(live, 1, thought="One ")
    patch(live, 2, *WORDS, thought="two", reset=True)
    folded(live).locator("summary").click()
    expect(live.part("thoughts")).to_have_text("two")


def test_the_printed_page_has_it_and_what_was_unfolded_stays_open(browser: Browser) -> None:
    with painted(browser) as page:
        rows = saved_rows(WORDS)
        rows[-1][1]["reasoning"] = "The moon <b>and</b> the sun."
        rows[2][1]["thought"] = {"seconds": 3, "tokens": 7}
        page.store(rows).see()
        expect(folded(page).locator("summary")).to_have_text("Thought for 3 s, 7 tokens")
        folded(page).locator("summary").click()
        expect(page.part("thoughts")).to_have_text("The moon <b>and</b> the sun.")
        page.page.evaluate("watchNodes()")
        page.let_in()
        expect(page.part("thoughts")).to_be_visible()
        assert page.page.evaluate("changed.filter(name => name === 'P')") == []


# The source


def button(live: Screen) -> Locator:
    return live.article().get_by_role("button", name="Source")


def test_the_source_takes_the_place_of_the_text_and_grows(live: Screen) -> None:
    patch(live, 1, *WORDS, source="Twice a *day*.")
    live.status("streaming", seq=1, saved=1, tokens=12)
    button(live).click()
    assert live.intent("source")["message"] == "a1"
    expect(live.content()).to_be_visible()  # until there is something in its place
    live.post({"type": "source", "message": "a1", "n": 1, "text": "Twice a *day*."})
    source = live.article().locator("[data-part=source]")
    expect(source).to_have_text("Twice a *day*.")
    expect(live.content()).to_be_hidden()
    expect(button(live)).to_have_attribute("aria-pressed", "true")
    source.evaluate("e => getSelection().setBaseAndExtent(e.firstChild, 8, e.firstChild, 13)")
    patch(live, 2, [1, 1, " Or so."], source=" Or so.")
    expect(source).to_have_text("Twice a *day*. Or so.")
    live.status("complete", seq=2, saved=2, tokens=14)
    assert live.page.evaluate("getSelection().toString()") == "*day*"
    button(live).click()
    expect(live.content()).to_have_text("Twice a day. Or so.")
    expect(source).to_have_count(0)
    expect(button(live)).to_have_attribute("aria-pressed", "false")


def test_a_patch_that_the_source_has_already_is_not_added_again(live: Screen) -> None:
    patch(live, 1, *WORDS, source="one ")
    button(live).click()
    live.intent("source")
    live.post({"type": "source", "message": "a1", "n": 2, "text": "one two "})
    patch(live, 2, source="two ")
    patch(live, 3, source="three")
    source = live.article().locator("[data-part=source]")
    expect(source).to_have_text("one two three")
    patch(live, 4, *WORDS, source="anew", reset=True)
    expect(source).to_have_text("anew")
