"""No expression that meets foreign text costs more than in proportion to it: for twice the text at most 2.5 times
the work."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from midstream.engine.ports.watchdog import OverTime
from midstream.engine.search import folding
from midstream.engine.transfer import documents, openwebui
from midstream.markdown.inline.parser import specials
from midstream.markdown.policy import gate, policy
from midstream.problems import shortened
from midstream.providers import demo
from midstream.sse import Decoder
from midstream.text import title_of, whole_characters
from tests.growth.expressions import Expression, compiled, expressions, sample
from tests.growth.growth import DOUBLINGS, ENOUGH, factor, seconds
from tests.support.watchdog import SignalWatchdog

pytestmark = pytest.mark.full_run(reason="expressions are measured one by one")

TABLE = Path(__file__).parents[2] / "docs/foreign-text.md"
ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| (.+) \|$", re.MULTILINE)
# Not found in the sources for each worker, which takes seconds: `test_the_table_has_every_expression` does that.
ROWS = [Expression(file, name, tuple(uses.split(", "))) for file, name, uses in ROW.findall(TABLE.read_text("utf-8"))]
CONSTANTS = [each for each in ROWS if each.name.isidentifier()]

LENGTH = 20_000
LINEAR_S = 0.01  # a work that grew with the square would take ten times as long at this length
SHAPES = [
    "a",
    " ",
    "\n",
    "\t",
    "0",
    "-",
    "*",
    "<",
    "[",
    "\\",
    "`",
    '"',
    "&",
    "a.",
    "a ",
    " \n",
    "\\[",
    "a@",
    "\u0301\u0315",
    "é",
]


def shapes(pattern: re.Pattern[Any]) -> set[str]:
    """What may be repeated: single characters, and each beginning of what the expression is made for."""
    text = sample(pattern)[:60]
    return {*SHAPES, *(text[:end] for end in range(1, len(text) + 1)), *(text[start:] for start in range(1, len(text)))}


def work(pattern: re.Pattern[Any], method: str) -> Callable[[str], object]:
    used = getattr(pattern, method)
    if isinstance(pattern.pattern, bytes):
        return lambda text: used(text.encode())
    if method == "sub":
        return lambda text: used("", text)
    return lambda text: deque(used(text), 0) if method == "finditer" else used(text)


def test_the_table_has_every_expression() -> None:
    assert set(ROWS) == set(expressions())


@pytest.mark.parametrize("expression", CONSTANTS, ids=str)
def test_the_work_of_an_expression_grows_with_the_text(expression: Expression) -> None:
    assert expression.methods
    bad = [
        (method, shape)
        for pattern in compiled(expression)
        for method in expression.methods
        for shape in shapes(pattern)
        for end in ("", "\0")
        if _grows(work(pattern, method), shape, end)
    ]
    assert bad == []


def _grows(one: Callable[[str], object], shape: str, end: str = "") -> bool:
    """More than in proportion to the text."""

    def text(size: int) -> str:
        return (shape * (size // len(shape) + 1))[:size] + end

    try:
        with SignalWatchdog().limit(5.0):
            return seconds(one, text(LENGTH)) > LINEAR_S and factor(one, text, LENGTH >> DOUBLINGS) > ENOUGH
    except OverTime:
        return True


# What stands in the table without a name of its own, and what Python's library does with a text

FUNCTIONS: dict[str, Callable[[str], object]] = {
    "fold": folding.fold,
    "spans": lambda text: folding.spans(text, ["a", "\u0301", "aaaaaaaab"]),
    "marked": lambda text: folding.marked(text, ["a", "x"]),
    "snippet": lambda text: folding.snippet(text, len(text) // 2, ["a"]),
    "title_of": title_of,
    "whole_characters": whole_characters,
    "file_name": lambda text: documents.file_name({"id": text}, 0),
    "conversation_name": lambda text: documents.conversation_name({"title": text}, "md"),
    "thought": openwebui._thought,
    "shortened": shortened,
    "demo": lambda text: [*demo.tokens(text)],
    "gate": gate,
    "specials": lambda text: [*specials(policy("safe")).finditer(text)],
    "events": lambda text: Decoder().feed(text.encode("utf-8", "surrogatepass")),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_work_of_a_function_grows_with_the_text(name: str) -> None:
    shapes = [*SHAPES, "&#9", "&amp;", "<summary>", "> ", '["', "http://a/", "%", "\ud83d", "data: x\n"]
    bad = [shape for shape in shapes if _grows(FUNCTIONS[name], shape)]
    assert bad == []
