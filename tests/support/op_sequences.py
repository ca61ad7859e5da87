"""Ops by lot, and the tree that they give by midstream/patch.py."""

from __future__ import annotations

import random
from typing import Any

from midstream import patch
from midstream.patch import SAFE, Node, Tree, units


class Sequence:
    """A random run of valid ops on inline and block elements, by the reference tree's own state."""

    ATTRIBUTES = (
        ("ol", "start", "3"),
        ("ul", "data-tight", ""),
        ("td", "align", "right"),
        ("code", "data-language", "c"),
    )
    TAGS = sorted(set(SAFE) - {"input", "button", "br", "hr"})
    PIECES = ("a", "word ", "日本", "🌊🌊", "é", "x\n", "")

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.tree = Tree()
        self.next = 1

    def ops(self, count: int) -> list[list[Any]]:
        made: list[list[Any]] = []
        while len(made) < count:
            op = self._op()
            if op:
                self.tree.apply([op])
                made.append(op)
        return made

    def _open_nodes(self) -> list[Node]:
        return [node for node in self.tree.nodes.values() if not self._sealed(node)]

    def _sealed(self, node: Node | None) -> bool:
        return node is not None and (node.sealed or self._sealed(node.parent))

    def _holds_sealed(self, node: Node | str) -> bool:
        return isinstance(node, Node) and (node.sealed or any(map(self._holds_sealed, node.children)))

    def _op(self) -> list[Any] | None:
        node = self.random.choice(self._open_nodes())
        code = self.random.choices(range(8), weights=(30, 40, 5, 8, 6, 4, 3, 4))[0]
        last = node.children[-1] if node.children else None
        match code:
            case 0:
                self.next += 1
                return [0, node.id, self.random.choice(self.TAGS), self.next - 1]
            case 1:
                return [1, node.id, self.random.choice(self.PIECES)]
            case 2:
                for tag, name, value in self.ATTRIBUTES:
                    if node.tag == tag:
                        return [2, node.id, name, self.random.choice((value, None))]
            case 3 if isinstance(last, str):
                return [3, node.id, units(last if self.random.random() < 0.3 else last[-1])]
            case 4 if node.id:
                return [4, node.id, self.random.choice(self.PIECES)]
            case 5 if node.id and not node.attrs:
                return [5, node.id, self.random.choice(self.TAGS)]
            case 6:
                k = self.random.randint(0, len(node.children))
                if not any(self._holds_sealed(child) for child in node.children[k:]):
                    return [6, node.id, k]
            case 7 if node.id:
                return [7, node.id]
        return None


def patches(seed: int, count: int = 6) -> tuple[list[dict[str, Any]], list[Any]]:
    """The patches of an answer, and the tree that they give as nested lists.

    Half of the seeds have them as the engine sends them, half as they are stored.
    """
    sequence, made, newest = Sequence(seed), [], 0
    for n in range(1, count + 1):
        ops = sequence.ops(40)
        fields = {"packed": patch.pack(ops, newest)} if seed % 2 else {"ops": ops}
        newest += patch.opened(ops)
        made.append({"type": "patch", "message": "a1", "n": n, "seq": n, **fields})
    return made, [seen(child) for child in sequence.tree.root.children]


def seen(node: Node | str) -> Any:
    if isinstance(node, str):
        return node
    return [node.tag, dict(node.attrs), *map(seen, node.children)]
