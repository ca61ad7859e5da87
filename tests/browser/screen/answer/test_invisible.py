"""Characters that nobody sees: marked, in any chunking, and those that belong to a script or a flag left alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screen_support import Screen, answer, asked

MARK = "\ufffd"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
TAGS = "".join(chr(0xE0000 + ord(letter)) for letter in "evil")


CASES = [
    ("tags", f"a{TAGS}b", f"a{MARK * 8}b"),
    ("flag", f"x{ENGLAND}y", f"x{ENGLAND}y"),
    ("flag and tags", ENGLAND + TAGS, ENGLAND + MARK * 8),
    ("override", "abc\u202edcba\u202c", f"abc{MARK}dcba{MARK}"),
    ("embedding", "\u202bx", f"{MARK}x"),
    ("isolate in a sentence", "\u2068name\u2069", "\u2068name\u2069"),
    ("one variation", "\u2764\ufe0f", "\u2764\ufe0f"),
    ("hidden bytes", "\u2764\ufe0f\ufe01\ufe02\ufe03", f"\u2764\ufe0f{MARK * 3}"),
    ("ideograph", "\u845b\U000e0100", "\u845b\U000e0100"),
    ("bytes after a letter", "a\U000e0101\U000e0102", f"a{MARK * 4}"),
    (
        "family",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    ),
    (
        "persian",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    ),
]


@pytest.fixture
def page(screen: Screen) -> Page:
    screen.goto().ready()
    return screen.page


def shown(page: Page, pieces: list[str]) -> str:
    text: str = page.evaluate(
        """async (pieces) => {
          const { visible } = await import('./shared/invisible.js');
          return pieces.reduce((before, more) => before + visible(more, before, false), '');
        }""",
        pieces,
    )
    return text


def test_marked_or_left_alone_in_any_chunking(page: Page) -> None:
    for name, text, wanted in CASES:
        assert shown(page, [text]) == wanted, name
        assert shown(page, list(text)) == wanted, f"{name}, one by one"
        assert shown(page, [text[:2], text[2:]]) == wanted, f"{name}, in two"


def test_in_code_no_character_turns_a_line_round(screen: Screen, page: Page) -> None:
    screen.conversation(asked(), answer())
    screen.patch(
        1, [0, 0, "pre", 1], [0, 1, "code", 2], [1, 2, "if \u2066x"], [1, 2, "\u2069\u202e:"]
    )
    expect(screen.content().locator("code")).to_have_text(f"if {MARK}x{MARK}{MARK}:")
    # Positions are the engine's.
    screen.patch(2, [3, 2, 3], [1, 2, "y"])
    expect(screen.content().locator("code")).to_have_text(f"if {MARK}xy")
