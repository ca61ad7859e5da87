"""Long answers as models write them, in answers/: one tree whatever the cuts, and no long silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from midstream.markdown import Parser
from midstream.patch import Node, Tree
from tests.streams.check import check, random_cuts

ANSWERS = sorted((Path(__file__).parent / "answers").glob("*.md"))
LAG = 340
"""Characters that may be in the source and not yet on the screen: a link's target and what surrounds it."""


def size(tree: Tree) -> int:
    total = 0
    stack: list[Node | str] = [*tree.root.children]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            total += len(node)
        else:
            stack += node.children
    return total


@pytest.mark.parametrize("path", ANSWERS, ids=lambda p: p.stem)
def test_one_tree_whatever_the_cuts(path: Path) -> None:
    check(path.read_text(encoding="utf-8"), seeds=(1, 2, 3))


@pytest.mark.parametrize("path", ANSWERS, ids=lambda p: p.stem)
def test_text_is_never_held_back_for_long(path: Path) -> None:
    """From piece to piece what is shown keeps up with what was fed, and hardly ever shrinks."""
    text = path.read_text(encoding="utf-8")
    parser, tree = Parser(), Tree()
    fed, silent, longest, last, shrunk = 0, 0, 0, 0, 0
    for part in random_cuts(text, 5, 8):
        tree.apply(parser.feed(part))
        fed += len(part)
        now = size(tree)
        silent = silent + len(part) if now <= last else 0
        longest = max(longest, silent)
        shrunk += max(0, last - now)
        last = now
    assert longest <= LAG
    assert shrunk <= 0.03 * len(text)


def test_there_are_answers() -> None:
    assert len(ANSWERS) >= 5
