"""The open blocks: containers, and the base of all leaves.

A block is open until a line shows that it has ended; then it is sealed and never looked at again.
Its element is opened when there is something to show in it.
"""

from __future__ import annotations

from midstream.markdown.blocks.output import Output


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

    __slots__ = ("id", "out", "parent")

    def __init__(self, out: Output, parent: Container) -> None:
        self.out = out
        self.parent = parent
        self.id = -1

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


class Verbatim(Leaf):
    """Text as it stands: the base of code and raw HTML."""

    __slots__ = ("target",)
    target: int
    """The element that holds the text."""

    def more(self, text: str) -> None:
        """The line goes on."""
        self.out.emit.text(self.target, text)

    line = more
