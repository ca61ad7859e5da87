"""Rules for emphasis and strikethrough; what is open is shown as if it closed where the text ends."""

from __future__ import annotations

from midstream.markdown.inline.context import Context
from midstream.markdown.inline.delimiters import Delimiter
from midstream.markdown.inline.spans import Span

_TAGS = {"*": "em", "_": "em", "**": "strong", "__": "strong", "~": "del", "~~": "del"}


def run(cx: Context, i: int) -> int:
    """A run of `*`, `_` or `~` that may open or close."""
    text, end = cx.text, i + 1
    c = text[i]
    while end < cx.size and text[end] == c:
        end += 1
    if end == cx.size and not cx.final:
        return cx.hold(i)
    if c == "~" and end - i > 2:
        return end
    before, after = i - 1, end
    found = Delimiter(c, i, end)
    found.stands(_around(cx, before), _around(cx, after))
    if c != "~" and "~" in (_around(cx, before), _around(cx, after)):
        while before >= 0 and text[before] == "~":
            before -= 1
        while after < cx.size and text[after] == "~":
            after += 1
        if after == cx.size and not cx.final:
            return cx.hold(i)
        found.stands(_around(cx, before), _around(cx, after))
    if found.opens or found.closes:
        cx.stack.push(found)
        cx.floor = end
    return end


def _around(cx: Context, i: int) -> str:
    return cx.text[i] if 0 <= i < cx.size else "\n"


def pair(cx: Context, bottom: Delimiter | None) -> None:
    """Turn what is above `bottom` on the stack into elements."""
    for start, end, marks in cx.stack.pair(bottom):
        size = len(marks)
        cx.spans.append(Span.around(start, start + size, end - size, end, _TAGS[marks]))


def trusted(run: Delimiter) -> list[tuple[int, int, str, str]]:
    """(start, inner start, tag, mark) of the elements an open run most likely begins."""
    c, length = run.char, run.end - run.start
    if length > 3 or (length == 1 and run.word):
        return []
    if length == 3:
        middle = run.start + 1
        return [(run.start, middle, "em", c), (middle, run.end, "strong", c * 2)]
    return [(run.start, run.end, _TAGS[c * length], c * length)]
