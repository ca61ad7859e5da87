"""CommonMark 0.31.2: all 652 examples, byte for byte, however they are cut."""

from __future__ import annotations

from typing import Any

import pytest

from midstream.markdown.html import render
from tests.spec.corpora import commonmark
from tests.streams.check import check

EXAMPLES = commonmark()


def test_the_corpus_is_there() -> None:
    assert [e["example"] for e in EXAMPLES][:652] == [*range(1, 653)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e['example']}")
def test_example(example: dict[str, Any]) -> None:
    tree = check(example["markdown"], "spec")
    assert render(tree, "spec") == example["html"]


@pytest.mark.parametrize("example", EXAMPLES[::3], ids=lambda e: f"{e['example']}")
def test_safe_example(example: dict[str, Any]) -> None:
    """The screen's policy: no expected HTML, but one tree whatever the cuts."""
    check(example["markdown"], "safe", seeds=(3,))


def test_the_corpus_as_one_document() -> None:
    """Examples after each other, late definitions and all: nothing leaks from one into the next
    in another way than in one piece."""
    for first in range(0, len(EXAMPLES), 60):
        text = "\n\n".join(e["markdown"] for e in EXAMPLES[first : first + 60])
        check(text, "spec", per_character=first % 120 == 0, seeds=(first,))
