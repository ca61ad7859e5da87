"""A streamed document in mistletoe's hands: HTML, LaTeX and Markdown by its own renderers, on all
examples of CommonMark and of GFM's extensions, and on whole answers."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mistletoe
import pytest
from mistletoe import block_token, span_token
from mistletoe.ast_renderer import AstRenderer
from mistletoe.html_renderer import HtmlRenderer
from mistletoe.latex_renderer import LaTeXRenderer
from mistletoe.markdown_renderer import MarkdownRenderer
from packaging.version import Version

from midstream.markdown import Parser, to_mistletoe
from midstream.markdown.html import render
from midstream.patch import Tree
from tests.spec.corpora import commonmark, gfm_extensions
from tests.spec.normal import normal
from tests.streams.check import once, outline, run

PINNED = tomllib.loads(Path(__file__).with_name("mistletoe.toml").read_text(encoding="utf-8"))
ANSWERS = Path(__file__).parents[1] / "streams" / "answers"
FURTHER = ", further"  # another example of a rule, which lies beside the checkout (`corpora.elsewhere`)
MADE_UP = {
    "blocked image": "![*a* b](https://example.org/i.png)\n",
    "break in a cell": "|a|\n|-|\n|b<br>c|\n",
    "lists beside each other": "- a\n+ b\n* c\n\n1. d\n2) e\n",
    "note of two blocks": "a[^x]\n\n[^x]: b\n\n    c\n",
    "text that looks like Markdown": "\\# a\n\\- b\n1\\. c\n\\> d \\*e\\* \\[f\\](g) h\\!\n\\+ i\n\\=\n",
}


def texts() -> Iterator[tuple[str, str, str]]:
    """(policy, name, Markdown)."""
    for policy in ("spec", "safe"):
        for example in commonmark():
            yield policy, f"commonmark {example['example']}", example["markdown"]
    for policy in ("gfm", "safe"):
        ours: set[int] = set()
        for example in gfm_extensions():
            number = example["example"]
            yield policy, f"gfm {number}{FURTHER if number in ours else ''}", example["markdown"]
            ours.add(number)
    for path in sorted(ANSWERS.glob("*.md")):
        yield "safe", path.name, path.read_text(encoding="utf-8")
    for name, text in MADE_UP.items():
        yield "safe", name, text


TREES = {
    (policy, name): run(once(text), policy)[0] for policy, name, text in texts()
}  # parsed once, for all of the tests


def as_mistletoe_has_it(html: str) -> tuple[str, list[str]]:
    """Our HTML with all pinned differences, and the reasons of those that are in it."""
    reasons = []
    for pinned in PINNED["html"]:
        html, count = re.subn(pinned["ours"], pinned["theirs"], html)
        reasons += [pinned["reason"]] * bool(count)
    return html, reasons


def markdown(tree: Tree) -> str:
    with MarkdownRenderer() as renderer:
        return str(renderer.render(to_mistletoe(tree, renderer)))


def test_html_differs_only_where_it_is_pinned() -> None:
    found: set[str] = set()
    for (policy, name), tree in TREES.items():
        ours, reasons = as_mistletoe_has_it(normal(render(tree, "spec")))
        with HtmlRenderer() as renderer:
            theirs = normal(renderer.render(to_mistletoe(tree, renderer)))
        assert theirs == ours, f"{name} ({policy})"
        found |= set(reasons)
    assert found == {pinned["reason"] for pinned in PINNED["html"]}


def test_markdown_gives_the_same_tree_but_where_it_is_pinned() -> None:
    version = Version(mistletoe.__version__)
    pinned = {
        (policy, name)
        for entry in PINNED["markdown"]
        if "before" not in entry or version < Version(entry["before"])
        for policy in entry["policies"]
        for name in entry["examples"]
        if (policy, name) in TREES or not name.endswith(FURTHER)
    }
    differs = {
        (policy, name)
        for (policy, name), tree in TREES.items()
        if outline(run(once(markdown(tree)), policy)[0]) != outline(tree)
    }
    assert differs == pinned


def test_latex_takes_every_document() -> None:
    for (policy, name), tree in TREES.items():
        with LaTeXRenderer() as renderer:
            tex = renderer.render(to_mistletoe(tree, renderer))
        assert tex.endswith("\\end{document}\n"), f"{name} ({policy})"


def test_latex_has_formulas_as_formulas() -> None:
    tree, _ = run(["Euler: $e^{i\\pi}$ and 100% $\n\n$$\na_1\n$$\n"])
    with LaTeXRenderer() as renderer:
        tex = renderer.render(to_mistletoe(tree, renderer))
    assert "$e^{i\\pi}$ and 100\\% \\$" in tex and "$$a_1$$" in tex


@pytest.mark.parametrize("kind", [HtmlRenderer, LaTeXRenderer, AstRenderer])
def test_without_its_renderer_a_document_has_only_tokens_that_all_know(kind: type) -> None:
    tree, _ = run(["a <b> $c$[^d] <br> e\n\n<div>\n\n- [x] f\n\n[^d]: g\n"], "spec")
    with kind() as renderer:
        assert renderer.render(to_mistletoe(tree))


def test_an_answer_can_be_printed_while_it_is_written() -> None:
    """A link whose target has not come yet is its text."""
    tree = Tree().apply(Parser().feed("see **the [do*cs*](https://exam"))
    with HtmlRenderer() as renderer:
        html = renderer.render(to_mistletoe(tree, renderer))
    assert html == "<p>see <strong>the do<em>cs</em></strong></p>\n"


def test_tokens_are_mistletoes_own() -> None:
    tree, _ = run(["# a *b*\n\n3. c\n"])
    document: Any = to_mistletoe(tree)
    heading, items = document.children
    assert isinstance(document, block_token.Document) and document.footnotes == {}
    assert (type(heading), heading.level, heading.parent) == (block_token.Heading, 1, document)
    assert [type(token) for token in heading.children] == [span_token.RawText, span_token.Emphasis]
    assert (type(items), items.start, items.loose) == (block_token.List, 3, False)
    assert "Heading" in repr(heading)


def test_an_engine_starts_without_mistletoe() -> None:
    code = "import sys, midstream.engine.app, midstream.markdown as markdown\n"
    code += "markdown.Parser().feed('*a* `b`')\nprint('mistletoe' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "py"},
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "False\n"
