"""Characters that nobody sees are marked where an answer stands; which ones: tests/node/invisible.test.js."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.screen_support import Screen, answer, asked

MARK = "\ufffd"


def test_in_code_no_character_turns_a_line_round(screen: Screen) -> None:
    screen.goto().ready()
    screen.conversation(asked(), answer())
    screen.patch(1, [0, 0, "pre", 1], [0, 1, "code", 2], [1, 2, "if \u2066x"], [1, 2, "\u2069\u202e:"])
    expect(screen.content().locator("code")).to_have_text(f"if {MARK}x{MARK}{MARK}:")
    # Positions are the engine's.
    screen.patch(2, [3, 2, 3], [1, 2, "y"])
    expect(screen.content().locator("code")).to_have_text(f"if {MARK}xy")
