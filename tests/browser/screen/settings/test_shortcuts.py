"""The keyboard map, and text files that are pasted or dropped into the message."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.screen_support import Ops, Screen, answer, asked

# Whether the page takes a key away from the browser.
TAKEN = """
([selector, init]) => !document.querySelector(selector).dispatchEvent(
  new KeyboardEvent('keydown', {bubbles: true, cancelable: true, ...init}))
"""
FILES = """
([type, files]) => {
  const data = new DataTransfer();
  for (const [name, text] of files) data.items.add(new File([text], name));
  const target = document.querySelector(type === 'paste' ? 'textarea' : 'body');
  const init = {bubbles: true, cancelable: true, clipboardData: data, dataTransfer: data};
  return !target.dispatchEvent(type === 'paste' ? new ClipboardEvent(type, init) : new DragEvent(type, init));
}
"""


@pytest.fixture
def live(screen: Screen) -> Screen:
    """Two turns, the answer still being written, the focus on the page itself."""
    screen.goto().ready()
    screen.conversation(asked(), answer())
    screen.patch(1, *Ops().of(("p", "Twice a day")))
    expect(screen.content()).to_have_text("Twice a day")
    screen.part("scroller").focus()
    return screen


def test_escape_stops_the_answer_but_first_closes_what_is_open(live: Screen) -> None:
    keys = live.page.keyboard
    keys.press("?")
    dialog = live.part("settings")
    expect(dialog).to_be_visible()
    expect(live.part("shortcuts")).to_be_in_viewport()
    expect(dialog.locator("dd")).to_contain_text(["Send the message", "Stop the answer"][:1])
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    assert "stop" not in live.intents()
    keys.press("Escape")
    assert live.intent("stop")["message"] == "a1"


def test_keys_that_are_letters_are_letters_where_one_writes(live: Screen) -> None:
    prompt = live.page.locator("textarea")
    live.page.keyboard.press("/")
    expect(prompt).to_be_focused()
    live.page.keyboard.type("/?")
    expect(prompt).to_have_value("/?")
    expect(live.part("settings")).to_be_hidden()


def test_single_keys_can_be_switched_off(live: Screen) -> None:
    live.page.keyboard.press("?")
    live.page.select_option("select[name=keys]", "off")
    live.page.keyboard.press("Escape")
    live.part("scroller").focus()
    live.page.keyboard.press("/")
    live.page.keyboard.press("?")
    expect(live.page.locator("textarea")).not_to_be_focused()
    expect(live.part("settings")).to_be_hidden()
    live.page.keyboard.press("Control+,")
    expect(live.part("settings")).to_be_visible()


def test_a_new_chat_and_the_turns_by_keyboard(live: Screen) -> None:
    keys = live.page.keyboard
    keys.press("Control+ArrowDown")
    expect(live.article("u1")).to_be_focused()
    keys.press("Control+ArrowDown")
    expect(live.article()).to_be_focused()
    keys.press("Control+ArrowUp")
    expect(live.article("u1")).to_be_focused()
    keys.press("Control+ArrowDown")
    keys.press("Control+s")
    assert live.intent("save")["message"] == "a1"
    keys.press("Control+Shift+O")
    live.intent("new")
    expect(live.page.locator("textarea")).to_be_focused()


@pytest.mark.parametrize("selector", ["body", "textarea", "article[data-message=a1]"])
def test_what_is_the_browser_s_is_left_to_it(live: Screen, selector: str) -> None:
    keys = [
        ("r", "KeyR"),
        ("R", "KeyR"),
        ("f", "KeyF"),
        ("p", "KeyP"),
        ("t", "KeyT"),
        ("w", "KeyW"),
        ("F5", "F5"),
    ]
    for key, code in keys:
        for held in ({"ctrlKey": True}, {"metaKey": True}, {"ctrlKey": True, "shiftKey": True}):
            assert not live.page.evaluate(TAKEN, [selector, {"key": key, "code": code, **held}]), (
                key,
                held,
            )
    save = {"key": "s", "code": "KeyS", "ctrlKey": True}
    assert live.page.evaluate(TAKEN, [selector, save]) == selector.startswith("article")


@pytest.mark.parametrize("width", [1280, 390])
def test_search_by_keyboard_opens_the_list_where_it_is_closed(live: Screen, width: int) -> None:
    live.page.set_viewport_size({"width": width, "height": 800})
    live.page.keyboard.press("Control+k")
    expect(live.page.locator("input[name=search]")).to_be_focused()


def test_a_key_in_the_place_of_the_letter_counts_on_another_layout(live: Screen) -> None:
    cyrillic = {"key": "Щ", "code": "KeyO", "ctrlKey": True, "shiftKey": True}
    assert live.page.evaluate(TAKEN, ["body", cyrillic])
    live.intent("new")


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_text_file_becomes_part_of_the_message(live: Screen, way: str) -> None:
    prompt = live.page.locator("textarea")
    prompt.fill("What is wrong here?")
    assert live.page.evaluate(FILES, [way, [["tides.py", "print('sea')\n"], ["notes.txt", "Twice a day"]]])
    expect(prompt).to_have_value(
        "What is wrong here?\n\ntides.py\n```\nprint('sea')\n```\n\nnotes.txt\n```\nTwice a day\n```"
    )
    assert live.page.url.endswith("?c=c1")  # it stays in the conversation


def test_a_file_that_is_no_text_is_refused_in_words(live: Screen) -> None:
    assert live.page.evaluate(
        FILES.replace("new File([text], name)", "new File([new Uint8Array([255, 254, 0])], name)"),
        ["drop", [["sea.png", ""]]],
    )
    expect(live.part("notice")).to_contain_text("sea.png is not UTF-8 text")
    expect(live.page.locator("textarea")).to_have_value("")
