"""Words as they are looked for: without case, accents and forms; and where they stand in what was
written."""

from __future__ import annotations

import re
import unicodedata

# What a letter is decomposed into beside itself: accents, Hebrew points, Arabic vowel signs.
_MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
# Letters with a stroke, and i without a dot: no form of Unicode decomposes them.
_STROKES = (("ł", "l"), ("ø", "o"), ("đ", "d"), ("ħ", "h"), ("ŧ", "t"), ("\u0131", "i"))
_PIECE = 256
BEFORE, AFTER = 48, 112  # characters of a snippet beside the place
_SIGNS = re.compile(r"[*_`#|~>\s]+")  # of Markdown, which nobody reads in a snippet

Part = tuple[str, bool]  # some text, and whether it is one of the words


def fold(text: str) -> str:
    """The folds of two pieces, joined, are the fold of the pieces joined: positions can be found
    piece by piece."""
    if text.isascii():
        return text.lower()
    folded = _MARKS.sub("", unicodedata.normalize("NFKD", text)).casefold()
    for letter, plain in _STROKES:
        folded = folded.replace(letter, plain)
    return folded


def place(text: str, at: int) -> int:
    """The position in `text` of what stands at `at` in its fold."""
    if text.isascii():
        return at
    start = 0
    while start < len(text) and at >= (length := len(fold(text[start : start + _PIECE]))):
        at -= length
        start += _PIECE
    while start < len(text) and at >= (length := len(fold(text[start]))):
        at -= length
        start += 1
    return start


def snippet(text: str, at: int, words: list[str]) -> list[Part]:
    """What stands around the position `at`, as one line, with the words in it marked. It begins
    and ends with whole words where they are not very long."""
    start, end = max(0, at - BEFORE), min(len(text), at + AFTER)
    cut = text[start:end]
    if start and (space := cut.find(" ", 0, at - start)) >= 0:
        cut = cut[space + 1 :]
    if end < len(text) and (space := cut.rfind(" ")) > BEFORE:
        cut = cut[:space]
    line = _SIGNS.sub(" ", cut).strip()
    parts = marked(line, words)
    before: list[Part] = [("… ", False)] if start else []
    after: list[Part] = [(" …", False)] if end < len(text) else []
    return [*before, *parts, *after]


def marked(text: str, words: list[str]) -> list[Part]:
    """A short text in parts, those that are one of the words marked."""
    lengths = [len(fold(character)) for character in text]
    folded = fold(text)
    hit = [False] * len(folded)
    for word in words:
        at = folded.find(word)
        while at >= 0:
            hit[at : at + len(word)] = [True] * len(word)
            at = folded.find(word, at + len(word))
    parts: list[Part] = []
    at, last = 0, False
    for character, length in zip(text, lengths, strict=True):
        # A mark that has no fold of its own goes with the letter before it.
        last = any(hit[at : at + length]) if length else last
        at += length
        if parts and parts[-1][1] == last:
            parts[-1] = (parts[-1][0] + character, last)
        else:
            parts.append((character, last))
    return parts
