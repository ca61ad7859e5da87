"""On paper: what was said and nothing else, all of it, in dark ink."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.screen_support import Ops, Screen, Site, answer, asked

WIDE = "wide" * 120
ANSWER = (
    ("h1", "Tides"),
    ("pre", ("code", {"data-language": "text"}, WIDE + " end")),
    ("p", "See ", ("a", {"href": "https://moon.example/a?b=c"}, "the moon"), "."),
    ("table", ("tbody", ("tr", *[("td", f"cell{n} {'x' * 30}") for n in range(8)]))),
)


@pytest.fixture
def paper(browser: Browser) -> Iterator[Screen]:
    """A dark screen on which everything is open that is not of the thread, printed."""
    site = Site()
    site.mock_engine()
    screen = Screen(browser, site, viewport={"width": 800, "height": 600}, color_scheme="dark")
    screen.goto("?c=c1").ready()
    items = [{"id": "c1", "title": "Tides", "updated": 1}]
    screen.post({"type": "conversations", "items": items, "deleted": [{"id": "x", "title": "Old"}]})
    screen.conversation(
        asked(),
        answer("complete", tokens=900, seconds=30),
        asked("And then?", "u2"),
        answer("stopped", "a2", tokens=214),
    )
    screen.patch(1, *Ops().of(*ANSWER, *[("p", f"Paragraph {n}.") for n in range(80)]))
    screen.patch(1, *Ops().of(("p", "half")), message="a2")
    expect(screen.content("a2")).to_have_text("half")
    screen.page.emulate_media(media="print")
    yield screen
    assert screen.problems == []
    screen.close()
    site.stop()


def shown(screen: Screen, selector: str) -> list[str]:
    found: list[str] = screen.page.eval_on_selector_all(
        selector, "all => all.filter(e => e.checkVisibility()).map(e => e.textContent)"
    )
    return found


def style(screen: Screen, selector: str, pseudo: str = "") -> dict[str, Any]:
    script = """(e, pseudo) => {
      const {color, content, overflowX, whiteSpace} = getComputedStyle(e, pseudo || null);
      return {color, content, overflowX, whiteSpace};
    }"""
    found: dict[str, Any] = screen.page.locator(selector).first.evaluate(script, pseudo)
    return found


def test_only_what_was_said(paper: Screen) -> None:
    assert (
        shown(
            paper,
            "nav, header, footer[data-part=bottom], [data-part=actions], dialog, textarea, [data-part=undo]",
        )
        == []
    )
    assert shown(paper, "button") == []
    assert len(shown(paper, "article")) == 4


def test_an_answer_that_is_not_whole_says_so_and_others_say_nothing(paper: Screen) -> None:
    assert shown(paper, "article[data-author=assistant] [data-part=status]") == ["Stopped by you at token 214"]


def test_nothing_is_cut_off(paper: Screen) -> None:
    code = paper.page.locator("pre > code")
    assert style(paper, "pre > code")["whiteSpace"] == "pre-wrap"
    for each in (code, paper.page.locator("table"), paper.page.locator("pre")):
        box = each.evaluate("e => [e.scrollWidth - e.clientWidth, e.getBoundingClientRect().right - innerWidth]")
        assert max(box) <= 1
    # The page is as long as the text, not as high as a window.
    height = paper.page.evaluate("document.documentElement.scrollHeight")
    assert height > 80 * 20


def test_dark_ink_and_where_links_lead(paper: Screen) -> None:
    assert style(paper, "article [data-part=content] p")["color"] == "rgb(29, 36, 38)"
    after = style(paper, "[data-part=content] a", "::after")["content"]
    assert "https://moon.example/a?b=c" in after


def test_as_a_file_it_has_pages(paper: Screen) -> None:
    pdf = paper.page.pdf()
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type/Page\n") >= 2
