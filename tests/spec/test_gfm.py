"""GFM 0.29: the 24 rules that it adds to CommonMark 0.29, and the examples of that."""

from __future__ import annotations

import pytest

from midstream.markdown.html import render
from tests.spec.corpora import Batch, Example, batches, gfm_core, gfm_extensions, hold
from tests.spec.differences import judge
from tests.spec.normal import normal
from tests.streams.check import check, once, run

CORE = gfm_core()
EXTENSIONS = gfm_extensions()


def test_the_corpus_is_there() -> None:
    assert [e["example"] for e in CORE][:649] == [*range(1, 650)]
    assert len({e["example"] for e in EXTENSIONS}) == 24


@pytest.mark.parametrize("example", EXTENSIONS, ids=lambda e: f"{e['example']}")
def test_extension(example: Example) -> None:
    tree = check(example["markdown"], "gfm")
    check(example["markdown"], "safe")
    assert normal(render(tree, "gfm")) == normal(example["html"])


CONTRADICTED = {628, 629, 630, 631, 653}
"""Bare URLs, mail addresses and the tag filter: CommonMark's own examples forbid them."""


@pytest.mark.parametrize("example", EXTENSIONS, ids=lambda e: f"{e['example']}")
def test_extension_beside_commonmark(example: Example) -> None:
    """The policy `spec` has all extensions that contradict nothing."""
    tree, _ = run(once(example["markdown"]), "spec")
    same = normal(render(tree, "spec")) == normal(example["html"])
    assert same == (example["example"] not in CONTRADICTED)


@pytest.mark.parametrize("examples", batches(CORE))
def test_core(examples: Batch) -> None:
    def check_html(example: Example) -> None:
        tree, _ = run(once(example["markdown"]), "spec")
        got, want = render(tree, "spec"), example["html"]
        judge("gfm", example["example"], normal(got) == normal(want), f"got {got!r}, want {want!r}")

    hold(examples, check_html)
