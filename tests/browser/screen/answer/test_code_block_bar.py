"""Code blocks: the bar that the screen adds, and what may not happen because of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.screen_support import Ops, Screen, answer, asked

MARK = "\ufffd"
WIDE = "x = [" + "1, " * 200 + "]"


@pytest.fixture
def live(screen: Screen) -> Screen:
    screen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    screen.goto().ready()
    screen.conversation(asked(), answer())
    ops = Ops()
    first = ops.of(("pre", ("code", {"data-language": "python"}, f"{WIDE}\nprint(")), ("p", "Then:"))
    screen.patch(1, *first, *ops.of(("pre", ("code", "ls\n"))))
    expect(screen.content().locator("pre")).to_have_count(2)
    return screen


def button(live: Screen, name: str) -> Locator:
    return live.content().get_by_role("button", name=name)


def clipboard(live: Screen) -> str:
    text: str = live.page.evaluate("navigator.clipboard.readText()")
    return text


def test_copy_gives_the_source_while_it_is_written(live: Screen) -> None:
    copy = button(live, "Copy Code block 1, python")
    copy.click()
    expect(copy).to_have_attribute("data-caption", "Copied")
    assert clipboard(live) == f"{WIDE}\nprint("
    expect(live.part("polite")).to_have_text("Copied")
    live.patch(2, [1, 2, "x)\n"])
    expect(live.content().locator("code").first).to_have_text(f"{WIDE}\nprint(x)\n")
    expect(copy).to_have_attribute("data-caption", "Copy")
    copy.click()
    expect(copy).to_have_attribute("data-caption", "Copied")
    assert clipboard(live) == f"{WIDE}\nprint(x)"


def test_a_command_is_copied_without_its_line_feed(live: Screen) -> None:
    copy = button(live, "Copy Code block 2")
    copy.click()
    expect(copy).to_have_attribute("data-caption", "Copied")
    assert clipboard(live) == "ls"


REFUSING = "{writeText: () => Promise.reject(new Error()), write: () => Promise.reject(new Error())}"
WITHOUT = """() => {
  window.copied = [];
  addEventListener('copy', ({target}) => copied.push(target.value));
  Object.defineProperty(navigator, 'clipboard', {value: CLIPBOARD});
}"""


@pytest.mark.parametrize("clipboard", ["undefined", REFUSING], ids=["plain http", "refused"])
def test_without_a_clipboard_it_is_copied_as_a_selection(live: Screen, clipboard: str) -> None:
    """Every copy button; a page on plain http has no clipboard of the new kind."""
    live.page.evaluate(WITHOUT.replace("CLIPBOARD", clipboard))
    copy = button(live, "Copy Code block 2")
    copy.click()
    expect(copy).to_have_attribute("data-caption", "Copied")
    expect(copy).to_be_focused()
    live.status("complete", tokens=5)
    live.article().get_by_role("button", name="Copy", exact=True).click()
    live.intent("copy")
    live.post({"type": "clipboard", "text": "All **of\u202e** it"})
    expect(live.part("notice")).to_contain_text("Copied")
    assert live.page.evaluate("copied") == ["ls", f"All **of{MARK}** it"]
    assert live.page.locator("[data-part=copied]").count() == 0


def test_a_text_that_no_way_copies_is_there_to_be_copied_by_hand(live: Screen) -> None:
    live.page.evaluate(
        "document.execCommand = () => false; Object.defineProperty(navigator, 'clipboard', {value: undefined})"
    )
    button(live, "Copy Code block 2").click()
    dialog = live.page.get_by_role("dialog", name="Copy by hand")
    field = dialog.get_by_role("textbox", name="Text to copy")
    expect(field).to_have_value("ls")
    expect(field).to_be_focused()
    assert field.evaluate("e => e.selectionEnd - e.selectionStart") == 2
    live.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert live.page.evaluate("window.copied") is None


def test_the_bar_is_no_part_of_the_text(live: Screen) -> None:
    assert live.content().evaluate("e => e.textContent") == f"{WIDE}\nprint(Then:ls\n"
    live.page.evaluate("e => getSelection().selectAllChildren(e)", live.content().element_handle())
    selected = live.page.evaluate("getSelection().toString()")
    assert "Copy" not in selected and "Wrap" not in selected and "python" not in selected


def test_wrap_is_for_all_blocks_and_leaves_the_button_where_it_is(live: Screen) -> None:
    paragraphs = [[[0, 0, "p", n], [1, n, "More."]] for n in range(10, 60)]
    live.patch(2, *[op for ops in paragraphs for op in ops])
    code = live.content().locator("code").first
    scrolls = "e => e.scrollWidth > e.clientWidth"
    assert code.evaluate(scrolls)
    second = button(live, "Wrap lines in all code blocks, Code block 2")
    second.scroll_into_view_if_needed()
    before = second.bounding_box()
    second.click()
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(button(live, "Wrap lines in all code blocks, Code block 1")).to_have_attribute("aria-pressed", "true")
    assert not code.evaluate(scrolls)
    after = second.bounding_box()
    assert before and after and abs(before["y"] - after["y"]) <= 1
    live.patch(3, [0, 0, "pre", 6], [0, 6, "code", 7], [1, 7, WIDE])
    expect(live.content().locator("pre[data-wrap]")).to_have_count(3)
    second.click()
    expect(live.content().locator("pre[data-wrap]")).to_have_count(0)


def test_the_code_scrolls_with_the_keyboard(live: Screen) -> None:
    code = live.content().locator("code").first
    code.focus()
    live.page.keyboard.press("End")
    live.page.keyboard.press("ArrowRight")
    live.page.wait_for_function("e => e.scrollLeft > 0", arg=code.element_handle())
    expect(code).to_be_focused()
    expect(live.content().get_by_role("group", name="Code block 1, python")).to_be_visible()


def test_what_the_model_adds_comes_before_the_buttons(live: Screen) -> None:
    # No parser writes this; whatever does, the order of its own nodes is the one that its ops count on.
    live.patch(2, [1, 1, "tail"], [0, 1, "em", 6], [1, 6, "x"], [3, 1, 0], reset=False)
    expect(live.article()).to_have_attribute("data-seq", "1")  # the last op does not fit: a reset
    names = live.content().locator("pre").first.evaluate("e => [...e.childNodes].map(node => node.nodeName)")
    assert names == ["CODE", "#text", "EM", "BUTTON", "BUTTON"]
    live.patch(3, *Ops().of(("pre", "a", ("code", "b"), "c")), [6, 1, 1], reset=True)
    expect(live.content()).to_have_text("a")
    expect(live.content().locator("button")).to_have_count(2)
