r"""Formulas as models write them: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`.

A display extension; its rules exist so that it never swallows a price. A single dollar opens only
before a character that is not white space and not after a letter or digit; it closes only after one
that is not white space, and not before a letter or digit; a formula that begins with a digit holds
no word (`$5 or 6$` is prose).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from midstream.markdown import limits
from midstream.markdown.inline.context import Context
from midstream.markdown.nodes import El

_SINGLE = re.compile(rf"\$((?:[^$\\\n]|\\[^\n]){{1,{limits.MATH}}}+)(\$?)")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_PAIRED = {"$$": "$$", "\\(": "\\)", "\\[": "\\]"}

Formula = tuple[int, bool, str]


def formula(cx: Context, i: int) -> int:
    """A formula that `$`, `\\(` or `\\[` begins."""
    text = cx.text
    found = _scan(text, i, cx.size, cx.find)
    if found is not None:
        end, display, tex = found
        if end > 0 and (cx.final or end < cx.size or text[i : i + 2] in _PAIRED):
            kind = "block" if display else "inline"
            return cx.leaf(i, end, El("code", {"data-math": kind}, [tex]))
        if not cx.final:
            return cx.wait(i, _patience(text, i))
    return cx.leaf(i, i + 2, text[i + 1]) if text[i] == "\\" else i + 1


def _scan(text: str, i: int, size: int, find: Callable[[str, int], int]) -> Formula | None:
    """(end, whether it is displayed, TeX) of the formula at i; end -1 if it may still close."""
    opener = text[i : i + 2]
    if opener in _PAIRED:
        at = find(_PAIRED[opener], i + 2)
        if at < 0:
            return -1, False, ""
        tex = text[i + 2 : at].strip()
        return (at + 2, opener != "\\(", tex) if tex and "$" not in tex else None
    before, after = text[i - 1 : i] if i else "", text[i + 1 : i + 2]
    if before.isalnum() or before in ("$", "\\"):
        return None
    if not after:
        return -1, False, ""
    return None if after.isspace() or opener[0] == "\\" else _dollars(text, i, size)


def _dollars(text: str, i: int, size: int) -> Formula | None:
    found = _SINGLE.match(text, i)
    if found is None:
        return (-1, False, "") if i + 2 >= size else None
    tex, end = found[1], found.end()
    if not found[2]:
        return (-1, False, "") if end >= size - 1 else None
    following = text[end : end + 1]
    if tex[-1].isspace() or following.isalnum() or following == "$":
        return None
    if tex[0].isdigit() and _WORD.search(tex):
        return None
    return end, False, tex


def _patience(text: str, i: int) -> int:
    """How many characters an unfinished formula at i may be held back: prices hold up nothing."""
    if text[i] == "$" and text[i + 1 : i + 2].isdigit():
        return 0
    return 80 if text[i] == "$" and text[i + 1 : i + 2] != "$" else limits.HOLD
