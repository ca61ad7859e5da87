"""Texts that once gave another tree when cut, or that a careless checkpoint would break."""

from __future__ import annotations

import random

import pytest

from tests.streams.check import assert_same, check, once, random_cuts, run

CASES = [
    # A run between letters may open although it is not shown as open.
    "a*b c d*e f\n",
    "a~b c~d e\n",
    "x `a b\nc d` e\n",
    "a <b c\nd='e f'> g\n",
    "a <!-- b *c d* --> e\n",
    "a $x y z$ b $5 c $6 d\n",
    "a \\(b c d\\) e\n",
    "[a b c d][e f] g [h i](j\n'k l') m\n\n[e f]: /u\n",
    '![a b c](d\n"e f") g\n',
    "[a [b c] d e](f) g\n",
    # The text may end in the backslash of an escape, or of a hard break, inside a label.
    "[a\\\nb][foo\\\nbar] c\n\n[foo\\\nbar]: /u\n",
    "[a][b\\]c] d\n\n[b\\]c]: /u\n",
    "[a](b\\)c 'd\\'e') f\n",
    "[b\\]c]: <d\\>e> 'f\\'g'\n[b\\]c]\n",
    # A bare link must not know what stood before a checkpoint.
    "![ http://a]: <\n",
    "[[] www.a]] $\n",
    "[ []http://x]: >\n",
    "<a href=x>see http://a.b c</a> http://d.e\n",
    # A formula's lines are decided by its whole first line.
    "$$\n1. |\n",
    "$$ a $$\n- b\n",
    "\\[\n* a\n",
    # A paragraph that shows nothing is still there, and so is what follows it.
    "[]()\n",
    "[]()\no\n",
    # Definitions, titles and headings that decide late.
    "[a]: /u\n'b\nc'\nd [a]\n",
    "[a]: /u 'b\nc\n\n[a]\n",
    "[foo]: /url\n===\n[foo]\n",
    "- [ ] a\n  ===\n- [x] b\n  ---\n",
    "| a |\n| b |\n|---|\n| c |\nd\n\n[late]\n\n| [late] |\n|-|\n\n[late]: /u\n",
    "> - a [x]\n> - b\n\n1. c [x]\n\n[x]: /u\n",
    # White space at the ends of lines and of the text.
    "a  \n\nb\\\n",
    "    a  \n\n\n    b\n\n\nc\n",
    "`` a\n  b ` ",
    "# a #  \n# b \\#\n# #\n",
    "中文*强调*中文**粗体**中文`代码`中文[链](接)中文\n",
]


@pytest.mark.parametrize("text", CASES)
@pytest.mark.parametrize("policy", ["safe", "gfm", "spec"])
def test_case(text: str, policy: str) -> None:
    check(text, policy, seeds=(1, 2, 3, 4))


_PLAIN = """
    alpha beta gamma delta snake_case a*b c*d 5 3.14 é 中文 😀 & < > ! $5 $x$ ~ ] ( )
"""
_MARKED = """
    www.a.b http://x.y/z m@n.op `code` *em* **strong** [link](u) &amp; [ref] _u_ ~~s~~
    `open **open [open _open *open ![i](https://a.b/c) <b> \\* \\( ]( ** * ` $$ [^1]
"""
_WORDS = [*_PLAIN.split(), *_MARKED.split()]


@pytest.mark.parametrize("seed", range(24))
def test_long_paragraphs(seed: int) -> None:
    """Thousands of characters in one leaf: checkpoints, and parsing only now and then."""
    chance = random.Random(seed)
    some = [chance.choice(_WORDS) for _ in range(chance.choice([3, 10, 40]))]
    words = [
        chance.choice(some) if chance.random() < 0.3 else chance.choice(_PLAIN.split())
        for _ in range(chance.randint(100, 700))
    ]
    text = "".join(word + chance.choice([*" " * 20, "\n", "  \n"]) for word in words)
    text += "\n\n[ref]: /u\n\n[^1]: x\n" if seed % 2 else ""
    for policy in ("safe", "gfm"):
        want, _ = run(once(text), policy)
        for parts in (random_cuts(text, seed, 9), random_cuts(text, seed, 60)):
            assert_same(run(parts, policy)[0], want, "cut", parts)
