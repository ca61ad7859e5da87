"""The code blocks of one answer, followed by the ops that the screen gets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from midstream.patch import ATTR, CLOSE, DROP, OPEN, TEXT, TRUNC, Op, units

# Elements that may stand around code.
HOLDERS = frozenset({"pre", "code", "blockquote", "ul", "ol", "li", "aside"})
Span = tuple[int, int, int]  # kind, first and end, in UTF-16 units of the block's text


@dataclass(slots=True, eq=False)
class Block:
    """One `pre > code`. `node` is the id of the `code`."""

    node: int
    pre: int
    language: str = ""
    open: bool = True
    seen: tuple[str, str] = ("", "")  # language and text that were coloured last
    spans: Sequence[Span] = field(default=())  # as the screen has them
    rest_until: float = 0.0  # it is not read again before
    overtimes: int = 0  # readings that took too long
    _pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Joined when it is read: a long block comes in thousands of pieces."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def append(self, more: str) -> None:
        self._pieces.append(more)

    def shorten(self, n: int) -> None:
        """By its last n UTF-16 units."""
        while n > 0 and self._pieces:
            piece = self._pieces.pop()
            while n > 0 and piece:
                n -= units(piece[-1])
                piece = piece[:-1]
            if piece:
                self._pieces.append(piece)


class Blocks:
    """Takes every op in order, and follows only the ops that change the text of a block. An op costs the
    same however many blocks there are."""

    def __init__(self) -> None:
        self.blocks: dict[int, Block] = {}
        self.changed: dict[int, Block] = {}  # since they were taken out of here
        self._open_blocks: dict[int, Block] = {}
        self._parents: dict[int, int] = {}  # of elements that are open
        self._code_of: dict[int, int] = {}  # by `pre`

    def feed(self, ops: Iterable[Op]) -> None:
        for op in ops:
            if self._concerns(op):
                self._take(op)

    def _concerns(self, op: Op) -> bool:
        """Most ops are about other elements: those cost a look or two."""
        kind = op[0]
        if kind == OPEN:
            return op[2] in HOLDERS and (op[2] != "code" or op[1] in self._code_of)
        return op[1] in self._parents if kind == CLOSE else op[1] in self.blocks or kind == DROP

    def _take(self, op: Op) -> None:
        match op:
            case [kind, int(parent), str(tag), int(id)] if kind == OPEN:
                self._open(parent, tag, id)
            case [kind, int(id), str(more)] if kind == TEXT and id in self.blocks:
                self._change(id).append(more)
            case [kind, int(id), int(n)] if kind == TRUNC and id in self.blocks:
                self._change(id).shorten(n)
            case [kind, int(id), "data-language", language] if kind == ATTR and id in self.blocks:
                self._change(id).language = str(language or "").lower()
            case [kind, int(id), *_] if kind == DROP and id in self._code_of:
                self._drop(self._code_of[id])
            case [kind, int(id)] if kind == CLOSE:
                self._close(id)

    def _open(self, parent: int, tag: str, id: int) -> None:
        self._parents[id] = parent
        if tag == "pre":
            self._code_of[id] = 0
        elif tag == "code" and parent in self._code_of:
            self._code_of[parent] = id
            self.blocks[id] = self._open_blocks[id] = self.changed[id] = Block(id, parent)

    def _change(self, id: int) -> Block:
        self.changed[id] = self.blocks[id]
        return self.blocks[id]

    def _drop(self, code: int) -> None:
        for known in (self.blocks, self._open_blocks, self.changed):
            known.pop(code, None)

    def _close(self, id: int) -> None:
        """Closing an element closes all that is in it."""
        for block in list(self._open_blocks.values()):  # one, seldom two
            if self._is_in(block.node, id):
                block.open = False
                self.changed[block.node] = self._open_blocks.pop(block.node)
        self._parents.pop(id, None)

    def _is_in(self, node: int, other: int) -> bool:
        at: int | None = node
        while at is not None and at != other:
            at = self._parents.get(at)
        return at == other
