"""Writing: the composer, its drafts, and the way of a prompt to the engine."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.screen_support import Screen, Site, answer, asked


@pytest.fixture
def prompt(screen: Screen) -> Locator:
    screen.goto().ready()
    screen.conversation(asked(), answer("complete"))
    expect(screen.article()).to_be_visible()
    return screen.page.get_by_role("textbox", name="Your message")


def test_enter_sends_and_shift_enter_breaks_the_line(screen: Screen, prompt: Locator) -> None:
    expect(screen.page.get_by_role("button", name="Send")).to_be_disabled()
    prompt.press_sequentially("One")
    prompt.press("Shift+Enter")
    prompt.press_sequentially("two")
    expect(prompt).to_have_value("One\ntwo")
    prompt.press("Enter")
    expect(prompt).to_have_value("")
    expect(prompt).to_be_focused()
    sent = screen.intent("send")
    assert sent["text"] == "One\ntwo" and sent["conversation"] == "c1"
    assert len(sent["message"]) == 36
    turn = screen.article(sent["message"])
    expect(turn).to_have_attribute("data-author", "user")
    expect(turn).to_have_attribute("data-state", "sending")
    assert turn.locator("[data-part=content]").evaluate("e => getComputedStyle(e).whiteSpace") == "pre-wrap"
    screen.post({"type": "turn", "conversation": "c1", "turn": asked("One\ntwo", sent["message"])})
    screen.post({"type": "turn", "conversation": "c1", "turn": answer("sending", message="a2")})
    expect(turn).to_have_attribute("data-state", "complete")
    assert screen.page.locator("article").count() == 4


TOUCH: dict[str, Any] = {"has_touch": True, "is_mobile": True, "viewport": {"width": 390, "height": 844}}


@pytest.mark.parametrize(
    ("touch", "choice", "sends"),
    [(True, None, False), (True, "always", True), (False, "never", False), (True, "automatic", False)],
)
def test_who_has_no_shift_gets_a_new_line(
    browser: Browser, screen_site: Site, touch: bool, choice: str | None, sends: bool
) -> None:
    screen = Screen(browser, screen_site, **(TOUCH if touch else {}))
    screen.goto().ready()
    screen.conversation(asked(), answer("complete"))
    if choice:
        screen.page.keyboard.press("Control+,")
        screen.page.get_by_label("Enter sends the message").select_option(choice)
        keys = screen.part("shortcuts").locator("dl div")
        expect(keys.nth(0).locator("kbd")).to_have_text(["Enter"] if sends else ["Ctrl", "Enter"])
        expect(keys.nth(1).locator("kbd")).to_have_text(["Shift", "Enter"] if sends else ["Enter"])
        screen.page.keyboard.press("Escape")
        assert choice in screen.page.evaluate("localStorage.getItem('midstream.preferences')")
    for field in (screen.page.locator("textarea[name=prompt]"), edited(screen)):
        field.fill("One")
        field.focus()
        expect(field).to_have_attribute("enterkeyhint", "send" if sends else "enter")
        field.press("End")
        field.press("Enter")
        if not sends:
            field.press_sequentially("two")
            expect(field).to_have_value("One\ntwo")
            field.press("Control+Enter")
        assert screen.intent("send")["text"] == ("One" if sends else "One\ntwo")
    screen.close()


def edited(screen: Screen) -> Locator:
    """The field of the first question, opened."""
    screen.page.locator("article[data-author=user] button[name=edit]:visible").first.click()
    return screen.page.locator("textarea[name=edited]")


def test_enter_of_an_input_method_does_not_send(screen: Screen, prompt: Locator) -> None:
    prompt.fill("にほんご")
    for composing in ("{isComposing: true}", "{keyCode: 229}"):
        kept = prompt.evaluate(
            f"e => e.dispatchEvent(new KeyboardEvent('keydown', {{key: 'Enter', cancelable: true, ...{composing}}}))"
        )
        assert kept  # not prevented: it belongs to the input method
    expect(prompt).to_have_value("にほんご")
    assert "send" not in screen.intents()


def test_blank_prompts_are_not_sent(screen: Screen, prompt: Locator) -> None:
    prompt.fill("  \n ")
    prompt.press("Enter")
    expect(screen.page.get_by_role("button", name="Send")).to_be_disabled()
    assert "send" not in screen.intents()


def test_a_prompt_is_text_only(screen: Screen, prompt: Locator) -> None:
    prompt.fill("<img src=x onerror=alert(1)> **not bold**")
    prompt.press("Enter")
    sent = screen.intent("send")
    content = screen.content(sent["message"])
    expect(content).to_have_text("<img src=x onerror=alert(1)> **not bold**")
    assert content.evaluate("e => e.children.length") == 0


def test_drafts_are_kept_for_each_conversation(screen: Screen, prompt: Locator) -> None:
    items = [{"id": "c1", "title": "One", "state": "complete", "updated": 2}]
    items.append({"id": "c2", "title": "Two", "state": "complete", "updated": 1})
    screen.post({"type": "conversations", "items": items})
    prompt.fill("draft one")
    screen.page.get_by_role("link", name="Two").click()
    expect(prompt).to_have_value("")
    assert screen.intent("open")["conversation"] is None  # the first one, of the load
    assert screen.intent("open")["conversation"] == "c2"
    prompt.fill("draft two")
    screen.page.get_by_role("button", name="New chat").click()
    screen.intent("new")
    expect(prompt).to_have_value("")
    expect(prompt).to_be_focused()
    prompt.fill("draft new")
    screen.page.reload()
    expect(prompt).to_have_value("draft new")
    assert screen.intent("new") == {"type": "new"}  # still the new one
    screen.post({"type": "conversations", "items": items})
    screen.page.get_by_role("link", name="One").click()
    expect(prompt).to_have_value("draft one")
    screen.page.get_by_role("link", name="Two").click()
    expect(prompt).to_have_value("draft two")


def test_a_new_conversation_takes_its_id(screen: Screen) -> None:
    screen.goto().ready()
    screen.post({"type": "conversation", "id": None, "title": "", "turns": []})
    prompt = screen.page.get_by_role("textbox")
    prompt.fill("First words")
    prompt.press("Enter")
    sent = screen.intent("send")
    assert sent["conversation"] is None
    expect(screen.part("empty")).to_be_hidden()
    prompt.fill("meanwhile")
    screen.post({"type": "turn", "conversation": "c5", "turn": asked("First words", sent["message"])})
    screen.post({"type": "turn", "conversation": "c5", "turn": answer("sending")})
    expect(screen.article()).to_be_attached()
    expect(prompt).to_have_value("meanwhile")
    assert screen.page.url.endswith("?c=c5")
    screen.page.reload()
    expect(prompt).to_have_value("meanwhile")
    assert screen.intent("open")["conversation"] == "c5"


def test_a_prompt_of_another_conversation_is_confirmed_without_moving(screen: Screen, prompt: Locator) -> None:
    prompt.fill("Asked here")
    prompt.press("Enter")
    sent = screen.intent("send")
    items = [{"id": "c2", "title": "Two", "state": "complete", "updated": 1}]
    screen.post({"type": "conversations", "items": items})
    screen.page.get_by_role("link", name="Two").click()
    expect(screen.page.get_by_role("heading", level=1)).to_have_text("Two")
    screen.page.reload()
    assert screen.intent("open")["conversation"] == "c2"
    assert screen.intent("send") == sent  # the engine has it: it answers with that conversation
    screen.conversation(asked("Asked here", sent["message"]), id="c1")
    assert screen.intent("open")["conversation"] == "c2"  # but this one is shown
    assert screen.page.url.endswith("?c=c2")
    screen.page.reload()
    screen.intent("network")
    assert "send" not in screen.intents()


def test_stop_stands_where_send_stood(screen: Screen, prompt: Locator) -> None:
    send, stop = (screen.page.get_by_role("button", name=name) for name in ("Send", "Stop"))
    prompt.fill("next")
    place = send.bounding_box()
    screen.post({"type": "turn", "conversation": "c1", "turn": answer("streaming", message="a2")})
    expect(stop).to_be_visible()
    expect(send).to_be_hidden()
    assert stop.bounding_box() == place
    prompt.press("Enter")  # not while an answer is being written: the text stays where it is
    expect(prompt).to_have_value("next")
    stop.click()
    assert screen.intent("stop") == {"type": "stop", "message": "a2"}
    stop.focus()
    screen.status("stopped", message="a2")
    expect(send).to_be_visible()
    expect(prompt).to_be_focused()  # the focused button went away
    assert "send" not in screen.intents()


def test_the_composer_grows_up_to_a_limit(screen: Screen, prompt: Locator) -> None:
    heights = []
    for lines in (1, 4, 60):
        prompt.fill("\n".join(["line"] * lines))
        box = prompt.bounding_box()
        assert box is not None
        heights.append(box["height"])
    assert heights[0] < heights[1] < heights[2] < 300


def test_typing_does_not_lose_focus_to_messages(screen: Screen, prompt: Locator) -> None:
    send = screen.page.get_by_role("button", name="Send")
    prompt.fill("x")
    send.focus()
    screen.status("complete", tokens=3)
    screen.post({"type": "notice", "code": "failed", "level": "error", "detail": "x"})
    expect(screen.part("notice")).to_be_visible()
    expect(send).to_be_focused()


def test_suggestions_fill_the_composer(screen: Screen) -> None:
    screen.goto().ready()
    screen.post({"type": "conversation", "id": None, "title": "", "turns": []})
    screen.page.get_by_role("button", name="Explain how tides work").click()
    prompt = screen.page.get_by_role("textbox")
    expect(prompt).to_have_value("Explain how tides work, with a list and a table")
    expect(prompt).to_be_focused()


def test_prompts_wait_for_the_engine(screen: Screen) -> None:
    screen.site.files["engine/engine.js"] = b""
    screen.goto()
    prompt = screen.page.get_by_role("textbox")
    for words in ("first", "second"):
        prompt.fill(words)
        prompt.press("Enter")
    expect(screen.page.locator("article[data-state=sending]")).to_have_count(2)
    screen.site.mock_engine()
    screen.page.evaluate("document.querySelector('#engine').contentWindow.location.reload()")
    screen.engine.wait_for_function("globalThis.mock?.intents.length >= 4")
    assert screen.intents() == ["keys", "open", "network", "send", "send"]
    assert [screen.intent("send")["text"] for _ in range(2)] == ["first", "second"]


def test_a_second_engine_document_gets_a_new_port(screen: Screen, prompt: Locator) -> None:
    screen.patch(1, [0, 0, "p", 1], [1, 1, "text"])
    expect(screen.content()).to_have_text("text")
    screen.engine.evaluate("globalThis.before = true; location.reload()")
    # The document of before is still there for a while, with what it was told then.
    screen.engine.wait_for_function("!globalThis.before && globalThis.mock?.intents.length >= 2")
    assert screen.intent("open") == {"type": "open", "conversation": "c1", "painted": {"a1": 1}}
    screen.patch(2, [1, 1, " and more"])
    expect(screen.content()).to_have_text("text and more")


def test_the_page_says_when_it_may_go(screen: Screen, prompt: Locator) -> None:
    screen.page.evaluate("dispatchEvent(new Event('pagehide'))")
    screen.intent("flush")
    screen.page.evaluate("document.dispatchEvent(new Event('freeze'))")
    screen.intent("flush")
    screen.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    screen.intent("visible")
    screen.context.set_offline(True)
    screen.intent("network")
    expect(screen.html).to_have_attribute("data-connection", "online")  # the engine decides once it is there
    pointer = screen.page.evaluate("JSON.parse(localStorage['midstream.pointer'])")
    assert pointer == {"conversation": "c1", "message": "a1", "seq": 0}
