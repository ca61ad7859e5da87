"""Rules for single characters: backslash escapes, line breaks, entities."""

from __future__ import annotations

import string

from midstream.markdown.inline import formulas, links
from midstream.markdown.inline.context import Context
from midstream.markdown.nodes import El

_PUNCTUATION = frozenset(string.punctuation)


def backslash(cx: Context, i: int) -> int:
    """An escaped character, a hard line break, or a formula's `\\(`."""
    if i + 1 == cx.size:
        return i + 1 if cx.final else cx.hold(i)
    c = cx.text[i + 1]
    if c == "\n":
        return _line_break(cx, i, i + 2, hard=True)
    if cx.policy.math and c in "([":
        return formulas.formula(cx, i)
    return cx.leaf(i, i + 2, c) if c in _PUNCTUATION else i + 1


def line_end(cx: Context, i: int) -> int:
    """A line break, hard after two spaces."""
    start = i
    while start > cx.floor and cx.text[start - 1] == " ":
        start -= 1
    return _line_break(cx, start, i + 1, hard=i - start >= 2)


def _line_break(cx: Context, start: int, end: int, *, hard: bool) -> int:
    if hard:
        cx.leaf(start, end - 1, El("br"))
        start = end - 1
    return cx.leaf(start, end, "\n")


def entity(cx: Context, i: int) -> int:
    """`&name;` or `&#number;`."""
    found = links.ENTITY.match(cx.text, i)
    if found:
        meant = links.entity(found[0])
        return cx.leaf(i, found.end(), meant) if meant else i + 1
    if not cx.final and links.ENTITY_BEGUN.match(cx.text, i):
        return cx.hold(i)
    return i + 1
