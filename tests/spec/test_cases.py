"""Cases found in the field (tests/cases/markdown.jsonl): what the screen shows, in the end and on the way.

A case of which the file gives no HTML has its condition here, under its number (that of its line).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from midstream.markdown import Parser
from midstream.markdown.html import render
from midstream.markdown.limits import HOLD
from midstream.patch import Tree
from tests.spec.normal import normal
from tests.streams.check import check

_FILE = Path(__file__).parents[1] / "cases" / "markdown.jsonl"
CASES = [json.loads(line) for line in _FILE.read_text(encoding="utf-8").splitlines()]

FAILING = {
    1, 2,  # crashes
    3,  # other at once than streamed
    4, 5, 28,  # footnotes
    6, 7, 8, 9, 10, 18, 24, 25,  # formulas
    11, 12, 13, 14, 22,  # bare links
    15, 16, 17,  # blocks
    19, 20, 21, 23,  # emphasis
    26, 27,  # held back too long
}  # fmt: skip
"""The cases that are wrong today. One that is right comes off this list, or its test fails."""


def text_of(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)


def longest_lag(states: list[str]) -> int:
    """Characters that had come and were not on the screen; these texts are shown as they are."""
    return max(k - len(text_of(html)) for k, html in enumerate(states, 1))


FORMULA = re.compile(r'<code data-math="\w+">.*?</code>', re.DOTALL)


def formulas(html: str) -> list[str]:
    return [" ".join(text_of(found).split()) for found in FORMULA.findall(html)]


CONDITIONS: dict[int, Callable[[list[str]], bool]] = {
    6: lambda s: "<p>We have:</p>" in s[-1] and formulas(s[-1]) == ["a = b"],
    7: lambda s: formulas(s[-1]) == ["a + b"] and s[-1].count("<li>") == 2,
    11: lambda s: '<a href="https://example.com">https://example.com</a>了解' in s[-1],
    14: lambda s: "<a " not in s[-1],
    16: lambda s: "<p>a</p>" in s[-1] and "<p>b</p>" in s[-1],
    17: lambda s: s[-1].startswith("<p>a | b</p>") and "<ul>" in s[-1],
    18: lambda s: "<td>" in s[-1] and formulas(s[-1]) == ["|x|"],
    20: lambda s: "<strong>注意\N{FULLWIDTH COLON}</strong>正文" in s[-1],
    21: lambda s: "<del>" not in s[-1],
    22: lambda s: 'href="https://example.com/a"' in s[-1] and "</a>\N{FULLWIDTH COMMA}然后继续" in s[-1],
    23: lambda s: not any("<del>" in html for html in s),
    24: lambda s: formulas(s[len("The root of $2x + 3 = 7$ ") - 1]) == ["2x + 3 = 7"],
    25: lambda s: not any(text_of(FORMULA.sub("", html)).strip() for html in s),
    26: lambda s: longest_lag(s) <= HOLD,
    27: lambda s: longest_lag(s) <= HOLD,
    28: lambda s: "<sup" in s[len("A claim[^1] ") - 1],
}


def states(text: str, policy: str) -> list[str]:
    """The HTML after every character, and after the end."""
    parser, tree, out = Parser(policy), Tree(), []
    for character in text:
        tree.apply(parser.feed(character))
        out.append(render(tree, policy))
    tree.apply(parser.finish())
    return [*out, render(tree, policy)]


def parameters() -> list[Any]:
    return [
        pytest.param(
            number, case, id=f"{number}",
            marks=[pytest.mark.xfail(strict=True, reason=case["why"])] * (number in FAILING),
        )
        for number, case in enumerate(CASES, 1)
    ]  # fmt: skip


def test_every_case_says_what_is_right() -> None:
    told = {number for number, case in enumerate(CASES, 1) if case["expected"].startswith("<")}
    assert told.isdisjoint(CONDITIONS)
    assert told | set(CONDITIONS) == set(range(1, len(CASES) + 1)) >= FAILING


@pytest.mark.parametrize(("number", "case"), parameters())
def test_case(number: int, case: dict[str, str]) -> None:
    policy = case["why"].rsplit("[policy ", 1)[1].split(",")[0]
    check(case["markdown"], policy)
    shown = states(case["markdown"], policy)
    if number in CONDITIONS:
        right = CONDITIONS[number](shown)
        assert right, shown[-1]
    else:
        assert normal(shown[-1]) == normal(case["expected"])
