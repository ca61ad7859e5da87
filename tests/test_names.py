"""A public class has a name of its own: a search for it leads to one place."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "py" / "midstream"

# Names that stand twice, and why. At most three.
TWICE: dict[str, str] = {}


def classes(source: str) -> list[str]:
    """The public classes that a module defines for others."""
    body = ast.parse(source).body
    return [node.name for node in body if isinstance(node, ast.ClassDef) and node.name[0] != "_"]


def repeated(modules: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """`modules`: pairs of name and source. Each class that several define: their names."""
    places = defaultdict(list)
    for name, source in modules:
        for found in classes(source):
            places[found].append(name)
    return {found: names for found, names in places.items() if len(names) > 1}


def test_no_public_class_has_the_name_of_another() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    found = repeated((str(file.relative_to(PACKAGE)), file.read_text()) for file in files)
    assert {name: places for name, places in found.items() if name not in TWICE} == {}
    assert TWICE.keys() <= found.keys(), "an exception that is needed no more"


def test_there_are_few_exceptions() -> None:
    assert len(TWICE) <= 3


def test_a_repeated_name_is_seen() -> None:
    modules = [("a", "class A: ...\nclass _B: ..."), ("b", "class A(B): ...\nclass _B: ...")]
    assert repeated(modules) == {"A": ["a", "b"]}
