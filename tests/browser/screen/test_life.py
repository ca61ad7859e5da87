"""The life of a page: its first frame, its engine that fails or falls silent, and what is said meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.screen_support import STORE_JS, Ops, Screen, answer, asked, saved_rows

OPS = Ops()
FIRST = OPS.of(("h2", "Tides"), ("p", "Twice a day "))
SECOND = [[1, 2, "the sea rises."]]


@pytest.fixture
def saved(screen: Screen) -> Screen:
    """An answer is stored; the next load finds it."""
    screen.goto("icons/icon.svg")  # a page of the same origin that runs nothing
    screen.page.evaluate(STORE_JS, saved_rows(FIRST, SECOND))
    return screen


# Every frame of a page from its very first one: is the shell to be seen, and how many turns stand in it?
FRAMES = """
window.frames_ = [];
const look = () => {
  const shown = document.body && getComputedStyle(document.body).visibility === 'visible';
  if (shown) window.frames_.push(document.querySelectorAll('article').length);
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def test_no_frame_shows_the_page_without_its_saved_text(saved: Screen) -> None:
    saved.site.files["engine/engine.js"] = b""
    saved.page.add_init_script(FRAMES)
    for _ in range(2):
        saved.goto("?c=c1")
        expect(saved.html).to_have_attribute("data-paint", "done")
        saved.page.evaluate("new Promise(requestAnimationFrame)")
        frames = saved.page.evaluate("window.frames_")
        assert frames and set(frames) == {2}


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_the_page_shows_itself_without_scripts(screen: Screen, motion: Any) -> None:
    screen.page.emulate_media(reduced_motion=motion)
    screen.site.files["screen/main.js"] = b"throw new Error('broken')"
    screen.goto()
    expect(screen.part("composer")).to_be_visible()
    expect(screen.html).to_have_attribute("data-paint", "pending")
    screen.problems.clear()


def test_what_is_said_is_true_without_an_engine(saved: Screen) -> None:
    screen = saved.goto()
    prompt = screen.page.get_by_role("textbox")
    stop = screen.page.get_by_role("button", name="Stop")
    screen.intent("network")
    expect(stop).to_be_visible()
    screen.aside(type="engine", state="failed", detail="no memory")
    expect(screen.line()).to_have_text("20 tokens saved here. Reload the page to get the rest.")
    expect(screen.article().locator("button:visible")).to_have_text(["Copy", "Save a copy"])
    expect(stop).to_be_hidden()  # it could not keep its word
    prompt.fill("Why twice?")
    prompt.press("Enter")
    mine = screen.page.locator("article[data-author=user]").last
    expect(mine).to_contain_text("Not sent yet. It is saved here and will be sent after a reload.")
    screen.post({"type": "hello"})  # it has come after all
    expect(screen.line()).to_have_text("20 tokens saved here. Picking up the rest…")
    expect(stop).to_be_visible()
    expect(mine).to_contain_text("Sending…")


def test_a_page_that_was_put_away_asks_its_engine(screen: Screen) -> None:
    screen.page.clock.install()
    screen.goto().ready()
    screen.conversation(asked(), answer("streaming"))
    screen.patch(1, *FIRST)
    expect(screen.content()).to_contain_text("Twice a day")
    screen.intent("open")
    back = "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
    screen.page.evaluate(back)
    screen.intent("visible")
    assert screen.intent("open")["painted"] == {"a1": 1}
    screen.conversation(asked(), answer("streaming"))
    screen.status("streaming", tokens=7)
    expect(screen.line()).to_contain_text("7 tokens")
    screen.engine.evaluate("window.same = true")
    screen.page.clock.run_for(11_000)
    assert screen.engine.evaluate("window.same")  # it has answered
    screen.page.evaluate(back)
    screen.intent("visible")
    screen.page.clock.run_for(11_000)  # silence: its document is loaded anew
    screen.engine.wait_for_function("!window.same && globalThis.mock?.intents.length >= 2")
    assert screen.intent("open")["painted"] == {"a1": 1}
    screen.patch(2, *SECOND)
    expect(screen.content()).to_contain_text("the sea rises")
