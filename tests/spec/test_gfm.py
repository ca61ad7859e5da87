"""The GFM specification (0.29): its 24 extension examples, and its CommonMark ones."""

from __future__ import annotations

from typing import Any

import pytest

from midstream.markdown.html import render
from tests.spec.corpora import load, need
from tests.spec.differences import judge
from tests.spec.normal import normal
from tests.streams.check import check, once, run

EXAMPLES = load("gfm.json")
EXTENSIONS = [e for e in EXAMPLES if e["is_extension"]]


def test_the_corpus_is_there() -> None:
    need("gfm.json")
    assert (len(EXAMPLES), len(EXTENSIONS)) == (673, 24)


@pytest.mark.parametrize("example", EXTENSIONS, ids=lambda e: f"{e['example']}")
def test_extension(example: dict[str, Any]) -> None:
    tree = check(example["markdown"], "gfm")
    check(example["markdown"], "safe")
    assert normal(render(tree, "gfm")) == normal(example["html"])


CONTRADICTED = {628, 629, 630, 631, 653}
"""Bare URLs, mail addresses and the tag filter: CommonMark's own examples forbid them."""


@pytest.mark.parametrize("example", EXTENSIONS, ids=lambda e: f"{e['example']}")
def test_extension_beside_commonmark(example: dict[str, Any]) -> None:
    """The policy `spec` has all extensions that contradict nothing."""
    tree, _ = run(once(example["markdown"]), "spec")
    same = normal(render(tree, "spec")) == normal(example["html"])
    assert same == (example["example"] not in CONTRADICTED)


@pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if not e["is_extension"]], ids=lambda e: f"{e['example']}"
)
def test_core(example: dict[str, Any]) -> None:
    tree, _ = run(once(example["markdown"]), "spec")
    got, want = render(tree, "spec"), example["html"]
    judge("gfm", example["example"], normal(got) == normal(want), f"got {got!r}, want {want!r}")
