"""Forced colours: what a background says otherwise is said by a line or the system's colours. And twice the size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.screen_support import Ops, Screen, Site, answer, asked

BARE = """
() => [...document.querySelectorAll('button')]
  .filter((each) => each.checkVisibility() && getComputedStyle(each).borderTopWidth === '0px')
  .map((each) => each.name || each.dataset.do)
"""
# A system colour as it is computed, to compare with.
SYSTEM = """
(name) => {
  const probe = document.body.appendChild(document.createElement('i'));
  probe.style.cssText = `forced-color-adjust: none; color: ${name}`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
"""


@pytest.fixture
def forced(browser: Browser) -> Iterator[Screen]:
    site = Site()
    site.mock_engine()
    screen = Screen(browser, site, viewport={"width": 1000, "height": 800}, forced_colors="active")
    screen.goto("?c=c1").ready()
    items = [
        {"id": "c1", "title": "Tides", "updated": 2},
        {"id": "c2", "title": "Moon", "updated": 1, "state": "finished"},
    ]
    screen.post({"type": "conversations", "items": items, "deleted": []})
    screen.conversation(asked(), answer("streaming", tokens=9, seq=9, saved=9))
    code = ("pre", ("code", {"data-language": "python"}, "x = 1"))
    done = ("ul", ("li", ("input", {"checked": ""}), "done"))
    screen.patch(1, *Ops().of(("p", "One"), code, done))
    expect(screen.content().locator("pre")).to_be_visible()
    yield screen
    assert screen.problems == []
    screen.close()
    site.stop()


def style(screen: Screen, selector: str, pseudo: str = "") -> dict[str, Any]:
    script = """(e, pseudo) => {
      const all = getComputedStyle(e, pseudo || null);
      const {backgroundColor, borderTopWidth, borderTopColor, outlineStyle, outlineColor} = all;
      return {backgroundColor, borderTopWidth, borderTopColor, outlineStyle, outlineColor};
    }"""
    found: dict[str, Any] = screen.page.locator(selector).first.evaluate(script, pseudo)
    return found


def system(screen: Screen, name: str) -> str:
    found: str = screen.page.evaluate(SYSTEM, name)
    return found


def test_every_button_has_a_border(forced: Screen) -> None:
    assert forced.page.evaluate(BARE) == []


def test_the_live_mark_is_seen_and_so_is_one_that_waits(forced: Screen) -> None:
    line = "[data-message=a1] [data-part=status]"
    assert style(forced, line, "::before")["backgroundColor"] == system(forced, "Highlight")
    forced.status("reconnecting", attempt=1, tokens=9, seq=9, saved=9)
    expect(forced.article()).to_have_attribute("data-state", "reconnecting")
    mark = style(forced, line, "::before")
    assert mark["backgroundColor"] == "rgba(0, 0, 0, 0)"
    assert (mark["borderTopWidth"], mark["borderTopColor"]) == ("1px", system(forced, "CanvasText"))


def test_where_the_focus_is_can_be_seen(forced: Screen) -> None:
    forced.page.locator("textarea").focus()
    ring = style(forced, "form[data-part=composer]")
    assert (ring["outlineStyle"], ring["outlineColor"]) == ("solid", system(forced, "Highlight"))
    forced.page.locator("button[name=new]").focus()
    forced.page.keyboard.press("Tab")
    assert style(forced, ":focus")["outlineStyle"] == "solid"


def test_what_is_chosen_done_or_finished_can_be_seen(forced: Screen) -> None:
    assert style(forced, "nav a[aria-current]")["backgroundColor"] == system(forced, "Highlight")
    dot = style(forced, "nav a[data-dot=finished]", "::before")
    assert dot["backgroundColor"] != "rgba(0, 0, 0, 0)"
    done = style(forced, "[data-part=content] input:checked")
    check = style(forced, "[data-part=content] input:checked", "::before")
    assert done["backgroundColor"] == system(forced, "CanvasText") != check["borderTopColor"]


def test_at_twice_its_size_the_list_shows_its_conversations(screen: Screen) -> None:
    screen.page.set_viewport_size({"width": 640, "height": 400})
    screen.goto().ready()
    items = [{"id": f"c{n}", "title": f"Talk {n}", "updated": n} for n in range(8)]
    screen.post({"type": "conversations", "items": items, "deleted": []})
    screen.page.locator("button[name=list]").click()
    last = screen.page.locator("nav [data-conversation]").last
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport(ratio=1)
    inner = screen.part("conversations").evaluate("e => [e.scrollHeight, e.clientHeight]")
    assert inner[0] == inner[1]
    screen.page.locator("button[name=settings]").scroll_into_view_if_needed()
    expect(screen.page.locator("button[name=settings]")).to_be_in_viewport(ratio=1)
