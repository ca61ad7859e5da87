"""Rules for constructs that hold no other construct: escapes, line breaks, entities, code, tags.

A code span that is not closed yet is shown as one, on trust.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Any

from mistletoe import span_token

from midstream.markdown.inline import formulas, links, raw_html
from midstream.markdown.inline.context import Scanner
from midstream.markdown.nodes import El

_TICKS = re.compile("`+")
_TASK = re.compile(r"\[([ xX])\](?=[ \t\n]+[^ \t\n])")
_TASK_BEGUN = re.compile(r"\[(?:[ xX]\]?)?[ \t\n]*\Z")


class _Code:
    """The match object that mistletoe's InlineCode wants: group 1 the backticks, 2 the rest."""

    __slots__ = ("group",)

    def __init__(self, *groups: str) -> None:
        self.group = ("", *groups).__getitem__


def _code(ticks: str, content: str) -> str:
    """What a code span shows, according to mistletoe."""
    token: Any = span_token.InlineCode(_Code(ticks, content))  # type: ignore[no-untyped-call]
    shown: str = token.children[0].content
    return shown


class Constructs(Scanner):
    """Leaves of the inline tree."""

    _ticks: dict[int, list[int]] | None = None
    """Where backticks stand, by the length of their run; made when the first ones are met."""

    def _escape(self, i: int) -> int:
        text = self.text
        if i + 1 == self.size:
            return i + 1 if self.final else self._hold(i)
        c = text[i + 1]
        if c == "\n":
            return self._line_break(i, i + 2, hard=True)
        if self.policy.math and c in "([":
            return self._formula(i)
        if span_token.EscapeSequence.pattern.match(text, i):
            return self._leaf(i, i + 2, c)
        return i + 1

    def _newline(self, i: int) -> int:
        start = i
        while start > self._floor and self.text[start - 1] == " ":
            start -= 1
        return self._line_break(start, i + 1, hard=i - start >= 2)

    def _line_break(self, start: int, end: int, *, hard: bool) -> int:
        if hard:
            self._leaf(start, end - 1, El("br"))
            start = end - 1
        return self._leaf(start, end, "\n")

    def _entity(self, i: int) -> int:
        found = links.ENTITY.match(self.text, i)
        if found:
            meant = links.entity(found[0])
            return self._leaf(i, found.end(), meant) if meant else i + 1
        if not self.final and links.ENTITY_BEGUN.match(self.text, i):
            return self._hold(i)
        return i + 1

    def _code(self, i: int) -> int:
        run = _TICKS.match(self.text, i)
        assert run
        length, inner = run.end() - i, run.end()
        close = self._closing_ticks(length, inner)
        if close < 0:
            self._unsettle(i)
            return inner if self.final else self._trusted_code(i, inner)
        shown = _code(self.text[i:inner], self.text[inner:close])
        return self._leaf(i, close + length, El("code", None, [shown]))

    def _closing_ticks(self, length: int, i: int) -> int:
        if self._ticks is None:
            self._ticks = {}
            for run in _TICKS.finditer(self.text):
                self._ticks.setdefault(len(run[0]), []).append(run.start())
            self.meter.spend(self.size)
        starts = self._ticks.get(length, ())
        at = bisect_left(starts, i)
        return starts[at] if at < len(starts) else -1

    def _trusted_code(self, i: int, inner: int) -> int:
        """A code span that is still open is shown as one; backticks at the end are held back."""
        end = self.size
        while end > inner and self.text[end - 1] == "`":
            end -= 1
        if end <= inner:
            return self._hold(i)
        content = self.text[inner:end].replace("\n", " ")
        node = El("code", None, [content.removeprefix(" ") or " "], mark=self.text[i:inner])
        self._leaf(i, end, node)
        self.end = end
        return -1

    def _angle(self, i: int) -> int:
        """An autolink, raw HTML, or just a less-than sign."""
        found = raw_html.autolink(self.text, i)
        if found:
            end, url = found
            shown = self.text[i + 1 : end - 1]
            self._leaf(i, end, self._anchor(url, "", [shown], shown))
            return end
        end = raw_html.inline_html(self.text, i, self._find)
        if end > 0:
            if self.policy.raw_html:
                self._anchor_tag(i, end)
            return self._leaf(i, end, raw_html.shown(self.text[i:end], self.policy))
        if not self.final and raw_html.may_begin(self.text, i):
            return self._wait(i)
        return i + 1

    def _anchor_tag(self, i: int, end: int) -> None:
        """Inside a raw `<a …>` no bare link is made."""
        if self.text.startswith(("<a ", "<A "), i):
            self._unsettle(i)
            self._in_anchor = True
        elif self.text.startswith(("</a>", "</A>"), i):
            self._in_anchor = False

    def _formula(self, i: int) -> int:
        found = formulas.inline(self.text, i, self.size, self._find)
        if found is None:
            if self.text[i] == "\\":
                return self._leaf(i, i + 2, self.text[i + 1])
            return i + 1
        end, display, tex = found
        if end > 0 and (self.final or end < self.size or self.text[i : i + 2] in formulas.PAIRED):
            kind = "block" if display else "inline"
            return self._leaf(i, end, El("code", {"data-math": kind}, [tex]))
        if self.final:
            return self._leaf(i, i + 2, self.text[i + 1]) if self.text[i] == "\\" else i + 1
        return self._wait(i, formulas.patience(self.text, i))

    def _task(self) -> int:
        found = _TASK.match(self.text)
        if found:
            attrs = {"type": "checkbox", "disabled": ""}
            if found[1] != " ":
                attrs["checked"] = ""
            return self._leaf(0, found.end(), El("input", attrs))
        if not self.final and _TASK_BEGUN.match(self.text):
            self._hold(0)
            return self.size
        return 0
