"""The table leaf: rows that come line by line, cells that are sealed one by one.

Without the sealing inside, one long table would be parsed again for every row.
"""

from __future__ import annotations

from midstream.markdown.blocks.inline_leaf import InlineLeaf
from midstream.markdown.blocks.leaf import Container, Leaf
from midstream.markdown.blocks.output import Output
from midstream.markdown.blocks.table_rows import PIPE, cells, content


class Cell(InlineLeaf):
    """One cell of a row; its source grows while the row is written."""

    __slots__ = ()

    def __init__(self, out: Output, parent: Container, tag: str, align: str) -> None:
        super().__init__(out, parent)
        self.tag = tag
        self.open(tag, {"align": align} if align else None)

    def _seal(self) -> None:
        """A cell is sealed with its row."""


class Table(Leaf):
    """A table whose rows come line by line; a row's finished cells are sealed while it is written."""

    __slots__ = ("aligns", "body", "cell", "cells", "held", "pinned", "raw", "row")

    def __init__(self, out: Output, parent: Container, header: str, aligns: list[str]) -> None:
        super().__init__(out, parent)
        self.aligns = aligns
        self.pinned = False
        self.body: Container | None = None
        table = Container("table", self.open("table"), 0)
        head = Container("thead", out.emit.open(table.id, "thead"), 0)
        self.row = Container("row", out.emit.open(head.id, "tr"), 0)
        for cell, align in zip(cells(header), aligns, strict=True):
            self._whole_cell("th", align, content(cell))
        self._seal(self.row)
        self._seal(head)
        self.cell: Cell | None = None
        self.cells = 0
        self.held = ""
        """The end of the row so far that cannot be shown: a backslash, or white space."""

    def line(self, text: str) -> None:
        """A row begins."""
        if self.body is None:
            self.body = Container("tbody", self.out.emit.open(self.id, "tbody"), 0)
        self.row = Container("row", self.out.emit.open(self.body.id, "tr"), 0)
        self.cell, self.cells, self.held = None, 0, ""
        self.more(text.removeprefix("|"))

    def more(self, text: str) -> None:
        """The row goes on: split it at its pipes."""
        text = self.held + text
        kept = text.rstrip("\\")
        self.held = "\\" if (len(text) - len(kept)) % 2 else ""
        if self.held:
            text = text[:-1]
        start = 0
        for found in PIPE.finditer(text):
            if found[0] == "|":
                self._grow(text[start : found.start()])
                self._end_cell()
                start = found.end()
        self._grow(text[start:])

    def _grow(self, text: str) -> None:
        if self.cell is None:
            text = text.lstrip(" \t")
            if not text or self.cells >= len(self.aligns):
                return
            self.cell = Cell(self.out, self.row, "td", self.aligns[self.cells])
        self.cell.more(text.replace("\\|", "|"))

    def _end_cell(self) -> None:
        if self.cells < len(self.aligns):
            if self.cell is None:
                self._whole_cell("td", self.aligns[self.cells], "")
            else:
                self._close_cell(self.cell)
            self.cell = None
        self.cells += 1

    def end_line(self) -> bool:
        """The row has ended: missing cells are added, as far as the cap allows."""
        if self.held:
            self._grow("\\")
        if self.cell is not None:
            self._end_cell()
        while self.cells < len(self.aligns) and self.out.may_pad():
            self._end_cell()
        self._seal(self.row)
        return False

    def _whole_cell(self, tag: str, align: str, source: str) -> None:
        cell = Cell(self.out, self.row, tag, align)
        if source:
            cell.more(source)
        self._close_cell(cell)

    def _close_cell(self, cell: Cell) -> None:
        cell.close()
        self.parent.pinned |= cell.waits
        self.pinned |= cell.waits
        self.row.pinned |= cell.waits

    def _seal(self, part: Container) -> None:
        self.out.seal(part.id, pinned=part.pinned or (part.kind != "row" and self.pinned))

    def show(self) -> None:
        """Bring the open cell up to date."""
        if self.cell is not None:
            self.cell.show()

    def close(self) -> None:
        """The table has ended."""
        if self.body is not None:
            self._seal(self.body)
        self.out.seal(self.id, pinned=self.pinned)
