"""Headings and paragraphs.

A paragraph may turn out to begin with link definitions, to be a setext heading, or to end with the
header row of a table. What is not certain yet is not shown.
"""

from __future__ import annotations

from midstream import patch
from midstream.markdown.blocks import definitions
from midstream.markdown.blocks.inline_leaf import InlineLeaf
from midstream.markdown.blocks.leaf import Container
from midstream.markdown.blocks.output import Output
from midstream.markdown.inline import links

_SPACES = " \t"
_FORMULAS = {"$$": "$$", "\\[": "\\]"}


class Heading(InlineLeaf):
    """An ATX heading: one line, trailing hashes are not part of it."""

    __slots__ = ("level",)

    def __init__(self, out: Output, parent: Container, level: int) -> None:
        super().__init__(out, parent)
        self.level = level
        self.open(f"h{level}")

    line = InlineLeaf.more

    def whole(self, final: bool) -> str:
        """The tail without what is, or may become, the closing run of hashes."""
        text = self.tail.rstrip(_SPACES)
        bare = text.rstrip("#")
        if not bare:
            return bare if not self.source else text
        if bare[-1] in _SPACES:
            return bare.rstrip(_SPACES)
        return text

    def end_line(self) -> bool:
        """A heading ends with its line."""
        return True


class Paragraph(InlineLeaf):
    """A paragraph, which may turn out to begin with link definitions, or to be more than that:
    a setext heading, or the header row of a table."""

    __slots__ = ("defining", "formula", "last", "pending")

    def __init__(self, out: Output, parent: Container, text: str) -> None:
        super().__init__(out, parent)
        self.task = parent.kind == "item" and not parent.blocks
        self.defining = text.startswith("[")
        self.pending = 0
        self.last: list[str] = []
        """Pieces of the last line."""
        self.formula: str | None = None if out.policy.math else ""
        """What closes the displayed formula that the paragraph begins with and is inside of; None
        before the first line has ended."""
        self.last.append(text)
        super().more(text)

    def line(self, text: str) -> None:
        """One more line; its indentation is gone already."""
        self.last = [text]
        begun = self.tail or self.fresh or self.source
        super().more("\n" + text if begun else text)

    def more(self, text: str) -> None:
        """The line goes on."""
        self.last.append(text)
        super().more(text)

    def end_line(self) -> bool:
        """The line has ended: a formula may be open now, or closed."""
        line = self.last_line()
        if self.formula is None:
            self.formula = _FORMULAS.get(line[:2], "")
            line = line[2:]
        if self.formula and self.formula in line:
            self.formula = ""
        return False

    def formula_open(self) -> bool:
        """Whether a displayed formula that began this paragraph has not closed yet."""
        return bool(self.formula)

    def last_line(self) -> str:
        """The last line so far."""
        if len(self.last) > 1:
            self.last = ["".join(self.last)]
        return self.last[0]

    def show(self) -> None:
        """Show what is certain to be a paragraph's text."""
        if self.dirty and not (self.defining and not self._define(final=False)):
            super().show()

    def whole(self, final: bool) -> str:
        """The tail, without a last line that may become the header of a table."""
        if not final and self.last[0].startswith("|"):
            return self.tail[: max(0, len(self.tail) - len(self.last_line()))]
        return super().whole(final)

    def _define(self, final: bool) -> bool:
        """Take definitions off the beginning; false while the text may still be one."""
        if not final and self.length < self.pending:
            return False
        self._gather()
        at = 0
        while self.tail.startswith("[", at):
            found = definitions.scan(self.tail, at, final)
            if not isinstance(found, tuple):
                break
            end, key, url, title = found
            self.out.meter.work += end - at
            if not (self.out.policy.notes and key.startswith("^")):
                self.out.definitions.define(key, url, title)
            at = end
            while at < len(self.tail) and self.tail[at] in " \t\n":
                at += 1
        else:
            found = None
        self.tail = self.tail[at:]
        self.length = len(self.tail)
        if found == links.PARTIAL:
            self.out.meter.work += self.length
            self.pending = self.length * 9 // 8 if self.length > 256 else 0
            self.dirty = True
            return False
        self.defining = False
        self.dirty = bool(self.tail)
        return True

    def has_text(self) -> bool:
        """Whether it is more than definitions (which are taken off for good)."""
        if self.defining:
            self._define(final=True)
        return bool(self.tail.strip(" \t\n") or self.fresh or self.source)

    def close(self) -> None:
        """The paragraph has ended."""
        if self.defining:
            self._define(final=True)
        super().close()

    def close_heading(self, level: int) -> None:
        """It was a setext heading."""
        self.tag = f"h{level}"
        if self.parent.kind == "item":
            # A task's box belongs to a paragraph: in a heading `[x]` is text.
            self._gather()
            self._unsettle()
            self.task = False
        if self.id >= 0:
            self.out.emit.ops.append(patch.retag(self.id, self.tag))
        self.close()

    def close_before_table(self) -> str:
        """Its last line was the header of a table: give it back, and close what is left."""
        header = self.last_line()
        self.has_text()
        self._gather()
        self._unsettle()
        self.tail = self.tail[: len(self.tail) - len(header)].rstrip(" \t\n")
        if self.tail:
            self.close()
        elif self.id >= 0:
            self.parent.count -= 1
            self.out.emit.ops.append(patch.drop(self.parent.id, self.parent.count))
        return header
