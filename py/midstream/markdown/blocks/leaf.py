"""The open blocks: containers, and the base of all leaves.

A block is open until a line shows that it has ended; then it is sealed and never looked at again.
Its element is opened when there is something to show in it.
"""

from __future__ import annotations

import re

from midstream import patch
from midstream.markdown.blocks.output import Output
from midstream.markdown.inline import raw_html
from midstream.markdown.inline.links import unescape


class Container:
    """A quote, list, item or note, or the root."""

    __slots__ = ("blocks", "count", "end", "id", "kind", "marker", "offset", "pinned", "tight")

    def __init__(self, kind: str, id: int, line: int, *, marker: str = "", offset: int = 0) -> None:
        self.kind = kind
        self.id = id
        self.marker = marker
        """Of a list: its bullet or delimiter."""
        self.offset = offset
        """Of an item or note: columns its content is indented by."""
        self.blocks = 0
        """Blocks begun inside, also those that came to nothing (link definitions)."""
        self.count = 0
        """Child nodes on the screen."""
        self.end = line
        """Number of the last line that was not blank, seen from here."""
        self.tight = True
        self.pinned = False
        """Something inside may still change: it cannot be sealed before the document ends."""


class Leaf:
    """A block that holds text. Subclasses say what a line is to them."""

    kind = ""
    __slots__ = ("id", "indent", "marker", "out", "parent", "until")

    def __init__(self, out: Output, parent: Container) -> None:
        self.out = out
        self.parent = parent
        self.id = -1
        self.marker = ""
        """Of a fence: the run that opened it."""
        self.indent = 0
        """Of a fence: columns to take off every line."""
        self.until: re.Pattern[str] | None = None
        """Of an HTML block: what ends it."""

    def line(self, text: str) -> None:
        """A line begins with this text."""
        raise NotImplementedError

    def more(self, text: str) -> None:
        """The line goes on."""
        raise NotImplementedError

    def end_line(self) -> bool:
        """The line has ended; true when the block ends with it."""
        return False

    def show(self) -> None:
        """Bring the screen up to date."""

    def close(self) -> None:
        """The block has ended."""
        if self.id >= 0:
            self.out.seal(self.id)

    def open(self, tag: str, attrs: dict[str, str] | None = None) -> int:
        """Open the block's element inside its container."""
        self.id = self.out.emit.open(self.parent.id, tag, attrs)
        self.parent.count += 1
        return self.id

    def formula_open(self) -> bool:
        """Whether a displayed formula has begun: its lines are not read as Markdown."""
        return False

    def has_text(self) -> bool:
        """Of a paragraph: whether it is more than link definitions."""
        return False

    def last_line(self) -> str:
        """Of a paragraph: its last line."""
        return ""


class Verbatim(Leaf):
    """Text as it stands: the base of code and raw HTML."""

    __slots__ = ("target",)
    target: int
    """The element that holds the text."""

    def more(self, text: str) -> None:
        """The line goes on."""
        self.out.emit.text(self.target, text)

    line = more


class Fence(Verbatim):
    """A fenced code block."""

    kind = "fence"
    __slots__ = ()

    def __init__(self, out: Output, parent: Container, marker: str, indent: int, info: str) -> None:
        super().__init__(out, parent)
        self.marker = marker
        self.indent = indent
        language = unescape(info).split(None, 1)[0] if info else ""
        attrs = {"data-language": language} if language else None
        self.target = out.emit.open(self.open("pre"), "code", attrs)

    def end_line(self) -> bool:
        """Every line of code ends with its line end, the last one too."""
        self.more("\n")
        return False


class Indented(Verbatim):
    """An indented code block; blank lines count only when code follows them."""

    kind = "code"
    __slots__ = ("blank", "held")

    def __init__(self, out: Output, parent: Container) -> None:
        super().__init__(out, parent)
        self.target = out.emit.open(self.open("pre"), "code")
        self.held: list[str] = []
        """Line ends and white space that are shown when code follows them."""
        self.blank = True
        """Nothing but white space on this line so far."""

    def line(self, text: str) -> None:
        """A line begins."""
        self.blank = True
        self.more(text)

    def more(self, text: str) -> None:
        """The line goes on."""
        self.blank = self.blank and not text.strip(" \t")
        if self.blank:
            self.held.append(text)
        else:
            self.out.emit.text(self.target, "".join(self.held) + text)
            self.held.clear()

    def end_line(self) -> bool:
        """The line has ended."""
        self.held.append("\n")
        return False

    def close(self) -> None:
        """The last line of code ends with a line end, whatever blank lines followed."""
        self.out.emit.text(self.target, "\n")
        super().close()


class Html(Verbatim):
    """A block of raw HTML: text on a screen, itself under the policies for specifications."""

    kind = "html"
    __slots__ = ("ended", "lines", "tail")
    _LONGEST = 16
    """More than the length of what can end a block."""

    def __init__(self, out: Output, parent: Container, until: re.Pattern[str]) -> None:
        super().__init__(out, parent)
        self.until = until
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
        assert self.until is not None
        before = "".join(self.tail[-self._LONGEST :])[-self._LONGEST :]
        if self.until is not raw_html.BLANK and self.until.search(before + text):
            self.ended = True
        if self.out.policy.tag_filter:
            self.tail.append(text)
        else:
            self.tail = [(before + text)[-self._LONGEST :]]
            self.out.emit.text(self.target, text)

    def end_line(self) -> bool:
        """The line has ended."""
        if self.out.policy.tag_filter:
            self.out.emit.text(self.target, raw_html.filtered("".join(self.tail)))
        return self.ended


def rule(out: Output, parent: Container) -> None:
    """A thematic break: a leaf that ends where it begins."""
    parent.count += 1
    out.emit.ops.append(patch.close(out.emit.open(parent.id, "hr")))
