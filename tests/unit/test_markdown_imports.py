"""The order of the parser's modules: what is below imports nothing of what is above."""

from __future__ import annotations

from graphlib import TopologicalSorter

import pytest

from tests.test_imports import PACKAGE, imports

ORDER = ["", "inline", "blocks", "top"]
TOP = {"__init__", "parser", "mistletoe_blocks", "mistletoe_spans"}
FILES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted((PACKAGE / "markdown").rglob("*.py"))
}


def layer(name: str) -> int:
    """Of `markdown.links`: the root's modules are at the bottom, but for its doors."""
    _, *folder, module = name.split(".")
    return ORDER.index(folder[0] if folder else "top" if module in TOP else "")


def needs(name: str) -> set[str]:
    """The parser's modules that a module imports, also only for its types."""
    found = {module.removeprefix("midstream.") for module in imports(FILES[name])}
    return {part for module in found for part in (module, module.rpartition(".")[0])} & set(FILES)


def test_no_circle() -> None:
    list(TopologicalSorter({name: needs(name) for name in FILES}).static_order())


@pytest.mark.parametrize("name", FILES)
def test_what_is_below_knows_nothing_of_what_is_above(name: str) -> None:
    assert [other for other in needs(name) if layer(other) > layer(name)] == []
