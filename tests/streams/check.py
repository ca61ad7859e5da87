"""The one way a text is held against the parser, whatever the corpus.

`check` feeds a text at once, per character, at seeded random cuts and as bytes cut inside
characters, and asserts of every way: the tree in the end is the same, no op touches what is sealed,
every op is inside the policy's vocabulary, the same pieces give the same ops. A failure shows the
two trees as a diff.
"""

from __future__ import annotations

import codecs
import difflib
import random
from collections.abc import Iterable, Iterator, Sequence

from midstream.markdown import Parser
from midstream.patch import SAFE, Node, Op, Tree, validate

SPEC = {**SAFE, "#html": frozenset[str](), "img": frozenset({"src", "alt", "title"})}


def once(text: str) -> list[str]:
    """The text in one piece."""
    return [text] if text else []


def characters(text: str) -> list[str]:
    """One character at a time."""
    return list(text)


def random_cuts(text: str, seed: int, longest: int = 24) -> list[str]:
    """Pieces of 1 to `longest` characters, the same for the same seed."""
    chance = random.Random(f"{seed} {len(text)}")
    parts, at = [], 0
    while at < len(text):
        size = chance.randint(1, longest)
        parts.append(text[at : at + size])
        at += size
    return parts


def byte_cuts(text: str, size: int = 1) -> list[str]:
    """What an incremental decoder makes of UTF-8 cut every `size` bytes, characters or not."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    data = text.encode("utf-8", "replace")
    return [decode(data[i : i + size]) for i in range(0, len(data), size)]


def run(parts: Iterable[str], policy: str = "safe") -> tuple[Tree, list[list[Op]]]:
    """The tree in the end, and the ops of every piece; sealed elements must stay untouched."""
    parser = Parser(policy)
    tree = Tree(SAFE if policy == "safe" else None)
    vocabulary = SAFE if policy == "safe" else SPEC
    batches = []
    for ops in _ops(parser, parts):
        validate([op for op in ops if policy == "safe" or op[0] != 2], vocabulary)
        tree.apply(ops)
        batches.append(ops)
    return tree, batches


def _ops(parser: Parser, parts: Iterable[str]) -> Iterator[list[Op]]:
    for part in parts:
        yield parser.feed(part)
    yield parser.finish()


def outline(tree: Tree) -> list[str]:
    """The tree as lines, one per node, for comparing and for showing differences."""
    lines: list[str] = []
    stack: list[tuple[int, Node | str]] = [(0, child) for child in tree.root.children[::-1]]
    while stack:
        depth, node = stack.pop()
        if isinstance(node, str):
            lines.append(f"{'  ' * depth}{node!r}")
        else:
            attrs = "".join(f" {k}={v!r}" for k, v in sorted(node.attrs.items()))
            lines.append(f"{'  ' * depth}{node.tag}{attrs}")
            stack.extend((depth + 1, child) for child in node.children[::-1])
    return lines


def assert_same(got: Tree, want: Tree, what: str, parts: Sequence[str]) -> None:
    """Fail with a diff of the trees when they differ."""
    a, b = outline(want), outline(got)
    if a != b:
        diff = "\n".join(difflib.unified_diff(a, b, "at once", what, lineterm="", n=4))
        raise AssertionError(f"{what} gives another tree for {''.join(parts)[:2000]!r}\n{diff}")


def check(text: str, policy: str = "safe", *, per_character: bool = True, seeds: Sequence[int] = (1, 2)) -> Tree:
    """Hold a text against the parser every way; returns the tree."""
    want, _ = run(once(text), policy)
    ways = {f"random cuts with seed {seed}": random_cuts(text, seed) for seed in seeds}
    ways["bytes in threes"] = byte_cuts(text, 3)
    if per_character:
        ways["per character"] = characters(text)
    for what, parts in ways.items():
        got, ops = run(parts, policy)
        assert_same(got, want, what, parts)
        assert all(node.sealed for node in got.root.children if isinstance(node, Node)), what
        if what.startswith("random"):
            assert run(parts, policy)[1] == ops, "the same pieces gave other ops"
    return want
