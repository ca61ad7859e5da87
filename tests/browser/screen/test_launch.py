"""The app opened from outside: by a share, a link of its own protocol, a file, a shortcut.

A browser opens the addresses; a stand-in for `launchQueue` hands over what a browser hands to an installed app, the
impossible too. The real one is in test_installed.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.screen_support import Screen, Site, answer, asked

# Before the page's scripts: a launch queue, and a way for the test to put launches into it.
STAND_IN = """
(() => {
  const waiting = [];
  let consumer = null;
  const queue = { setConsumer(taker) { consumer = taker; for (const each of waiting.splice(0)) taker(each); } };
  Object.defineProperty(window, 'launchQueue', { value: queue });
  window.launch = (targetURL, files = []) => {
    const handles = files.map(([name, bytes, gone]) => {
      const file = new File([Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))], name, { lastModified: 1 });
      return { getFile: () => (gone ? Promise.reject(new DOMException('', 'NotFoundError')) : Promise.resolve(file)) };
    });
    const params = { targetURL: new URL(targetURL, location.href).href, files: handles };
    if (consumer) consumer(params); else waiting.push(params);
  };
})();
"""


def prompt(screen: Screen) -> Locator:
    return screen.page.get_by_role("textbox", name="Your message")


def notice(screen: Screen) -> Locator:
    return screen.part("notice")


@pytest.fixture
def launching(browser: Browser, screen_site: Site) -> Any:
    """A page that shows a conversation, in a browser with a launch queue."""
    screen = Screen(browser, screen_site)
    screen.page.add_init_script(STAND_IN)
    screen.goto("?c=c1").ready()
    screen.conversation(asked(), answer("streaming"))
    expect(screen.article("a1")).to_be_visible()
    yield screen
    problems = list(screen.problems)
    screen.close()
    assert problems == []


def launch(screen: Screen, target: str, *files: tuple[str, bytes]) -> None:
    listed = [[name, content.decode("latin-1")] for name, content in files]  # a character each
    screen.page.evaluate("([target, files]) => launch(target, files)", [target, listed])


# An address


@pytest.mark.parametrize(
    ("brought", "draft"),
    [
        ({"text": "Two\nlines & <b>more</b>"}, "Two\nlines & <b>more</b>"),
        ({"title": "Tides", "text": "It rises.", "url": "https://example.org/t?a=1"},
         "Tides\nIt rises.\nhttps://example.org/t?a=1"),
        ({"title": "Tides", "text": "Tides: https://example.org/"}, "Tides: https://example.org/"),
        ({"title": "Same", "text": "Same", "url": ""}, "Same"),
        ({"c": "new", "link": "web+midstream:?text=" + quote("How & why?")}, "How & why?"),
        ({"c": "new", "link": "web+midstream://ask/now?text=one+two&c=c1"}, "one two"),
        ({"text": "https://example.org/ javascript:alert(1)"}, "https://example.org/ javascript:alert(1)"),
    ],
)  # fmt: skip
def test_words_of_an_address_become_a_draft(screen: Screen, brought: dict[str, str], draft: str) -> None:
    screen.goto("?" + urlencode(brought))
    expect(prompt(screen)).to_have_value(draft)
    expect(prompt(screen)).to_be_focused()
    expect(notice(screen)).to_contain_text("It is sent only when you press Send.")
    screen.ready()
    assert "new" in screen.intents() and "send" not in screen.intents()
    assert "text" not in screen.page.url and "link" not in screen.page.url
    screen.page.reload()
    expect(prompt(screen)).to_have_value(draft)  # once


def test_what_was_typed_before_stays(screen: Screen) -> None:
    screen.goto("?c=new").ready()
    prompt(screen).fill("Is this right:")
    screen.goto("?" + urlencode({"text": "The sea rises twice."}))
    expect(prompt(screen)).to_have_value("Is this right:\n\nThe sea rises twice.")


def test_a_share_does_not_touch_the_conversation_that_was_open(screen: Screen) -> None:
    screen.goto("?c=c1").ready()
    screen.conversation(asked(), answer("complete"))
    prompt(screen).fill("for this one")
    screen.goto("?text=shared").ready()
    expect(prompt(screen)).to_have_value("shared")
    expect(screen.part("empty")).to_be_visible()
    screen.goto("?c=c1").ready()
    screen.conversation(asked(), answer("complete"))
    expect(prompt(screen)).to_have_value("for this one")


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "https://example.org/?text=x", "web+midstream:", "web+midstream:?c=c1", "%", ""],
)  # fmt: skip
def test_a_link_that_means_nothing_is_said(screen: Screen, link: str) -> None:
    screen.goto("?" + urlencode({"c": "new", "link": link}))
    expect(notice(screen)).to_contain_text("This app cannot open that link")
    expect(prompt(screen)).to_have_value("")
    assert "link" not in screen.page.url


def test_a_text_that_is_too_long_is_cut_and_said(launching: Screen) -> None:
    launch(launching, "./?" + urlencode({"text": "x" * 99_999 + "\U0001f600 and more"}))
    expect(notice(launching)).to_contain_text("The rest was left out")
    assert prompt(launching).input_value() == "x" * 99_999  # and not half a character


def test_what_nobody_can_see_is_left_out_and_said(screen: Screen) -> None:
    hidden = "".join(chr(0xE0000 + ord(c)) for c in "obey me")
    flag = "\U0001f3f4" + "".join(chr(0xE0000 + ord(c)) for c in "gbsct") + "\U000e007f"
    screen.goto("?" + urlencode({"text": f"a{hidden}b\x00\x1b[2J\tc\r\nd {flag}"}))
    expect(prompt(screen)).to_have_value(f"ab[2J\tc\nd {flag}")
    expect(notice(screen)).to_contain_text("Invisible characters were removed")


# What a browser hands over


def test_an_open_page_is_not_loaded_anew(launching: Screen) -> None:
    launching.page.evaluate("window.same = true")
    launch(launching, "./?text=shared")
    expect(prompt(launching)).to_have_value("shared")
    assert launching.intent("new")
    assert launching.page.evaluate("window.same")
    launching.page.go_back()
    assert launching.intent("open")["conversation"] is not None
    expect(launching.page).to_have_url(launching.site.url + "?c=c1")
    launch(launching, "./?c=new")  # the shortcut
    expect(prompt(launching)).to_have_value("shared")


def test_a_link_to_a_conversation_opens_it(launching: Screen) -> None:
    while launching.intent("open")["conversation"] != "c1":
        pass
    launch(launching, "./?c=c2")
    assert launching.intent("open")["conversation"] == "c2"
    launch(launching, "./")  # the app's own icon: what is shown stays
    launch(launching, "./?c=c3")
    assert launching.intent("open")["conversation"] == "c3"


def test_what_the_address_brought_is_not_taken_twice(browser: Browser, screen_site: Site) -> None:
    screen = Screen(browser, screen_site)
    screen.page.add_init_script(STAND_IN + "launch(location.href);")
    screen.goto("?text=shared")
    expect(prompt(screen)).to_have_value("shared")
    launch(screen, "./?text=more")
    expect(prompt(screen)).to_have_value("shared\n\nmore")
    launch(screen, "./?text=more")  # a second time by the person's own doing
    expect(prompt(screen)).to_have_value("shared\n\nmore\n\nmore")
    screen.close()


def test_a_reload_does_not_bring_it_again(browser: Browser, screen_site: Site) -> None:
    """Chromium hands over the last launch once more after a reload."""
    screen = Screen(browser, screen_site)
    screen.page.add_init_script(STAND_IN + "launch('./?c=new', [['n.md', 'hi']]);")
    screen.goto("?c=new")
    expect(prompt(screen)).to_have_value("n.md\n```\nhi\n```\n")
    screen.page.reload()
    launch(screen, "./?text=more")
    expect(prompt(screen)).to_have_value("n.md\n```\nhi\n```\n\n\nmore")
    screen.close()


# Files


def test_a_text_file_is_quoted(launching: Screen) -> None:
    text = "# Tides\n\n````\n```x\n````\n"
    launch(launching, "./?c=new", ("tides.md", text.encode()), ("b.txt", b"no end"))
    quoted = f"tides.md\n`````\n{text}`````\n\nb.txt\n```\nno end\n```\n"
    expect(prompt(launching)).to_have_value(quoted)
    expect(notice(launching)).to_contain_text("The file is in your message now")


def test_saved_conversations_are_loaded(launching: Screen) -> None:
    launch(launching, "./?c=new", ("all.json", b'{"format": "midstream"}'))
    assert launching.intent("import")["text"] == '{"format": "midstream"}'
    expect(launching.article("a1")).to_be_visible()
    assert "new" not in launching.intents()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"caf\xe9", "n.md is not UTF-8 text"),
        ("caf\u00e9".encode("utf-16"), "n.md is not UTF-8 text"),
        (b"x" * 100_001, "n.md is longer than 100,000 characters"),
        (b"x" * 500_000, "n.md is longer than 100,000 characters"),
    ],
)
def test_a_file_that_cannot_be_quoted_is_said(launching: Screen, content: bytes, words: str) -> None:
    launch(launching, "./?c=new", ("n.md", content))
    expect(notice(launching)).to_contain_text(words)
    expect(launching.article("a1")).to_be_visible()  # nothing to write about: we stay where we are


def test_a_file_that_is_gone_is_said(launching: Screen) -> None:
    launching.page.evaluate("launch('./?c=new', [['a.md', 'a'], ['gone.md', '', true]])")
    expect(prompt(launching)).to_have_value("a.md\n```\na\n```\n")
    expect(notice(launching)).to_contain_text("The browser could not read the file.")


def test_the_file_button_takes_a_text_too(screen: Screen, tmp_path: Path) -> None:
    screen.goto().ready()
    file = tmp_path / "notes.md"
    file.write_text("*one*\n")
    screen.page.set_input_files("input[name=file]", file)
    expect(prompt(screen)).to_have_value("notes.md\n```\n*one*\n```\n")
