"""Rules for emphasis and strikethrough; what is open is shown as if it closed where the text ends."""

from __future__ import annotations

from midstream.markdown.inline.autolinks import BareLinks
from midstream.markdown.inline.delimiters import Delimiter
from midstream.markdown.inline.spans import Span

_TAGS = {"*": "em", "_": "em", "**": "strong", "__": "strong", "~": "del", "~~": "del"}


class Emphasis(BareLinks):
    """Delimiter runs, and the elements made of them."""

    def _run(self, i: int) -> int:
        text, end = self.text, i + 1
        c = text[i]
        while end < self.size and text[end] == c:
            end += 1
        if end == self.size and not self.final:
            return self._hold(i)
        if c == "~" and end - i > 2:
            return end
        before, after = i - 1, end
        run = Delimiter(c, i, end)
        run.stands(self._around(before), self._around(after))
        if c != "~" and "~" in (self._around(before), self._around(after)):
            while before >= 0 and text[before] == "~":
                before -= 1
            while after < self.size and text[after] == "~":
                after += 1
            if after == self.size and not self.final:
                return self._hold(i)
            run.stands(self._around(before), self._around(after))
        if run.opens or run.closes:
            self._stack.push(run)
            self._floor = end
        return end

    def _around(self, i: int) -> str:
        return self.text[i] if 0 <= i < self.size else "\n"

    def _pair(self, bottom: Delimiter | None) -> None:
        """Turn what is above `bottom` on the stack into elements."""
        for start, end, marks in self._stack.pair(bottom):
            span = Span(start, end)
            span.a, span.b = start + len(marks), end - len(marks)
            span.tag = _TAGS[marks]
            self.spans.append(span)


def trusted(run: Delimiter) -> list[tuple[int, int, str, str]]:
    """(start, inner start, tag, mark) of the elements an open run most likely begins."""
    c, length = run.char, run.end - run.start
    if length > 3 or (length == 1 and run.word):
        return []
    if length == 3:
        middle = run.start + 1
        return [(run.start, middle, "em", c), (middle, run.end, "strong", c * 2)]
    return [(run.start, run.end, _TAGS[c * length], c * length)]
