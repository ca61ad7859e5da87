"""CommonMark 0.31.2: all 652 examples, byte for byte, however they are cut."""

from __future__ import annotations

import pytest

from midstream.markdown.html import render
from tests.spec.corpora import Batch, Example, batches, commonmark, hold
from tests.streams.check import check

EXAMPLES = commonmark()


def test_the_corpus_is_there() -> None:
    assert [e["example"] for e in EXAMPLES][:652] == [*range(1, 653)]


@pytest.mark.parametrize("examples", batches(EXAMPLES))
def test_examples(examples: Batch) -> None:
    def check_html(example: Example) -> None:
        assert render(check(example["markdown"], "spec"), "spec") == example["html"]

    hold(examples, check_html)


@pytest.mark.parametrize("examples", batches(EXAMPLES[::3]))
def test_safe_examples(examples: Batch) -> None:
    """The screen's policy: no expected HTML, but one tree whatever the cuts."""

    def check_cuts(example: Example) -> None:
        check(example["markdown"], "safe", seeds=(3,))

    hold(examples, check_cuts)


def test_the_corpus_as_one_document() -> None:
    """Examples after each other, late definitions and all: nothing leaks from one into the next
    in another way than in one piece."""
    for first in range(0, len(EXAMPLES), 60):
        text = "\n\n".join(e["markdown"] for e in EXAMPLES[first : first + 60])
        check(text, "spec", per_character=first % 120 == 0, seeds=(first,))
