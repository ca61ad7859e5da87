"""Bounds: depth, budgets, the watchdog. Nothing raises, and the text is shown."""

from __future__ import annotations

import sys

import pytest

from midstream.markdown import Parser, limits
from midstream.patch import Node, Tree


def build(text: str, step: int = 0) -> Tree:
    parser, tree = Parser(), Tree()
    for at in range(0, len(text), step or len(text)):
        tree.apply(parser.feed(text[at : at + (step or len(text))]))
    return tree.apply(parser.finish())


def depth(tree: Tree) -> int:
    deepest, stack = 0, [(1, child) for child in tree.root.children]
    while stack:
        level, node = stack.pop()
        deepest = max(deepest, level)
        if isinstance(node, Node):
            stack += [(level + 1, child) for child in node.children]
    return deepest


def shown(tree: Tree) -> str:
    out: list[str] = []
    stack: list[Node | str] = tree.root.children[::-1]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            out.append(node)
        else:
            stack += node.children[::-1]
    return "".join(out)


DEEP = {
    "quotes": "> " * 3000 + "end",
    "lists": "".join("  " * k + "- x\n" for k in range(300)) + "end",
    "items on one line": "- " * 3000 + "end",
    "ordered on one line": "1. " * 3000 + "end",
    "both": "> - " * 2000 + "end",
    "emphasis": "*a **b " * 2000 + "end" + "** *" * 2000,
    "stars": "*" * 3000 + "end" + "*" * 3000,
    "brackets": "[" * 3000 + "end" + "]" * 3000,
    "links": "[" * 3000 + "end" + "](u)" * 3000,
    "images": "![" * 3000 + "end" + "](https://a.b/)" * 3000,
    "strikes": "~~a ~b " * 2000 + "end",
}


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("step", [0, 97])
def test_depth_never_raises(name: str, step: int) -> None:
    """Under half of the usual recursion limit: Pyodide's stack is smaller than CPython's."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(500)
    try:
        tree = build(DEEP[name], step)
    finally:
        sys.setrecursionlimit(limit)
    assert depth(tree) <= limits.CONTAINERS + limits.INLINE_DEPTH + 3
    assert "end" in shown(tree)


def test_the_watchdog_shows_a_costly_leaf_as_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """No known text gets there, so the budget is taken away."""
    monkeypatch.setattr(limits, "FACTOR", 0)
    monkeypatch.setattr(limits.Meter, "allow", lambda self, n: setattr(self, "limit", self.work))
    tree = build("# a *b*\n\nc **d** [e](f)\n", 3)
    assert [node.tag for node in tree.root.children if isinstance(node, Node)] == ["h1", "p"]
    assert shown(tree) == "a *b*c **d** [e](f)"


@pytest.mark.parametrize("per_leaf", [20, 10**6])
def test_many_late_definitions_cost_in_proportion(per_leaf: int) -> None:
    """Many leaves with some labels each, and one leaf with all of them."""

    def work(n: int) -> float:
        uses = [f"[a{k}]" + ("\n\n" if k % per_leaf == per_leaf - 1 else " ") for k in range(n)]
        text = "".join(uses) + "\n\n" + "".join(f"[a{k}]: /u\n" for k in range(n))
        parser = Parser("spec")
        for at in range(0, len(text), 16):
            parser.feed(text[at : at + 16])
        parser.finish()
        return parser.work / len(text)

    assert work(2000) < 1.25 * work(1000)


def test_a_table_cannot_grow_beyond_its_text() -> None:
    columns = 150
    text = "|" + "a|" * columns + "\n|" + "-|" * columns + "\n" + "|x\n" * 2_000
    tree = build(text)
    assert len(tree.nodes) < limits.PADDING + 3 * 2_000 + 1_000


@pytest.mark.parametrize("kind", ["- {} b\n", "|{}|b|\n", "{} b ", "> {} b\n", "    {}\n", "{}\n\n"])
@pytest.mark.parametrize("word", ["**a**", "a", "[a](b)", "`a`"])
def test_work_grows_with_the_text(kind: str, word: str) -> None:
    def work(n: int) -> float:
        head = "|a|b|\n|-|-|\n" if kind[0] == "|" else ""
        text = head + kind.format(word) * n
        parser = Parser()
        for at in range(0, len(text), 8):
            parser.feed(text[at : at + 8])
        parser.finish()
        return parser.work / len(text)

    assert work(800) < 1.15 * work(400)
