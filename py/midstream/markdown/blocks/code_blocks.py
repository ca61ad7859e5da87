"""Code blocks: fenced and indented."""

from __future__ import annotations

from midstream.markdown.blocks.leaf import Container, Verbatim
from midstream.markdown.blocks.output import Output
from midstream.markdown.inline.links import unescape


class Fence(Verbatim):
    """A fenced code block."""

    __slots__ = ("indent", "marker")

    def __init__(self, out: Output, parent: Container, marker: str, indent: int, info: str) -> None:
        super().__init__(out, parent)
        self.marker = marker
        """The run that opened it."""
        self.indent = indent
        """Columns to take off every line."""
        language = unescape(info).split(None, 1)[0] if info else ""
        attrs = {"data-language": language} if language else None
        self.target = out.emit.open(self.open("pre"), "code", attrs)

    def end_line(self) -> bool:
        """Every line of code ends with its line end, the last one too."""
        self.more("\n")
        return False


class Indented(Verbatim):
    """An indented code block; blank lines count only when code follows them."""

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
