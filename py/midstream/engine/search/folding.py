"""Search folding: texts without case, accents and compatibility forms, and the positions of search
terms in the original text."""

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
_STROKES = {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t", "\u0131": "i"}
FOLDS = 20_000  # characters whose fold is kept
MOST = 500  # positions of a term in a message: the screen marks no more
BEFORE, AFTER = 48, 112  # characters of a snippet on each side of the first position
_SIGNS = re.compile(r"[*_`#|~>\s]+")  # of Markdown: a snippet leaves them out

Part = tuple[str, bool]  # some text, and whether it is one of the terms


class Folds(dict[int, str]):
    """What each character is folded into, found when it first comes."""

    def __missing__(self, code: int) -> str:
        if len(self) > FOLDS:
            self.clear()
        folded = _MARKS.sub("", unicodedata.normalize("NFKD", chr(code))).casefold()
        self[code] = _STROKES.get(folded, folded)
        return self[code]


_FOLDS = Folds()


def fold(text: str) -> str:
    """The folds of two pieces, joined, are the fold of the joined pieces. So positions in a fold
    become positions in the text.

    Each character is folded by itself: to normalize the whole text would sort the marks of each letter, and
    the work for that grows with the square of their number.
    """
    return text.lower() if text.isascii() else text.translate(_FOLDS)


def spans(text: str, terms: list[str]) -> list[tuple[int, int]]:
    """The positions of the terms in `text`, in order: (start, end) of whole characters with their
    accents, so all of `ß` also for the term "s". At most `MOST` of each term."""
    folded = fold(text)
    ends = range(1, len(text) + 1) if text.isascii() else _ends(text)
    positions = []
    for term in terms:
        for match in islice(re.finditer(re.escape(term), folded), MOST):
            last = ends[bisect_left(ends, match.end())]
            positions.append((bisect_right(ends, match.start()), bisect_right(ends, last)))
    return sorted(positions)


def _ends(text: str) -> list[int]:
    """Where each character ends in the fold of `text`."""
    lengths = {character: len(fold(character)) for character in set(text)}
    return list(accumulate(map(lengths.__getitem__, text)))


def snippet(text: str, at: int, terms: list[str]) -> list[Part]:
    """The text around the position `at`, as one line, with the terms marked. It begins and ends
    with whole words where they are not very long."""
    start, end = max(0, at - BEFORE), min(len(text), at + AFTER)
    cut = text[start:end]
    if start and (space := cut.find(" ", 0, at - start)) >= 0:
        cut = cut[space + 1 :]
    if end < len(text) and (space := cut.rfind(" ")) > BEFORE:
        cut = cut[:space]
    line = _SIGNS.sub(" ", cut).strip()
    parts = marked(line, terms)
    before: list[Part] = [("… ", False)] if start else []
    after: list[Part] = [(" …", False)] if end < len(text) else []
    return [*before, *parts, *after]


def marked(text: str, terms: list[str]) -> list[Part]:
    """A short text in parts; the terms are marked."""
    is_term = [False] * len(text)
    for start, end in spans(text, terms):
        is_term[start:end] = [True] * (end - start)
    runs = groupby(zip(text, is_term, strict=True), key=itemgetter(1))
    return [("".join(character for character, _ in run), mark) for mark, run in runs]
