"""Every screen under axe: no violation of WCAG 2.2 AA or of its best practices, light and dark, wide and narrow."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from midstream.markdown import Parser
from tests.browser.screen.answer.diagram_support import FLOW, block, button, closed, shown
from tests.browser.screen_support import Screen, Site, answer, asked

AXE = Path(__file__).parents[3] / "node_modules/axe-core/axe.min.js"
# The engine's frame is hidden and empty; axe would wait for an answer of itself there.
RUN = """
async () => {
  const found = await axe.run(document, { iframes: false });
  return found.violations.map(({ id, help, nodes }) =>
    `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}
"""
MARKDOWN = """
# Tides

Twice a day the *sea* **rises**, says [a page](https://example.org/tides), `now` and ~~never~~.

1. one
   - [x] done
   - [ ] to do

| time | height |
|:--|--:|
| 04:12 | 3.1 m |

> What is far looks small.

```python
def tide(moon):
    return moon * 2
```

![A map](https://example.org/map.png)

---

Then it falls.[^1]

[^1]: A note.
"""


def empty(screen: Screen) -> None:
    screen.post({"type": "conversation", "id": "", "title": "", "turns": []})
    expect(screen.part("empty")).to_be_visible()


def reading(screen: Screen) -> None:
    """A rich answer, one that waits, and one for each state that is said in colour."""
    items = [
        {"id": "c1", "title": "Tides", "state": "streaming", "updated": 3},
        {"id": "c2", "title": "Moon", "state": "queued", "updated": 2},
        {"id": "c3", "title": "Sea", "state": "interrupted", "updated": 1},
        {"id": "c4", "title": "Sand", "state": "finished", "updated": 0},
    ]
    screen.post({"type": "conversations", "items": items})
    screen.post({"type": "endpoint", "name": "Gateway", "model": "small", "note": ""})
    turns = [asked(), answer("complete", tokens=90, seconds=3, rate=30)]
    turns += [asked("And?", "u2"), answer("interrupted", "a2", tokens=5)]
    turns += [asked("So?", "u3", "queued"), answer("queued", "a3")]
    screen.conversation(*turns, asked("Now?", "u4"), answer("streaming", "a4", tokens=3))
    parser = Parser()
    screen.patch(1, *parser.feed(MARKDOWN), *parser.finish())
    for message in ("a2", "a4"):
        screen.patch(1, *Parser().feed("Some words."), message=message)
    expect(screen.content("a4")).to_contain_text("Some words")
    expect(screen.content().locator("table")).to_have_count(1)


def drawn(screen: Screen) -> None:
    """A diagram as a drawing, and one as its source."""
    screen.conversation(asked(), answer("complete"))
    screen.patch(1, *closed(FLOW, 1), *closed("flowchart LR\n  A -->\n  B ->> C\n", 3))
    button(screen).click()
    shown(block(screen))
    expect(button(screen, 2)).to_have_attribute("title", re.compile("mistake"))


def told(screen: Screen) -> None:
    """All that can stand above the composer."""
    reading(screen)
    screen.post({"type": "notice", "code": "full", "level": "error", "detail": ""})
    screen.post({"type": "connection", "state": "reconnecting"})
    expect(screen.part("notice")).to_be_visible()
    screen.status("complete", "a4", tokens=3)
    screen.aside(type="shell", state="update-ready")
    expect(screen.part("update")).to_be_visible()


def settings(screen: Screen) -> None:
    reading(screen)
    own = {
        "name": "Mine",
        "url": "https://mine.test/v1",
        "model": "",
        "own": True,
        "key": "…1",
        "keep": "device",
    }
    screen.post({"type": "endpoints", "items": [own], "chosen": "Mine"})
    screen.page.keyboard.press("Control+,")
    screen.page.locator("[data-part=endpoints] summary").click()
    expect(screen.page.locator("input[name=endpoint-url]")).to_be_visible()


def the_list(screen: Screen) -> None:
    reading(screen)
    button = screen.page.locator("button[name=list]")
    if button.is_visible():
        button.click()
    expect(screen.page.locator("nav [data-conversation=c2]")).to_be_visible()


def a_menu(screen: Screen) -> None:
    the_list(screen)
    screen.page.locator("nav li:has([data-conversation=c2])").hover()
    screen.page.get_by_role("button", name="Moon: more").click()
    expect(screen.page.get_by_role("menu")).to_be_visible()


def naming(screen: Screen) -> None:
    a_menu(screen)
    screen.page.get_by_role("menuitem", name="Rename").click()
    expect(screen.page.locator("input[name=title]")).to_be_focused()


def found(screen: Screen) -> None:
    """Beside it, a conversation that can still be taken back."""
    the_list(screen)
    screen.page.get_by_role("searchbox").fill("moon")
    n = screen.intent("search")["n"]
    snippet = [["The ", False], ["moon", True], [" pulls.", False]]
    item = {"id": "c2", "title": [["Moon", True]], "message": "a1", "snippet": snippet}
    screen.post({"type": "found", "n": n, "items": [item], "done": True, "more": False})
    expect(screen.page.get_by_role("link", name="Moon")).to_be_visible()
    screen.post({"type": "conversations", "items": [], "deleted": [{"id": "c9", "title": "Old"}]})
    expect(screen.part("undo")).to_be_visible()


def versions(screen: Screen) -> None:
    """A question and an answer of several, and a question that is being edited."""
    second = asked("And then?", "u2"), answer("complete", "a2", tokens=5) | {"versions": [3, 3]}
    screen.conversation(asked() | {"versions": [1, 2]}, answer("complete"), *second)
    screen.patch(1, *Parser().feed("Some words."), message="a2")
    screen.article("u2").get_by_role("button", name="Edit").click()
    expect(screen.page.get_by_role("textbox", name="Your message, edited")).to_be_focused()
    expect(screen.article("a2").get_by_text("3 of 3")).to_be_visible()


LISTS = [the_list, a_menu, naming, found]
STAGES: list[Callable[[Screen], None]] = [empty, reading, drawn, versions, told, settings, *LISTS]
SIZES = {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 390, "height": 780}}


@pytest.mark.parametrize(("scheme", "size"), [("light", "wide"), ("dark", "narrow")])
def test_axe_finds_nothing(browser: Browser, screen_site: Site, scheme: Any, size: str) -> None:
    screen = Screen(browser, screen_site, color_scheme=scheme, reduced_motion="reduce", viewport=SIZES[size])
    screen.goto().ready()
    for stage in STAGES:
        stage(screen)
        screen.page.evaluate(AXE.read_text())
        assert screen.page.evaluate(RUN) == [], stage.__name__
        screen.page.reload()
        screen.ready()
    screen.close()


def test_axe_would_find_something(screen: Screen) -> None:
    screen.goto().ready()
    screen.page.evaluate("document.querySelector('textarea').removeAttribute('aria-label')")
    screen.page.evaluate("document.querySelector('textarea').removeAttribute('placeholder')")
    screen.page.evaluate(AXE.read_text())
    assert [line.partition(":")[0] for line in screen.page.evaluate(RUN)] == ["label"]


NARROW = "e => e.scrollWidth <= e.clientWidth"
# Targets that a finger has to hit; a link in a sentence is as large as its words.
SMALL = """
() => [...document.querySelectorAll('button, select, summary, nav a, input:not([type=file])')]
  .filter((each) => each.checkVisibility({visibilityProperty: true}) && !each.closest('[data-part=content]'))
  .map((each) => ({html: each.outerHTML.slice(0, 100), box: each.getBoundingClientRect()}))
  .filter(({box: {width, height}}) => width && (height < 44 || width < 44))
  .map(({html, box: {width, height}}) => `${html} ${width}x${height}`)
"""


def test_fingers_find_every_target(browser: Browser, screen_site: Site) -> None:
    screen = Screen(browser, screen_site, viewport=SIZES["narrow"], has_touch=True, is_mobile=True)
    screen.goto().ready()
    for stage in (empty, told, versions, *LISTS):
        stage(screen)
        assert screen.page.evaluate(SMALL) == [], stage.__name__
        assert screen.html.evaluate(NARROW)
        screen.page.reload()
        screen.ready()
    screen.close()


def test_at_200_percent_nothing_is_cut_off(browser: Browser, screen_site: Site) -> None:
    """A page zoomed twofold is one of half the width."""
    screen = Screen(browser, screen_site, viewport={"width": 320, "height": 400})
    screen.goto().ready()
    for stage in (empty, told, settings):
        stage(screen)
        assert screen.html.evaluate(NARROW), stage.__name__
        expect(screen.page.locator("textarea")).to_be_in_viewport()
        screen.page.reload()
        screen.ready()
    screen.close()
