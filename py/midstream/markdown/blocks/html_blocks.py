"""HTML blocks: the seven ways they begin, what ends each, and the leaf."""

from __future__ import annotations

import re

from midstream.markdown.blocks.leaf import Container, Verbatim
from midstream.markdown.blocks.lines import Undecided
from midstream.markdown.blocks.output import Output
from midstream.markdown.inline import html_tags
from midstream.markdown.inline.raw_html import filtered, may_begin

_LITERAL_END = re.compile(r"</(?:script|pre|textarea|style)>", re.IGNORECASE)
_BLOCKS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (re.compile(r"<!--"), re.compile(r"-->")),
    (re.compile(r"<\?"), re.compile(r"\?>")),
    (re.compile(r"<![A-Za-z]"), re.compile(r">")),
    (re.compile(r"<!\[CDATA\["), re.compile(r"\]\]>")),
)
_NAMES = "|".join(html_tags.BLOCK_NAMES)
_LITERAL = re.compile(r"<(?:script|pre|textarea|style)(?:[\s>]|$)", re.IGNORECASE)
_NAMED = re.compile(rf"</?(?:{_NAMES})(?:\s|/?>|$)", re.IGNORECASE)
_LONE = re.compile(rf"(?:{html_tags.OPEN}|{html_tags.CLOSING})[ \t]*$")
_NAME_BEGUN = re.compile(r"<(?:!-?|!\[[A-Z]{0,5}|/?(?:[A-Za-z][A-Za-z0-9]{0,12})?/?)\Z")
BLANK = re.compile(r"[ \t]*\Z")


def start(text: str, i: int, *, whole: bool, interrupts: bool) -> re.Pattern[str] | None:
    """The condition that ends the HTML block that begins at text[i:], BLANK for a blank line; None
    when none begins there. With `interrupts` (a paragraph is open) a lone tag begins none."""
    for begin, end in _BLOCKS:
        if begin.match(text, i):
            return end
    for pattern, end in ((_LITERAL, _LITERAL_END), (_NAMED, BLANK)):
        found = pattern.match(text, i)
        if found and not whole and found.end() == len(text) and text[-1].isalnum():
            raise Undecided
        if found:
            return end
    if whole:
        return BLANK if not interrupts and _LONE.match(text, i) else None
    if _NAME_BEGUN.match(text, i):
        raise Undecided
    if not interrupts and (may_begin(text, i) or _LONE.match(text, i)):
        raise Undecided
    return None


class Html(Verbatim):
    """A block of raw HTML: text on a screen, itself under the policies for specifications."""

    __slots__ = ("ended", "lines", "tail", "until")
    _LONGEST = 16
    """More than the length of what can end a block."""

    def __init__(self, out: Output, parent: Container, until: re.Pattern[str]) -> None:
        super().__init__(out, parent)
        self.until = until
        """What ends it."""
        self.target = self.open("#html" if out.policy.raw_html else "p")
        self.lines = 0
        self.ended = False
        """The line holds what ends the block."""
        self.tail: list[str] = []
        """Pieces of the line, for the tag filter, which wants it whole; else only the last."""

    def line(self, text: str) -> None:
        """A line begins."""
        if self.lines:
            self.out.emit.text(self.target, "\n")
        self.lines += 1
        self.ended = False
        self.tail.clear()
        self.more(text)

    def more(self, text: str) -> None:
        """The line goes on."""
        before = "".join(self.tail[-self._LONGEST :])[-self._LONGEST :]
        if self.until is not BLANK and self.until.search(before + text):
            self.ended = True
        if self.out.policy.tag_filter:
            self.tail.append(text)
        else:
            self.tail = [(before + text)[-self._LONGEST :]]
            self.out.emit.text(self.target, text)

    def end_line(self) -> bool:
        """The line has ended."""
        if self.out.policy.tag_filter:
            self.out.emit.text(self.target, filtered("".join(self.tail)))
        return self.ended
