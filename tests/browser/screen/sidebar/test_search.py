"""The search above the list: by keyboard, before Python is there, and into the text itself."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from midstream.engine.search.folding import spans
from midstream.engine.search.search import terms_of
from tests.browser.screen_support import STORE_JS, Ops, Screen
from tests.browser.start.paint_support import many

TEXT = """The móon *pulls* the Moon. The moon. W Łodzi, ŁÓDŹ i „Łódź”; lód. `lodz`

Die Straße und STRASSE, Strase. **Đorđe**, dorde, Dore. हिन्दी, हनद. $x_{Łódź}$
"""
FOUND = "[...(CSS.highlights.get('found') ?? [])].map(range => range.toString())"


def item(id: str, title: str, message: str = "", *snippet: tuple[str, bool], asked: str = "moon") -> dict[str, Any]:
    """With the spellings that the engine finds in `TEXT`."""
    spellings = sorted({TEXT[start:end] for start, end in spans(TEXT, terms_of(asked))})
    shown = {"id": id, "title": [[title, False]], "message": message, "snippet": list(snippet)}
    return shown | {"spellings": spellings}


@pytest.fixture
def field(screen: Screen) -> Locator:
    screen.goto("icons/icon.svg")
    long = Ops().of(
        *[("p", f"Paragraph {n}.") for n in range(80)],
        ("p", "The móon ", ("em", "pulls"), " the Moon."),
        ("p", "W Łodzi, ŁÓDŹ i „Łódź”; lód. ", ("code", "lodz")),
        (
            "p",
            "Die Straße und STRASSE, Strase. ",
            ("strong", "Đorđe"),
            ", dorde, Dore. हिन्दी, हनद. ",
        ),
        ("p", ("code", {"data-math": "inline"}, "x_{Łódź}")),
    )
    screen.page.evaluate(STORE_JS, many([[long]], conversation="c1"))
    screen.goto("?c=new").ready()
    screen.post({"type": "conversations", "items": [{"id": "c1", "title": "Tides", "updated": 1}]})
    return screen.page.get_by_role("searchbox", name="Search all conversations")


def results(screen: Screen) -> Locator:
    return screen.page.get_by_role("group", name="Search results").get_by_role("link")


def answer(screen: Screen, *items: dict[str, Any], done: bool = True, more: bool = False) -> None:
    n = screen.intent("search")["n"]
    screen.post({"type": "found", "n": n, "items": list(items), "done": done, "more": more})


@pytest.mark.parametrize(
    ("asked", "marked"),
    [
        ("lodz", ["Łodz", "ŁÓDŹ", "Łódź", "lodz", "Łódź"]),
        ("strasse", ["Straße", "STRASSE"]),
        ("dorde", ["Đorđe", "dorde"]),
        ("हिन्दी", ["हिन्दी"]),
        ("LODZ हिन्दी", ["Łodz", "ŁÓDŹ", "Łódź", "lodz", "हिन्दी", "Łódź"]),
    ],
)
def test_what_the_engine_finds_is_marked(screen: Screen, field: Locator, asked: str, marked: list[str]) -> None:
    field.fill(asked)
    answer(screen, item("c1", "Tides", "a1", asked=asked))
    results(screen).click()
    last = screen.content("a1").get_by_text(marked[-1]).last
    expect(last).to_be_in_viewport()
    assert screen.page.evaluate(FOUND) == marked


HIT = item("c1", "Tides", "a1", ("… The ", False), ("móon", True), (" pulls", False))


def test_found_and_opened_at_its_place(screen: Screen, field: Locator) -> None:
    field.fill("moon")
    expect(screen.part("found").get_by_role("status")).to_have_text("Searching…")
    expect(screen.part("conversations")).to_be_hidden()
    answer(screen, HIT)
    expect(screen.part("found").get_by_role("status")).to_have_text("1 conversation")
    expect(results(screen)).to_have_text(["Tides… The móon pulls"])
    expect(results(screen).locator("mark")).to_have_text(["móon"])
    results(screen).click()
    expect(screen.content("a1").locator("p").last).to_be_in_viewport()
    assert screen.page.evaluate(FOUND) == ["móon", "Moon"]
    expect(results(screen)).to_have_attribute("aria-current", "true")
    expect(screen.page.locator("mark")).to_have_count(1)  # nothing was put into the answer
    field.press("Escape")
    expect(field).to_have_value("")
    assert screen.page.evaluate(FOUND) == []
    expect(screen.part("conversations")).to_be_visible()
    expect(screen.part("found")).to_be_hidden()


def test_what_is_drawn_late_is_marked_then(screen: Screen, field: Locator) -> None:
    """Out of a file: it is stored as a text, and drawn by the engine when it is first opened."""
    screen.goto("icons/icon.svg")
    screen.page.evaluate(STORE_JS, many([[[]]], conversation="c2"))
    screen.goto("?c=new").ready()
    field.fill("moon")
    answer(screen, item("c2", "Loaded", "a-1"))
    results(screen).click()
    screen.intent("open")
    expect(screen.page.locator("article")).to_have_count(2)
    screen.patch(1, *Ops().of(("p", "The moon.")), message="a-1", reset=True)
    expect(screen.content("a-1")).to_have_text("The moon.")
    assert screen.page.evaluate(FOUND) == ["moon"]


def test_by_keyboard(screen: Screen, field: Locator) -> None:
    field.fill("moon")
    answer(screen, HIT, item("c2", "Stars"))
    expect(results(screen)).to_have_count(2)
    field.press("ArrowDown")
    expect(results(screen).first).to_be_focused()
    screen.page.keyboard.press("ArrowDown")
    expect(results(screen).last).to_be_focused()
    screen.page.keyboard.press("ArrowUp")
    screen.page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    field.press("Enter")
    expect(screen.content("a1").locator("p").last).to_be_in_viewport()
    results(screen).first.focus()
    screen.page.keyboard.press("Escape")
    expect(field).to_be_focused()
    expect(field).to_have_value("")


def test_what_comes_first_is_replaced_and_keeps_the_focus(screen: Screen, field: Locator) -> None:
    field.fill("moon")
    n = screen.intent("search")["n"]
    screen.post({"type": "found", "n": n, "items": [HIT], "done": False, "more": False})
    expect(results(screen)).to_have_count(1)
    expect(screen.part("found").get_by_role("status")).to_have_text("Searching…")
    field.press("ArrowDown")
    every = [item("c2", "Stars"), HIT]
    screen.post({"type": "found", "n": n, "items": every, "done": True, "more": True})
    expect(screen.part("found").get_by_role("status")).to_contain_text("The first 2 conversations.")
    expect(results(screen).last).to_be_focused()


def test_an_answer_to_older_letters_is_dropped(screen: Screen, field: Locator) -> None:
    field.fill("mo")
    n = screen.intent("search")["n"]
    field.fill("moon")
    screen.post({"type": "found", "n": n, "items": [HIT], "done": True})
    answer(screen)
    expect(screen.part("found").get_by_role("status")).to_have_text("Nothing found.")
    expect(results(screen)).to_have_count(0)


def test_a_failure_and_odd_results(screen: Screen, field: Locator) -> None:
    field.fill("moon")
    n = screen.intent("search")["n"]
    odd = [None, {"id": 5}, {"id": "c1", "title": "no", "snippet": [["x"], 7, ["<b>y</b>", True]]}]
    screen.post({"type": "found", "n": n, "items": odd, "done": True})
    expect(results(screen)).to_have_text(["Untitledx<b>y</b>"])
    screen.post({"type": "found", "n": n, "failed": "no reason given"})
    expect(screen.part("found").get_by_role("status")).to_have_text("The search failed: no reason given")


def test_before_python_is_there_that_is_said(screen: Screen) -> None:
    screen.goto("?c=new")
    field = screen.page.get_by_role("searchbox")
    field.fill("moon")
    status = screen.part("found").get_by_role("status")
    expect(status).to_have_text("Search starts when Python is loaded.")
    screen.ready()
    expect(status).to_have_text("Searching…")
    answer(screen, item("c2", "Moon"))
    expect(results(screen)).to_have_text(["Moon"])
