"""Words as they are looked for: without case, accents and forms; and where they stand in what was
written."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from itertools import accumulate, groupby, islice
from operator import itemgetter

# What a letter is decomposed into beside itself: accents, Hebrew points, Arabic vowel signs.
_MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
# Letters with a stroke, and i without a dot: no form of Unicode decomposes them.
_STROKES = (("ł", "l"), ("ø", "o"), ("đ", "d"), ("ħ", "h"), ("ŧ", "t"), ("\u0131", "i"))
MOST = 500  # places of a word in a message: the screen marks no more
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


def spans(text: str, words: list[str]) -> list[tuple[int, int]]:
    """Where the words stand in `text`, in order: (start, end) of whole characters with their
    accents, so all of `ß` also where one s was looked for. At most `MOST` of each word."""
    folded = fold(text)
    ends = range(1, len(text) + 1) if text.isascii() else _ends(text)
    found = []
    for word in words:
        for match in islice(re.finditer(re.escape(word), folded), MOST):
            last = ends[bisect_left(ends, match.end())]
            found.append((bisect_right(ends, match.start()), bisect_right(ends, last)))
    return sorted(found)


def _ends(text: str) -> list[int]:
    """Where each character ends in the fold of `text`."""
    lengths = {character: len(fold(character)) for character in set(text)}
    return list(accumulate(map(lengths.__getitem__, text)))


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
    hit = [False] * len(text)
    for start, end in spans(text, words):
        hit[start:end] = [True] * (end - start)
    runs = groupby(zip(text, hit, strict=True), key=itemgetter(1))
    return [("".join(character for character, _ in run), is_hit) for is_hit, run in runs]
