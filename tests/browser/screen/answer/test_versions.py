"""Other versions of a turn on the screen: editing a question in its place, and leafing through what there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.screen.sidebar.test_search import item, results
from tests.browser.screen_support import STORE_JS, Ops, Screen, answer, asked, saved_rows
from tests.browser.start.paint_support import Painted, painted

LONG = [("p", f"Paragraph {n} of a long answer.") for n in range(60)]


def of(turn: dict[str, Any], n: int, count: int) -> dict[str, Any]:
    return turn | {"versions": [n, count]}


@pytest.fixture
def read(screen: Screen) -> Screen:
    """Two questions with whole answers."""
    screen.goto("?c=c1").ready()
    screen.conversation(asked(), answer("complete"), asked("And then?", "u2"), answer("complete", "a2"))
    screen.patch(1, *Ops().of(("p", "Twice a day.")))
    screen.patch(1, *Ops().of(("p", "It falls.")), message="a2")
    expect(screen.content("a2")).to_have_text("It falls.")
    return screen


def edit(screen: Screen, message: str = "u1") -> Locator:
    screen.article(message).get_by_role("button", name="Edit").click()
    return field(screen)


def field(screen: Screen) -> Locator:
    return screen.page.get_by_role("textbox", name="Your message, edited")


# Editing


def test_a_question_is_edited_in_its_place_and_sent(read: Screen) -> None:
    area = edit(read)
    expect(area).to_have_value("How do tides work?")
    expect(area).to_be_focused()
    expect(read.content("u1")).to_be_hidden()
    area.fill("How do tides\nreally work?")
    area.press("Enter")
    sent = read.intent("send")
    assert sent["edits"] == "u1" and sent["after"] == "a2" and sent["conversation"] == "c1"
    assert sent["text"] == "How do tides\nreally work?"
    # What stood there is another version from now on, and the new one is on its way.
    expect(read.page.locator("article")).to_have_count(1)
    expect(read.article(sent["message"])).to_have_attribute("data-state", "sending")
    for turn, after in (
        (of(asked(sent["text"], sent["message"]), 2, 2), ""),
        (answer("sending", "a3"), sent["message"]),
    ):
        read.post({"type": "turn", "conversation": "c1", "turn": turn, "after": after})
    expect(read.article(sent["message"]).get_by_text("2 of 2")).to_be_visible()
    expect(read.article("a3")).to_be_visible()
    expect(field(read)).to_have_count(0)


@pytest.mark.parametrize("how", ["Escape", "Cancel"])
def test_an_edit_is_given_up(read: Screen, how: str) -> None:
    area = edit(read)
    area.fill("Something else")
    if how == "Escape":
        area.press("Escape")
    else:
        read.page.get_by_role("button", name="Cancel").click()
    expect(field(read)).to_have_count(0)
    expect(read.content("u1")).to_have_text("How do tides work?")
    expect(read.article("u1").get_by_role("button", name="Edit")).to_be_focused()
    assert "send" not in read.intents() and "stop" not in read.intents()
    expect(edit(read)).to_have_value("How do tides work?")


def test_nothing_is_sent_of_an_empty_edit(read: Screen) -> None:
    area = edit(read)
    area.fill("  ")
    expect(read.article("u1").get_by_role("button", name="Send")).to_be_disabled()
    area.press("Enter")
    area.fill("a line")
    area.press("Shift+Enter")
    expect(area).to_have_value("a line\n")
    assert "send" not in read.intents()


def test_an_edit_survives_a_reload_and_another_version(read: Screen) -> None:
    edit(read, "u2").fill("Half a thou")
    both = asked(), answer("complete"), asked("And then?", "u2"), answer("complete", "a2")
    read.page.evaluate(STORE_JS, saved_rows(Ops().of(("p", "x")), state="complete"))
    read.page.reload()
    read.ready()
    read.conversation(*both)
    expect(field(read)).to_have_value("Half a thou")
    read.conversation(*both[:2])
    expect(field(read)).to_have_count(0)
    read.conversation(*both)
    expect(field(read)).to_have_value("Half a thou")
    read.page.get_by_role("button", name="Cancel").click()
    read.page.reload()
    read.ready()
    read.conversation(*both)
    expect(read.content("u2")).to_be_visible()


def test_an_edit_that_the_engine_has_not_got_is_shown_and_sent_again(read: Screen) -> None:
    rows = saved_rows(Ops().of(("p", "Twice a day.")), state="complete")
    read.page.evaluate(STORE_JS, rows)
    edit(read).fill("Something else")
    field(read).press("Enter")
    first = read.intent("send")
    read.page.reload()
    expect(read.page.locator("article")).to_have_count(1)
    expect(read.article(first["message"])).to_have_attribute("data-state", "sending")
    assert read.intent("send") == first


def test_edit_is_offered_when_the_answer_has_ended(read: Screen) -> None:
    button = read.article("u2").locator("button[name=edit]")
    place = read.article("a2").bounding_box()
    read.status("streaming", "a2")
    expect(button).to_be_hidden()
    expect(read.article("u1").locator("button[name=edit]")).to_be_visible()
    assert read.article("a2").bounding_box() == place
    read.status("complete", "a2")
    expect(button).to_be_visible()


def test_a_question_with_an_ended_answer_is_edited_while_another_one_is_written(read: Screen) -> None:
    read.status("streaming", "a2")
    read.article("u1").locator("button[name=edit]").click()
    field = read.page.get_by_role("textbox", name="Your message, edited")
    field.fill("  In a line?")
    field.press("Enter")
    sent = read.intent("send")
    assert sent["edits"] == "u1" and sent["text"] == "  In a line?"
    read.post({"type": "turn", "conversation": "c1", "turn": asked("  In a line?", sent["message"]), "after": ""})
    queued = answer("queued", message="a9", waits=True)
    read.post({"type": "turn", "conversation": "c1", "turn": queued, "after": sent["message"]})
    expect(read.line("a9")).to_have_text("Will be sent when the other answer is complete")
    expect(read.article("a9").locator("button:visible")).to_have_text(["Edit", "Remove"])


# Leafing


@pytest.fixture
def versions(screen: Screen) -> Screen:
    """The second of two answers, a long one, and something below it."""
    screen.goto("?c=c1").ready()
    screen.conversation(asked(), of(answer("complete"), 2, 2), asked("And then?", "u2"), answer("complete", "a2"))
    screen.patch(1, *Ops().of(*LONG))
    screen.patch(1, *Ops().of(*LONG), message="a2")
    expect(screen.content("a2")).to_contain_text("Paragraph 59")
    screen.article("a1").get_by_text("2 of 2").scroll_into_view_if_needed()
    return screen


def top(element: Locator) -> float:
    box = element.bounding_box()
    assert box is not None
    return box["y"]


def other(screen: Screen, ops: list[Any]) -> None:
    """What the engine says to that."""
    screen.post(
        {
            "type": "conversation",
            "id": "c1",
            "title": "Tides",
            "turns": [
                asked(),
                of(answer("complete", message="b1"), 1, 2),
                asked("And the moon?", "u3"),
                answer("complete", message="a3"),
            ],
            "at": "b1",
            "patches": [
                {"message": "b1", "n": 1, "seq": 1, "ops": ops, "reset": True},
                {"message": "a3", "n": 1, "seq": 1, "ops": Ops().of(*LONG), "reset": True},
            ],
        }
    )


def test_another_version_comes_in_the_place_of_the_first_and_nothing_jumps(
    versions: Screen,
) -> None:
    bar = versions.article("a1").locator("[data-part=versions]")
    before = top(bar)
    versions.article("a1").get_by_role("button", name="Previous version").click()
    assert versions.intent("version") == {"type": "version", "message": "a1", "step": -1}
    other(versions, Ops().of(*LONG, *LONG))
    expect(versions.content("b1")).to_contain_text("Paragraph 59")
    expect(versions.article("a1")).to_have_count(0)
    expect(versions.article("a2")).to_have_count(0)
    assert abs(top(versions.article("b1").locator("[data-part=versions]")) - before) < 1
    expect(versions.part("polite")).to_have_text("Version 1 of 2")
    # The first one has none before it: the focus goes to the button that leads on.
    expect(versions.page.locator(":focus")).to_have_accessible_name("Next version")
    expect(versions.page.get_by_role("button", name="Previous version")).to_be_disabled()


def test_versions_are_reached_by_keyboard(versions: Screen) -> None:
    previous = versions.article("a1").get_by_role("button", name="Previous version")
    previous.focus()
    versions.page.keyboard.press("Enter")
    assert versions.intent("version")["step"] == -1
    other(versions, Ops().of(("p", "Short.")))
    expect(versions.page.locator(":focus")).to_have_accessible_name("Next version")
    versions.page.keyboard.press("Enter")
    assert versions.intent("version") == {"type": "version", "message": "b1", "step": 1}


def test_another_answer_takes_the_place_of_the_first(read: Screen) -> None:
    read.article("a2").get_by_role("button", name="Regenerate").click()
    read.post(
        {
            "type": "turn",
            "conversation": "c1",
            "turn": of(answer("sending", "b2"), 2, 2),
            "after": "u2",
        }
    )
    expect(read.article("b2").get_by_text("2 of 2")).to_be_visible()
    expect(read.article("a2")).to_have_count(0)
    expect(read.article("b2")).to_be_focused()  # the button has gone with its turn
    expect(read.content("u2")).to_be_in_viewport()


def test_what_was_typed_meanwhile_stays_below_what_was_sent_before(read: Screen) -> None:
    prompt = read.page.get_by_role("textbox", name="Your message", exact=True)
    for words in ("First", "Second"):
        prompt.fill(words)
        prompt.press("Enter")
    first, second = read.intent("send"), read.intent("send")
    assert (first["after"], second["after"]) == ("a2", first["message"])
    for turn, after in (
        (asked("First", first["message"], "queued"), "a2"),
        (answer("queued", "a3"), first["message"]),
    ):
        read.post({"type": "turn", "conversation": "c1", "turn": turn, "after": after})
    expect(read.article("a3")).to_be_visible()
    shown = read.page.locator("article").evaluate_all("all => all.map(e => e.dataset.message)")
    assert shown == ["u1", "a1", "u2", "a2", first["message"], "a3", second["message"]]


def test_a_hit_in_a_version_that_is_not_shown_is_shown(read: Screen) -> None:
    read.page.get_by_role("searchbox").fill("moon")
    n = read.intent("search")["n"]
    hit = item("c1", "Tides", "b1", ("The ", False), ("moon", True))
    read.post({"type": "found", "n": n, "items": [hit], "more": False, "done": True})
    results(read).click()
    assert read.intent("version") == {"type": "version", "message": "b1"}
    other(read, Ops().of(*LONG, ("p", "The moon."), *LONG))
    expect(read.content("b1").get_by_text("The moon.")).to_be_in_viewport()


# The first frame


@pytest.fixture(scope="module")
def home(browser: Browser) -> Iterator[Painted]:
    with painted(browser) as page:
        yield page


def stored(leaf: str | None) -> list[list[Any]]:
    rows = saved_rows(Ops().of(("p", "Twice a day.")), state="complete")
    answer, journal = rows[2][1], rows[3][1]
    rows += [["messages", answer | {"id": "b1", "position": 2, "question": "u1"}]]
    rows += [["journal", journal | {"message": "b1", "ops": Ops().of(("p", "The moon."))}]]
    question = rows[1][1] | {"id": "e1", "position": 3, "text": "Why?", "parent": ""}
    rows += [["messages", question]]
    rows += [["messages", answer | {"id": "x1", "position": 4, "question": "e1"}]]
    rows[0][1] |= {"leaf": leaf} if leaf else {}
    return rows


def test_the_version_that_was_chosen_stands_in_the_first_frame(home: Painted) -> None:
    home.store(stored("a1")).see()
    shown = "all => all.map(e => e.dataset.message)"
    assert home.page.locator("article").evaluate_all(shown) == ["u1", "a1"]
    expect(home.article("u1").get_by_text("1 of 2")).to_be_visible()
    expect(home.article("a1").get_by_text("1 of 2")).to_be_visible()
    home.page.evaluate("watchNodes()")
    home.let_in()
    expect(home.content()).to_have_text("Twice a day.")
    assert home.page.evaluate("changed") == [] and home.shifts() == []
    home.intent("open")
    home.post(
        {
            "type": "conversation",
            "id": "c1",
            "title": "Tides",
            "turns": [of(asked(), 1, 2), of(answer("complete", seq=10, saved=10, tokens=10), 1, 2)],
        }
    )
    home.post({"type": "hello", "version": "test", "protocol": 1})
    expect(home.html).to_have_attribute("data-engine", "ready")
    assert home.shifts() == []
    home.article("u1").get_by_role("button", name="Next version").click()
    assert home.intent("version")["step"] == 1


def test_without_a_choice_the_newest_is_shown(home: Painted) -> None:
    home.page.goto(home.site.url + "icons/icon.svg")
    home.page.evaluate("new Promise(done => (indexedDB.deleteDatabase('midstream').onsuccess = done))")
    home.store(stored(None)).see()
    shown = "all => all.map(e => e.dataset.message)"
    assert home.page.locator("article").evaluate_all(shown) == ["e1", "x1"]
    home.let_in()
