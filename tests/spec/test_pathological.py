"""Hostile shapes: every one ends, shows its text, and costs work in proportion to its length."""

from __future__ import annotations

from typing import Any

import pytest

from midstream.markdown import Parser
from midstream.patch import SAFE, Node, Tree
from tests.spec.corpora import pathological
from tests.spec.shapes import build

SHAPES = pathological()
SILENT = {"strikethrough nested", "newline-space", "blank lines"}
"""A fence with an info string and no content; nothing but white space."""
STREAMED = 40_000
"""Characters that are streamed in pieces of 16; the largest size is fed in pieces of 2048."""

pytestmark = pytest.mark.full_run(reason="long texts on purpose; shorter ones: test_markdown_caps.py")


def text_of(tree: Tree) -> str:
    out: list[str] = []
    stack: list[Node | str] = list(tree.root.children)
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            out.append(node)
        else:
            stack.extend(node.children)
    return "".join(out)


def work(text: str, step: int) -> tuple[int, Tree]:
    parser = Parser()
    tree = Tree(SAFE)
    for i in range(0, len(text), step):
        tree.apply(parser.feed(text[i : i + step]))
    tree.apply(parser.finish())
    return parser.work, tree


def test_the_corpus_is_there() -> None:
    assert len(SHAPES) >= 60


def fitting(shape: dict[str, Any]) -> int:
    n: int = max(shape["sizes"])
    while n > 16 and len(build(shape["parts"], n)) > STREAMED:
        n //= 2
    return n


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: s["name"])
def test_growth(shape: dict[str, Any]) -> None:
    """Twice the size, less than 2.5 times the work: per character less than 1.25 times."""
    n = fitting(shape)
    small, large = build(shape["parts"], n // 2), build(shape["parts"], n)
    few, _ = work(small, 16)
    many, tree = work(large, 16)
    assert many / len(large) < 1.25 * few / len(small) + 3, (many, len(large), few, len(small))
    assert many < 100 * len(large) + 10_000
    assert text_of(tree) or shape["name"] in SILENT


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: s["name"])
def test_largest_size(shape: dict[str, Any]) -> None:
    text = build(shape["parts"], max(shape["sizes"]))
    units, _ = work(text, 2048)
    assert units < 60 * len(text) + 10_000
