"""Reading while it is being written: the page follows only a reader who is at the end."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.screen_support import Ops, Screen, Site, answer, asked

OPS = Ops()
LONG = OPS.of(*[("p", f"Paragraph {n} of a long answer.") for n in range(60)])
MORE = OPS.of(*[("p", f"Another paragraph, {n}.") for n in range(20)])


@pytest.fixture
def live(screen: Screen) -> Screen:
    screen.goto().ready()
    screen.conversation(asked(), answer())
    screen.patch(1, *LONG)
    screen.status("streaming", seq=1, saved=1, tokens=400, rate=31)
    expect(screen.content().locator("p")).to_have_count(60)
    painted(screen)  # a reader can only leave an end that has been reached
    assert below(screen) <= 1
    return screen


def painted(screen: Screen) -> None:
    """The observer that follows runs before the next frame is painted."""
    screen.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def top(screen: Screen) -> float:
    value: float = screen.part("scroller").evaluate("e => e.scrollTop")
    return value


def below(screen: Screen) -> float:
    value: float = screen.part("scroller").evaluate("e => e.scrollHeight - e.scrollTop - e.clientHeight")
    return value


def grown(screen: Screen) -> None:
    screen.patch(2, *MORE)
    expect(screen.content().locator("p")).to_have_count(80)
    painted(screen)


def test_follows_at_the_end(live: Screen) -> None:
    assert below(live) <= 1
    grown(live)
    assert below(live) <= 1
    expect(live.part("pill")).to_be_hidden()


def scroll_up(live: Screen, how: str) -> None:
    if how == "wheel":
        live.part("scroller").hover()
        live.page.mouse.wheel(0, -300)
    elif how == "key":
        live.part("scroller").focus()
        live.page.keyboard.press("PageUp")
    else:
        live.part("scroller").evaluate("e => e.scrollTop -= 200")  # a scroll bar, find in page
    expect(live.part("pill")).to_be_visible()


@pytest.mark.parametrize("how", ["wheel", "key", "other"])
def test_does_not_move_a_reader_who_has_left(live: Screen, how: str) -> None:
    scroll_up(live, how)
    before = top(live)
    grown(live)
    assert top(live) == before or (how == "key" and top(live) < before)  # a key glides on
    assert below(live) > 200
    pill = live.page.get_by_role("button", name="Go to the end")
    expect(pill).to_have_text("Live, 31/s")
    pill.click()
    expect(pill).to_be_hidden()
    assert below(live) <= 1


def test_reaching_the_end_follows_again(live: Screen) -> None:
    scroll_up(live, "other")
    live.part("scroller").evaluate("e => e.scrollTop = e.scrollHeight")
    expect(live.part("pill")).to_be_hidden()
    grown(live)
    assert below(live) <= 1


def test_a_selection_stops_the_following(live: Screen) -> None:
    live.content().locator("p").last.evaluate("p => getSelection().setBaseAndExtent(p.firstChild, 0, p.firstChild, 9)")
    before = top(live)
    grown(live)
    assert top(live) == before
    assert live.page.evaluate("getSelection().toString()") == "Paragraph"


def test_the_end_of_an_answer_does_not_scroll(live: Screen) -> None:
    scroll_up(live, "other")
    before = top(live)
    live.status("complete", seq=1, saved=1, tokens=400, seconds=9, rate=31)
    expect(live.article()).to_have_attribute("data-state", "complete")
    assert top(live) == before
    expect(live.part("pill")).to_have_text("Latest")


def test_a_new_question_stands_near_the_top(live: Screen) -> None:
    live.status("complete", seq=1, saved=1, tokens=400, seconds=9, rate=31)
    prompt = live.page.get_by_role("textbox")
    prompt.fill("And why?")
    prompt.press("Enter")
    question = live.intent("send")["message"]
    live.post({"type": "turn", "conversation": "c1", "turn": asked("And why?", question)})
    live.post({"type": "turn", "conversation": "c1", "turn": answer("sending", message="a2")})
    expect(live.article("a2")).to_have_attribute("data-fresh", "")
    box, scroller = live.article(question).bounding_box(), live.part("scroller").bounding_box()
    assert box is not None and scroller is not None
    assert 0 <= box["y"] - scroller["y"] < 160
    live.patch(1, [0, 0, "p", 1], [1, 1, "Because."], message="a2")
    expect(live.content("a2")).to_have_text("Because.")
    assert live.article(question).bounding_box() == box  # the answer grows into the room below it


def test_no_pill_where_nothing_is_below(browser: Browser, screen_site: Site) -> None:
    """Not over the first page, and not over the room under a short answer."""
    screen = Screen(browser, screen_site, viewport={"width": 390, "height": 320})
    screen.goto().ready()
    screen.post({"type": "endpoint", "name": "Demo", "kind": "demo", "model": "", "note": ""})
    expect(screen.part("first")).to_be_visible()
    painted(screen)
    assert below(screen) > 10
    expect(screen.part("pill")).to_be_hidden()
    screen.page.set_viewport_size({"width": 390, "height": 700})
    screen.post({"type": "turn", "conversation": "c1", "turn": asked()})
    screen.post({"type": "turn", "conversation": "c1", "turn": answer()})
    screen.patch(1, *Ops().of(("p", "Short.")))
    screen.status("complete", tokens=1)
    expect(screen.article()).to_have_attribute("data-state", "complete")
    screen.part("column").evaluate("e => (e.style.paddingBlockEnd = '60rem')")  # room below, as on a high screen
    for top in (100, 0):  # the reader goes up, and the end is not followed any more
        screen.part("scroller").evaluate(f"e => (e.scrollTop = {top})")
        painted(screen)
    assert below(screen) > 10
    expect(screen.part("pill")).to_be_hidden()
    screen.page.set_viewport_size({"width": 390, "height": 240})
    painted(screen)
    expect(screen.part("pill")).to_be_visible()  # the answer's own end is below now
    screen.close()
