"""An ended answer that a new run goes on with, until the first words of that run are there.

The closed text stays in the store and on screen meanwhile. An open parser may hold back text that a
closed one shows: after `| a | b |`, the header of a table or a line of text, it waits for the next
line. So text that a person has read would go away with Continue, and come back later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from midstream.journal import Row, text
from midstream.markdown import Parser
from midstream.patch import Node, Op, Tree
from midstream.seam import HELD_BACK, Joint, join


class Resumption:
    """`rows`: the closed ones. `made`: the ops by which an open parser draws each."""

    def __init__(self, rows: Sequence[Row], made: Sequence[list[Op]]) -> None:
        self.joint: Joint | None = None  # how the new run goes on from the text of the others
        self.covers = False  # drawn open, it shows as much as stands on screen
        self._rows = rows
        self._made = made
        self._text = text(rows)
        self._closed = _visible(Tree().apply(op for row in rows for op in row.ops))
        self._open = Tree().apply(op for ops in made for op in ops)
        self._parser: Parser | None = None  # draws into `_open`; most answers need none
        self._drawn = 0  # characters of the new text

    def ready(self, new_text: str, final: bool) -> bool:
        """Whether the answer can be drawn anew, with all of `new_text`, which the new run has brought.
        At most HELD_BACK characters of it are held back, and none when `final` (the run has ended)."""
        self.joint = self.joint or join(self._text, new_text, final)
        if self.joint is None:
            return False
        self.covers = self._covers(self.joint.insert + new_text[self.joint.skip :])
        return final or self.covers

    def _covers(self, new: str) -> bool:
        """After `new`. True after HELD_BACK characters in any case: a definition shows nothing."""
        if len(new) >= HELD_BACK or _visible(self._open) >= self._closed:
            return True
        if self._parser is None:
            self._parser = Parser()
            self._parser.feed(self._text)
        self._open.apply(self._parser.feed(new[self._drawn :]))
        self._drawn = len(new)
        return _visible(self._open) >= self._closed

    def rows(self) -> list[Row]:
        """The open rows."""
        return renumbered(self._rows, self._made)


def renumbered(rows: Sequence[Row], made: Sequence[list[Op]]) -> list[Row]:
    """The rows drawn by other ops. Numbers that were painted are not used again."""
    last = rows[-1].n if rows else 0
    numbered = enumerate(zip(rows, made, strict=True), last + 1)
    return [replace(row, ops=ops, n=n) for n, (row, ops) in numbered]


def _visible(tree: Tree) -> int:
    """How many letters and digits it has. Marks like `|` and `*` do not count: whether they are
    visible depends on the text that follows them."""
    return _weight(tree.root)


def _weight(node: Node | str) -> int:
    if isinstance(node, str):
        return sum(map(str.isalnum, node))
    return sum(map(_weight, node.children))
