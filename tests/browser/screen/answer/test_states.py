"""What is said about an answer: the line under it, its buttons, what is spoken; and that nothing moves when it ends."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.screen.answer.answer_states import NUMBERS, ROWS, SERVER
from tests.browser.screen_support import Ops, Screen, Site, answer, asked

LIVE = {"sending", "waiting", "streaming", "catching-up", "reconnecting", "offline"}
SAID = "() => ['polite', 'assertive'].map(name => document.querySelector(`[data-part=${name}]`).textContent)"
HUSH = "['polite', 'assertive'].map(name => document.querySelector(`[data-part=${name}]`).textContent = '')"


@pytest.fixture
def live(screen: Screen) -> Screen:
    screen.goto().ready()
    screen.conversation(asked(), answer())
    screen.patch(1, *Ops().of(("p", "Some text.")))
    return screen


@pytest.fixture
def paused(screen: Screen) -> Screen:
    """Time stands still, until a test moves it."""
    screen.page.clock.install()
    screen.goto().ready()
    screen.page.clock.pause_at(screen.page.evaluate("Date.now()") / 1000 + 60)
    return screen


def test_every_state_is_said_in_words(paused: Screen) -> None:
    """The last row of each state, which has most to say; all of them: tests/node/status.test.js."""
    one_each = {row.state: row for row in ROWS}
    assert one_each.keys() >= LIVE and len(one_each) == 12
    page = paused.page
    stop = page.get_by_role("button", name="Stop")
    for number, row in enumerate(one_each.values()):
        id = f"r{number}"
        paused.conversation(asked(), answer(row.before, id, **NUMBERS))
        if row.text:
            paused.patch(1, *Ops().of(("p", "Some text.")), message=id)
            expect(paused.content(id)).to_have_text("Some text.")
        page.clock.run_for(6000)
        page.evaluate(HUSH)
        paused.status(row.state, id, **(NUMBERS | row.numbers))
        expect(paused.article(id)).to_have_attribute("data-state", row.state)
        expect(paused.line(id)).to_have_text(row.words)
        assert (paused.line(id).get_attribute("title") or "") == row.details
        expect(paused.article(id).locator("button:visible")).to_have_text(row.buttons)
        is_live = row.state in LIVE
        expect(paused.article(id)).to_have_attribute("aria-busy", str(is_live).lower())
        expect(stop).to_be_visible(visible=is_live)
        page.clock.run_for(6000)
        polite, urgent = page.evaluate(SAID)
        assert (f"!{urgent}" if urgent else polite) == row.spoken, row
        if row.text:
            expect(paused.content(id)).to_have_text("Some text.")  # nothing ever takes its place


def test_reconnecting_counts_down(paused: Screen) -> None:
    page = paused.page
    paused.conversation(asked(), answer(**NUMBERS))
    paused.patch(1, *Ops().of(("p", "Some text.")))
    paused.post({"type": "connection", "state": "reconnecting"})
    retry_at = page.evaluate("Date.now()") + 3900
    paused.status("reconnecting", **NUMBERS, attempt=3, retry_at=retry_at, keeper="server")
    expect(paused.html).to_have_attribute("data-connection", "reconnecting")
    expect(paused.part("connection")).to_have_text("Reconnecting")
    expect(paused.line()).to_have_text(f"Connection lost. Trying again in 4 s (try 3). {SERVER}")
    page.clock.run_for(1)
    expect(paused.part("polite")).to_have_text("Connection lost, 214 tokens saved")
    page.evaluate(HUSH)
    page.clock.run_for(2000)
    expect(paused.line()).to_contain_text("Trying again in 2 s")
    page.clock.run_for(5000)
    expect(paused.line()).to_contain_text("Trying again now")
    assert page.evaluate(SAID) == ["", ""]  # the countdown is never spoken
    paused.article().get_by_role("button", name="Try now").click()
    assert paused.intent("retry") == {"type": "retry", "message": "a1"}


def test_a_resumption_is_said_for_a_moment(paused: Screen) -> None:
    paused.conversation(asked(), answer("catching-up", **NUMBERS))
    paused.status("streaming", **NUMBERS, resumed=214)
    expect(paused.line()).to_have_text("Resumed at token 214")
    paused.page.clock.run_for(5000)
    expect(paused.line()).to_have_text("214 tokens, 31/s, 7 s, saved to 214")
    expect(paused.line()).to_have_attribute("title", "Resumed at token 214")
    paused.conversation(asked(), answer("streaming", "a2", **NUMBERS, resumed=214))
    expect(paused.line("a2")).to_have_text("214 tokens, 31/s, 7 s, saved to 214")  # long ago


def test_waiting_is_spoken_once_and_late(paused: Screen) -> None:
    page = paused.page
    paused.conversation(asked(), answer("sending"))
    paused.status("waiting")
    page.clock.run_for(4500)
    assert page.evaluate(SAID) == ["", ""]
    page.clock.run_for(1500)
    expect(paused.part("polite")).to_have_text("Waiting for the model")
    page.evaluate(HUSH)
    page.clock.run_for(20_000)
    paused.status("sending")
    paused.status("waiting", seconds=9)
    page.clock.run_for(20_000)
    assert page.evaluate(SAID) == ["", ""]


def test_at_most_one_line_in_five_seconds(paused: Screen) -> None:
    page, polite = paused.page, paused.part("polite")
    paused.conversation(asked(), answer("waiting"))
    for state in ("streaming", "reconnecting", "streaming", "complete"):
        paused.status(state, **NUMBERS)
        expect(paused.article()).to_have_attribute("data-state", state)
        if state == "streaming":
            page.clock.run_for(1)
    expect(polite).to_have_text("Answering")
    page.clock.run_for(4900)
    expect(polite).to_have_text("Answering")
    page.clock.run_for(200)
    expect(polite).to_have_text("Answer complete, 214 tokens")  # of several, the last
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "off")


def test_a_cut_that_nobody_saw_is_not_spoken(paused: Screen) -> None:
    page = paused.page
    paused.conversation(asked(), answer("streaming", **NUMBERS))
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    for state in ("reconnecting", "offline", "reconnecting", "catching-up", "streaming"):
        paused.status(state, **NUMBERS)
        expect(paused.article()).to_have_attribute("data-state", state)
        page.clock.run_for(6000)
        assert page.evaluate(SAID) == ["", ""]
    paused.status("interrupted", **NUMBERS)  # what stays is spoken all the same
    expect(paused.part("assertive")).to_have_text("Interrupted")


def test_stop_is_offered_in_every_live_state(live: Screen) -> None:
    stop = live.page.get_by_role("button", name="Stop")
    for state in sorted(LIVE):
        live.status(state, **NUMBERS)
        expect(live.article()).to_have_attribute("data-state", state)
        stop.click()
        assert live.intent("stop") == {"type": "stop", "message": "a1"}
        expect(live.line()).to_contain_text("Stop")  # said at once, however long it takes


def test_nothing_is_spoken_about_what_was_there(screen: Screen) -> None:
    screen.goto().ready()
    screen.conversation(asked(), answer("complete", **NUMBERS), answer("failed", message="a2"))
    expect(screen.article("a2")).to_have_attribute("data-state", "failed")
    expect(screen.part("polite")).to_be_empty()
    expect(screen.part("assertive")).to_be_empty()


@pytest.mark.parametrize("state", ["complete", "stopped", "length", "failed"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_moves_at_the_end(browser: Browser, screen_site: Site, state: str, width: int) -> None:
    screen = Screen(browser, screen_site, viewport={"width": width, "height": 700})
    screen.goto().ready()
    screen.conversation(asked(), answer())
    screen.patch(1, *Ops().of(*[("p", f"Paragraph {n} with some words in it.") for n in range(40)]))
    screen.status("streaming", **NUMBERS)
    expect(screen.line()).to_have_text("214 tokens, 31/s, 7 s, saved to 214")
    where = "document.querySelector('[data-part=content] p:last-child').getBoundingClientRect().top"
    before = screen.page.evaluate(where)
    screen.status(state, **NUMBERS)
    expect(screen.article()).to_have_attribute("data-state", state)
    assert screen.page.evaluate(where) == before
    screen.close()


@pytest.mark.parametrize("language", ["en", "ru", "pl"])
@pytest.mark.parametrize("width", [320, 360, 390])
def test_no_button_is_cut_on_a_phone(browser: Browser, screen_site: Site, language: str, width: int) -> None:
    screen = Screen(browser, screen_site, locale=language, viewport={"width": width, "height": 700}, has_touch=True)
    screen.goto().ready()
    screen.conversation(asked(), answer("interrupted", **NUMBERS))
    screen.patch(1, *Ops().of(("p", "Some text.")))
    expect(screen.article()).to_have_attribute("data-state", "interrupted")
    buttons = screen.article().locator("[data-part=actions] button:visible")
    expect(buttons).to_have_count(5)
    row = screen.article().locator("[data-part=actions]")
    assert row.evaluate("e => e.scrollWidth <= e.clientWidth && document.body.scrollWidth <= innerWidth")
    for box in (each.bounding_box() for each in buttons.all()):
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
    screen.close()


def test_the_word_reconnecting_stands_over_the_conversation_that_does(live: Screen) -> None:
    live.post({"type": "connection", "state": "reconnecting"})
    expect(live.html).to_have_attribute("data-connection", "reconnecting")
    expect(live.part("connection")).to_be_empty()  # another conversation does
    live.status("reconnecting", **NUMBERS, attempt=1)
    expect(live.part("connection")).to_have_text("Reconnecting")
    live.status("streaming", **NUMBERS)
    expect(live.part("connection")).to_be_empty()


def test_a_silent_model_is_said_by_the_clock_alone(paused: Screen) -> None:
    paused.conversation(asked(), answer("waiting"))
    paused.status("streaming", **NUMBERS)
    paused.patch(1, *Ops().of(("p", "Some text.")))
    expect(paused.line()).to_have_text("214 tokens, 31/s, 7 s, saved to 214")
    paused.page.clock.run_for(40_000)
    expect(paused.line()).to_have_text("The model has sent nothing for 40 s. 214 tokens saved here.")
    expect(paused.part("polite")).to_have_text("The model sends nothing at the moment")
    expect(paused.page.locator("button[name=end]")).to_contain_text("Latest")
    paused.status("streaming", **(NUMBERS | {"tokens": 215, "seq": 221, "saved": 221}))
    expect(paused.article()).to_have_attribute("data-seq", "221")
    paused.page.clock.run_for(1000)
    expect(paused.line()).to_have_text("215 tokens, 31/s, 7 s, saved to 215")
