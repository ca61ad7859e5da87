"""The code blocks of one answer, followed by the ops that the screen gets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from midstream.patch import ATTR, CLOSE, DROP, OPEN, TEXT, TRUNC, Op, units

Span = tuple[int, int, int]  # kind, first and end, in UTF-16 units of the block's text


@dataclass(slots=True, eq=False)
class Block:
    """One `pre > code`. `node` is the id of the `code`."""

    node: int
    pre: int
    language: str = ""
    text: str = ""
    open: bool = True
    dirty: bool = True  # it has changed since it was coloured last
    seen: tuple[str, str] = ("", "")  # language and text that were coloured last
    spans: Sequence[Span] = field(default=())  # as the screen has them


class Blocks:
    """Takes every op in order, and follows only the ops that change the text of a block."""

    def __init__(self) -> None:
        self.blocks: dict[int, Block] = {}
        self._parents: dict[int, int] = {}  # of elements that are open
        self._pres: set[int] = set()

    def feed(self, ops: Iterable[Op]) -> None:
        for op in ops:
            match op:
                case [kind, int(parent), str(tag), int(id)] if kind == OPEN:
                    self._open(parent, tag, id)
                case [kind, int(id), str(more)] if kind == TEXT and id in self.blocks:
                    self._change(id, self.blocks[id].text + more)
                case [kind, int(id), int(n)] if kind == TRUNC and id in self.blocks:
                    self._change(id, _shortened(self.blocks[id].text, n))
                case [kind, int(id), "data-language", language] if kind == ATTR:
                    if block := self.blocks.get(id):
                        block.language = str(language or "").lower()
                        block.dirty = True
                case [kind, int(id), *_] if kind == DROP:
                    for block in [block for block in self.blocks.values() if block.pre == id]:
                        del self.blocks[block.node]
                case [kind, int(id)] if kind == CLOSE:
                    self._close(id)

    def _open(self, parent: int, tag: str, id: int) -> None:
        self._parents[id] = parent
        if tag == "pre":
            self._pres.add(id)
        elif tag == "code" and parent in self._pres:
            self.blocks[id] = Block(id, parent)

    def _change(self, id: int, text: str) -> None:
        self.blocks[id].text = text
        self.blocks[id].dirty = True

    def _close(self, id: int) -> None:
        """Closing an element closes all that is in it."""
        for block in self.blocks.values():
            if block.open and self._is_in(block.node, id):
                block.open, block.dirty = False, True
        self._parents.pop(id, None)

    def _is_in(self, node: int, other: int) -> bool:
        at: int | None = node
        while at is not None and at != other:
            at = self._parents.get(at)
        return at == other


def _shortened(text: str, n: int) -> str:
    """Without its last n UTF-16 units."""
    while n > 0 and text:
        n -= units(text[-1])
        text = text[:-1]
    return text
