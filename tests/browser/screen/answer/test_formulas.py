"""Formulas: drawn beside their source, by a library that comes when it is needed, from a closed vocabulary."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.screen_support import LATE, Ops, Screen, Site, answer, asked

DRAWN = "e => e.querySelector('[data-part=formula]')?.shadowRoot?.firstChild?.localName ?? ''"


def formula(tex: str, id: int, kind: str = "inline") -> list[list[Any]]:
    return [[0, 1, "code", id], [2, id, "data-math", kind], [1, id, tex]]


@pytest.fixture
def live(screen: Screen) -> Screen:
    screen.goto().ready()
    screen.conversation(asked(), answer())
    return screen


def test_drawn_beside_its_source(live: Screen, screen_site: Site) -> None:
    live.patch(1, [0, 0, "p", 1], [1, 1, "Let "])
    expect(live.content()).to_have_text("Let ")
    assert not [path for path in screen_site.requests if "temml" in path]
    live.patch(2, *formula("\\frac{a}{b}", 2), [1, 1, " be"])
    code = live.content().locator("code[data-drawn]")
    expect(code).to_have_attribute("aria-label", "\\frac{a}{b}")
    assert code.evaluate(DRAWN) == "math"
    assert live.content().evaluate("e => e.textContent") == "Let \\frac{a}{b} be"
    height = "e => e.querySelector('span').shadowRoot.firstChild.getBoundingClientRect().height"
    tall = code.evaluate(height)
    live.page.evaluate("getSelection().selectAllChildren(document.querySelector('[data-part=content] p'))")
    assert live.page.evaluate("getSelection().toString()") == "Let \\frac{a}{b} be"
    live.patch(3, [1, 1, ", and "], *formula("x^2", 3))
    expect(live.content().locator("code[data-drawn]")).to_have_count(2)
    assert tall > live.content().locator("code[data-drawn]").last.evaluate(height)
    live.patch(4, [1, 1, "."], [7, 1])
    live.page.wait_for_selector("article[data-seq='4']")
    # Whoever reads the page counts the words once (Playwright's own text has the shadow's too).
    assert live.content().inner_text() == "Let \\frac{a}{b} be, and x^2."


def between(first: str, last: str) -> list[list[Any]]:
    """Two formulas with many screens of text between them."""
    lines = [("p", "A line of text.")] * 200
    formulas = [("p", ("code", {"data-math": "inline"}, tex)) for tex in (first, last)]
    return Ops().of(formulas[0], *lines, formulas[1])


def test_in_an_older_text_as_they_come_near_the_screen(screen: Screen) -> None:
    screen.goto().ready()
    screen.conversation(asked(), answer(state="complete"))
    screen.patch(1, *between("\\frac{a}{b}", "\\frac{c}{d}"))
    codes = screen.content().locator("code[data-math]")
    scroller = screen.part("scroller")
    scroller.evaluate("e => (e.scrollTop = e.scrollHeight)")
    expect(codes.last).to_have_attribute("data-drawn", "")
    expect(codes.first).not_to_have_attribute("data-drawn", "")
    # What is read stays where it is while the one above it is drawn, and grows.
    line = screen.content().locator("p", has_text="A line").nth(40)
    top = "e => e.getBoundingClientRect().top"
    scroller.evaluate("e => (e.scrollTop = 0.8 * e.clientHeight)")
    before = line.evaluate(top)
    expect(codes.first).to_have_attribute("data-drawn", "")
    assert abs(line.evaluate(top) - before) < 1


def test_for_paper_all_of_them(screen: Screen) -> None:
    screen.goto().ready()
    screen.conversation(asked(), answer(state="complete"))
    screen.patch(1, *between("x^2", "y^2"))
    codes = screen.content().locator("code[data-math]")
    screen.part("scroller").evaluate("e => (e.scrollTop = e.scrollHeight)")
    expect(codes.last).to_have_attribute("data-drawn", "")
    screen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(codes.first).to_have_attribute("data-drawn", "")


def test_what_cannot_be_drawn_stays_as_its_source(live: Screen) -> None:
    odd = ["\\frac{a", "\\unknown{x}", "\\href{https://evil.example}{x}", "x" * 2001]
    odd += ["\\def\\a{\\a\\a}\\a", "\\includegraphics{https://evil.example/x.png}"]
    ops = [op for n, tex in enumerate(odd, 2) for op in formula(tex, n)]
    live.patch(1, [0, 0, "p", 1], *ops, *formula("y", 90))
    expect(live.content().locator("code[data-drawn]")).to_have_count(1)
    assert live.content().locator("code").all_text_contents() == [*odd, "y"]


def test_nothing_of_a_formula_leads_anywhere(live: Screen) -> None:
    tricks = [
        "\\color{red}{x}\\text{<img src=x onerror=alert(1)>}",
        "\\style{background:url(https://evil.example)}{x}",
        "\\class{a}{x}\\id{b}{y}\\data{c=d}{z}",
        "\\textcolor{url(https://evil.example)}{x}",
        "\\boxed{x}\\begin{pmatrix}a&b\\\\c&d\\end{pmatrix}\\sum_{i=1}^n\\sqrt[3]{x}",
    ]
    ops = [op for n, tex in enumerate(tricks, 2) for op in formula(tex, n, "block")]
    live.patch(1, [0, 0, "p", 1], *ops)
    expect(live.content().locator("code[data-drawn]").last).to_be_visible()
    found = live.content().evaluate(
        """root => [...root.querySelectorAll('[data-part=formula]')].flatMap(({ shadowRoot }) =>
          [...shadowRoot.querySelectorAll('*')].filter(e => e.namespaceURI !== 'http://www.w3.org/1998/Math/MathML'
            || [...e.attributes].some(
              ({ name, value }) => /^(on|id|class|href|src|data)/.test(name) || /url/.test(value)))
            .map(e => e.outerHTML))"""
    )
    assert found == []


def test_without_the_library_the_source_is_shown(screen: Screen, screen_site: Site) -> None:
    screen_site.files[LATE] = None
    screen.goto().ready()
    screen.conversation(asked(), answer())
    with screen.page.expect_console_message(lambda m: "stay as their source" in m.text):
        screen.patch(1, [0, 0, "p", 1], *formula("x^2", 2))
    expect(screen.content()).to_have_text("x^2")
    screen.problems.clear()  # the missing file
