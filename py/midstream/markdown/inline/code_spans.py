"""The rule for code spans. One that is not closed yet is shown as one, on trust."""

from __future__ import annotations

import re
from bisect import bisect_left

from midstream.markdown.inline.context import Context
from midstream.markdown.nodes import El

_TICKS = re.compile("`+")


def code_span(cx: Context, i: int) -> int:
    """Code between two runs of backticks of the same length."""
    run = _TICKS.match(cx.text, i)
    assert run
    length, inner = run.end() - i, run.end()
    close = _closing_ticks(cx, length, inner)
    if close < 0:
        cx.unsettle(i)
        return inner if cx.final else _trusted(cx, i, inner)
    return cx.leaf(i, close + length, El("code", None, [_content(cx.text[inner:close])]))


def _content(source: str) -> str:
    """Line ends are spaces; one space on both sides is not part of it, unless that is all there is."""
    source = source.replace("\n", " ")
    padded = source.startswith(" ") and source.endswith(" ") and not source.isspace()
    return source[1:-1] if padded else source


def _closing_ticks(cx: Context, length: int, i: int) -> int:
    if cx.ticks is None:
        cx.ticks = {}
        for run in _TICKS.finditer(cx.text):
            cx.ticks.setdefault(len(run[0]), []).append(run.start())
        cx.meter.spend(cx.size)
    starts = cx.ticks.get(length, ())
    at = bisect_left(starts, i)
    return starts[at] if at < len(starts) else -1


def _trusted(cx: Context, i: int, inner: int) -> int:
    """A code span that is still open is shown as one; backticks at the end are held back."""
    end = cx.size
    while end > inner and cx.text[end - 1] == "`":
        end -= 1
    if end <= inner:
        return cx.hold(i)
    content = cx.text[inner:end].replace("\n", " ")
    cx.leaf(i, end, El("code", None, [content.removeprefix(" ") or " "], mark=cx.text[i:inner]))
    cx.end = end
    return -1
