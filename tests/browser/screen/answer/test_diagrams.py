"""Diagrams: drawn for who asks, beside a source that nothing happens to, and afterwards by themselves."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.screen.answer.diagram_support import (
    FLOW,
    SEQUENCE,
    asked_for,
    block,
    button,
    closed,
    opened,
    shown,
)
from tests.browser.screen_support import Ops, Screen, Site, answer, asked, mermaid

TOP = "e => e.getBoundingClientRect().top"
NOTES = "JSON.parse(localStorage.getItem('midstream.drawing') ?? '[]')"


@pytest.fixture
def live(screen: Screen) -> Screen:
    screen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    screen.goto("?c=c1").ready()
    screen.conversation(asked(), answer())
    return screen


def drawn(screen: Screen, *texts: str) -> Screen:
    """These diagrams; the first one has been asked for."""
    screen.patch(1, *[op for n, text in enumerate(texts) for op in closed(text, 1 + 2 * n)])
    button(screen).click()
    shown(block(screen))
    return screen


def test_a_button_as_soon_as_the_block_is_complete(live: Screen, screen_site: Site) -> None:
    live.patch(1, *opened("flowchart LR\n", 1))
    expect(live.content().get_by_role("button", name="Copy")).to_be_visible()
    expect(button(live)).to_have_count(0)
    live.patch(2, [1, 2, "  A --> B\n"], [7, 1], [0, 0, "pre", 3], [0, 3, "code", 4], [1, 4, "x"], [7, 3])
    expect(button(live)).to_have_attribute("aria-pressed", "false")
    expect(live.content().locator("button[data-do=diagram]")).to_have_count(1)
    assert asked_for(screen_site.requests) == []  # before somebody has asked
    button(live).click()
    shown(block(live))
    expect(live.content().get_by_role("img", name="Flowchart. Its source")).to_be_visible()


def test_pressed_again_it_is_the_source(live: Screen) -> None:
    live.patch(1, *closed(FLOW, 1))
    before = live.content().evaluate("e => (window.node = e.querySelector('code').firstChild, e.textContent)")
    height = block(live).evaluate("e => e.clientHeight")
    button(live).click()
    shown(block(live))
    assert live.content().evaluate("e => e.textContent") == before
    assert block(live).locator("code").evaluate("e => e.clientHeight") == 0
    expect(button(live)).to_be_focused()
    button(live).click()
    expect(live.part("diagram")).to_have_count(0)
    expect(button(live)).to_have_attribute("aria-pressed", "false")
    assert block(live).evaluate("e => e.clientHeight") == height
    expect(block(live).locator("code")).to_have_attribute("tabindex", "0")
    assert live.content().evaluate("e => e.querySelector('code').firstChild === window.node")


def test_copy_and_selection_have_the_source(live: Screen) -> None:
    live.patch(1, *Ops().of(("p", "Before ")), *closed(FLOW, 11), [0, 0, "p", 20], [1, 20, "after"])
    live.page.evaluate("e => getSelection().selectAllChildren(e)", live.content().element_handle())
    whole = live.page.evaluate("getSelection().toString()")
    assert FLOW.strip() in whole
    button(live).click()
    shown(block(live))
    # Playwright's click has put the selection elsewhere: once more over what is drawn, and back.
    live.page.evaluate("e => getSelection().selectAllChildren(e)", live.content().element_handle())
    assert FLOW.strip() in live.page.evaluate("getSelection().toString()")
    live.page.evaluate("document.querySelector('button[data-do=diagram]').click()")
    expect(live.part("diagram")).to_have_count(0)
    assert live.page.evaluate("getSelection().toString()") == whole
    button(live).click()
    shown(block(live))
    live.content().get_by_role("button", name="Copy").click()
    expect(live.part("polite")).to_have_text("Copied")
    assert live.page.evaluate("navigator.clipboard.readText()") == FLOW.rstrip("\n")


def test_the_choice_is_remembered(live: Screen, screen_site: Site) -> None:
    drawn(live, FLOW, SEQUENCE)
    shown(block(live, 1))  # near the screen, so it comes by itself
    live.goto("?c=c1").ready()
    live.conversation(asked(), answer())
    live.patch(1, *closed(SEQUENCE, 1))
    shown(block(live))
    expect(live.content().get_by_role("img", name="Sequence diagram: Asking.")).to_be_visible()
    button(live).click()
    expect(live.part("diagram")).to_have_count(0)
    screen_site.requests.clear()
    live.goto("?c=c1").ready()
    live.conversation(asked(), answer())
    live.patch(1, *closed(SEQUENCE, 1), [0, 0, "p", 9], [1, 9, "End"])
    expect(live.content()).to_contain_text("End")
    expect(button(live)).to_have_attribute("aria-pressed", "false")
    assert asked_for(screen_site.requests) == []


def test_in_an_older_text_as_they_come_near_the_screen(screen: Screen) -> None:
    screen.goto("?c=c1").ready()
    screen.page.evaluate("localStorage.setItem('midstream.preferences', '{\"diagrams\": \"drawn\"}')")
    screen.goto("?c=c1").ready()
    screen.conversation(asked(), answer(state="complete"))
    lines = [op for n in range(200) for op in ([0, 0, "p", 9 + n], [1, 9 + n, "A line of text."])]
    screen.patch(1, *closed(FLOW, 1), *lines, *closed(SEQUENCE, 301))
    scroller = screen.part("scroller")
    scroller.evaluate("e => (e.scrollTop = e.scrollHeight)")
    shown(block(screen, 1))
    assert block(screen).get_attribute("data-drawn") is None
    # What is read stays where it is while the one above it is drawn.
    line = screen.content().locator("p").nth(40)
    scroller.evaluate("e => (e.scrollTop = 1.2 * e.clientHeight)")
    before = line.evaluate(TOP)
    expect(block(screen)).to_have_attribute("data-drawn", "light")
    assert abs(line.evaluate(TOP) - before) < 1


def test_what_was_asked_with_stays_where_it_is(live: Screen) -> None:
    lines = [op for n in range(60) for op in ([0, 0, "p", 9 + n], [1, 9 + n, "A line of text."])]
    live.patch(1, *lines, *closed(FLOW, 101), *closed(SEQUENCE, 201), [0, 0, "p", 300], [1, 300, "End"])
    second = button(live, 2)
    second.scroll_into_view_if_needed()
    before = second.evaluate(TOP)
    second.click()
    shown(block(live, 1))
    shown(block(live))  # above it, and near enough to come by itself
    assert abs(second.evaluate(TOP) - before) < 2


def test_another_theme_draws_it_anew(live: Screen) -> None:
    drawn(live, FLOW)
    expect(block(live)).to_have_attribute("data-drawn", "light")
    live.page.emulate_media(color_scheme="dark")
    expect(block(live)).to_have_attribute("data-drawn", "dark")
    shown(block(live))
    pixel = """async (image) => {
      const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
      const pen = canvas.getContext('2d');
      pen.drawImage(image, 0, 0);
      const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
      return Math.max(...data.filter((_, i) => i % 4 < 3));
    }"""
    assert live.part("diagram").locator("img").evaluate(pixel) > 200  # light words
    live.page.emulate_media(media="print")
    expect(live.part("diagram").locator("img")).to_be_visible()
    assert "invert" in live.part("diagram").locator("img").evaluate("e => getComputedStyle(e).filter")
    expect(block(live).locator("code")).to_be_hidden()


def test_a_wide_one_scrolls_with_the_keyboard(live: Screen) -> None:
    wide = "flowchart LR\n" + "".join(f"  n{i}[Station {i}] --> n{i + 1}\n" for i in range(14))
    live.page.set_viewport_size({"width": 400, "height": 700})
    drawn(live, wide)
    box = live.part("diagram")
    assert box.evaluate("e => e.scrollWidth > e.clientWidth && document.body.scrollWidth <= innerWidth")
    box.focus()
    live.page.keyboard.press("ArrowRight")
    live.page.wait_for_function("e => e.scrollLeft > 0", arg=box.element_handle())
    button(live).click()
    expect(box).to_have_count(0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("flowchart LR\n  A --> \n  B ->> C\n", "There is a mistake in line 3"),
        ("a poem\nof two lines\n", "cannot be drawn, so its source stays. No diagram type"),
        ("flowchart LR\n" + "  A --> B\n" * 149, "too large"),
        ("flowchart LR\n  " + " & ".join("abcdefghijk") + " --> " + " & ".join("ABCDEFGHIJK"), "too large"),
        ("flowchart LR\n" + "A[" + "long " * 1000 + "]", "too large"),
        ("packet-beta\n  0-99999: \"x\"\n", "too large"),
    ],
    ids=["mistake", "no diagram", "lines", "edges", "characters", "drawing"],
)  # fmt: skip
def test_what_cannot_be_drawn_stays_and_says_why(live: Screen, text: str, words: str) -> None:
    live.patch(1, *closed(text, 1), *closed(FLOW, 3))
    button(live).click()
    expect(live.part("notice")).to_contain_text(words)
    expect(block(live)).not_to_have_attribute("data-drawn", "light")
    expect(button(live)).to_have_attribute("aria-pressed", "false")
    assert block(live).locator("code").evaluate("e => e.clientHeight") > 0
    block(live, 1).scroll_into_view_if_needed()  # by itself only what is near is drawn
    shown(block(live, 1))  # the next one can be
    assert live.page.evaluate(NOTES) == []


def test_by_itself_it_says_why_only_to_who_asks(live: Screen) -> None:
    drawn(live, FLOW)
    live.patch(2, *closed("flowchart LR\n  A --> \n  B ->> C\n", 11))
    expect(button(live, 2)).to_have_attribute(
        "title", "There is a mistake in line 3 of this diagram, so its source stays."
    )
    expect(live.part("notice")).to_be_hidden()
    button(live, 2).click()
    expect(live.part("notice")).to_contain_text("line 3")


def test_what_draws_cannot_be_had(screen: Screen, screen_site: Site) -> None:
    screen_site.files["late/mermaid/mermaid.js"] = None
    screen.goto("?c=c1").ready()
    screen.conversation(asked(), answer())
    screen.patch(1, *closed(FLOW, 1))
    button(screen).click()
    expect(screen.part("notice")).to_contain_text("need a download first")
    expect(screen.part("drawer")).to_have_count(0)
    screen.problems.clear()  # the missing file
    del screen_site.files["late/mermaid/mermaid.js"]
    button(screen).click()
    shown(block(screen))


def test_what_a_page_hung_on_is_not_drawn_by_itself(live: Screen) -> None:
    """A text that never ends would take the page with it, after each reload again."""
    live.page.evaluate(
        """() => {
          const { setItem } = Storage.prototype;
          window.noted = [];
          Storage.prototype.setItem = function (name, value) {
            if (name === 'midstream.drawing') noted.push(...JSON.parse(value));
            setItem.call(this, name, value);
          };
        }"""
    )
    drawn(live, SEQUENCE)
    feared = live.page.evaluate("noted[0]")
    # As it stands there when the page never came to its end.
    live.page.evaluate("localStorage.setItem('midstream.drawing', JSON.stringify([noted[0]]))")
    live.goto("?c=c1").ready()
    live.conversation(asked(), answer())
    live.patch(1, *closed(SEQUENCE, 1), *closed(FLOW, 3))
    shown(block(live, 1))
    assert block(live).get_attribute("data-drawn") is None
    assert live.page.evaluate(NOTES) == [feared]
    button(live).click()  # who asks for it gets it, and knows now
    shown(block(live))
    assert live.page.evaluate(NOTES) == []


def test_what_was_searched_for_is_shown_in_the_source(live: Screen) -> None:
    drawn(live, FLOW)
    live.page.evaluate(
        """async () => {
          const { SearchHighlight } = await import('./screen/answer/search_highlight.js');
          const content = document.querySelector('article[data-author=assistant] [data-part=content]');
          const scroll = { toElement() {} };
          const turn = { content, article: content.closest('article') };
          const highlight = new SearchHighlight({ turns: new Map([['a1', turn]]) }, scroll);
          highlight.reveal({ message: 'a1', spellings: ['pulls'] });
        }"""
    )
    expect(live.part("diagram")).to_have_count(0)
    assert block(live).locator("code").evaluate("e => e.clientHeight") > 0


def test_with_the_systems_own_colours(browser: Browser, screen_site: Site) -> None:
    screen = Screen(browser, screen_site, forced_colors="active")
    screen.goto("?c=c1").ready()
    screen.conversation(asked(), answer())
    drawn(screen, FLOW)
    assert screen.part("diagram").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(243, 244, 240)"
    assert screen.problems == []
    screen.close()


def test_no_module_of_mermaid_is_imported_in_a_circle() -> None:
    """The sandbox links them one after the other (web/late/loader.js)."""
    imports = re.compile(r"""\b(?:from|import)\s*["']\./([^"']+)["']""")
    modules = {path.name: set(imports.findall(path.read_text())) for path in mermaid().iterdir()}
    assert "mermaid.js" in set(TopologicalSorter(modules).static_order())
