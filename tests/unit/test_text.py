"""Text from outside: half characters, and titles."""

from __future__ import annotations

import pytest

from midstream.text import TITLE_CHARACTERS, title_of, whole_characters


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("", ""),
        ("plain", "plain"),
        ("né 你好 🚀", "né 你好 🚀"),
        ("a\ud83d", "a\ufffd"),
        ("\ude80b", "\ufffdb"),
        ("\ude80\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ude80", "🚀"),
    ],
)
def test_half_characters_are_joined_or_replaced(text: str, whole: str) -> None:
    assert whole_characters(text) == whole
    whole_characters(text).encode()


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("", ""),
        (" \n\t ", ""),
        ("  two\n words ", "two words"),
        ("x" * TITLE_CHARACTERS, "x" * TITLE_CHARACTERS),
        ("x" * (TITLE_CHARACTERS + 1), "x" * (TITLE_CHARACTERS - 1) + "…"),
        ("x" * (TITLE_CHARACTERS - 2) + " yz", "x" * (TITLE_CHARACTERS - 2) + "…"),
    ],
)
def test_a_title_is_one_line_of_so_many_characters(text: str, title: str) -> None:
    assert title_of(text) == title
    assert len(title) <= TITLE_CHARACTERS


def test_a_title_may_have_another_length() -> None:
    assert title_of("one two three", 8) == "one two…"
