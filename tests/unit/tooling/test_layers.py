"""The folders of tooling/ import in one direction."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TOOLING = Path(__file__).parents[3] / "tooling"
# Each may import itself and those before it; "" are the modules beside the folders that all may import.
FOLDERS = ("setup", "checks", "parts", "assets")
ORDER = ("", *FOLDERS, "watch", "commands")


def part_of(names: tuple[str, ...]) -> str:
    """Of the path of a module below tooling/."""
    return names[0] if names and names[0] in ORDER else ""


def imported(path: Path) -> set[str]:
    """The parts of tooling/ that a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tooling":
            above = (node.module or "").split(".")[1:]
            found |= {part_of((*above, alias.name)) for alias in node.names}
    return found


@pytest.mark.parametrize("path", sorted(TOOLING.rglob("*.py")), ids=lambda path: str(path.relative_to(TOOLING)))
def test_a_folder_imports_only_those_before_it(path: Path) -> None:
    own = part_of(path.relative_to(TOOLING).with_suffix("").parts)
    assert {part for part in imported(path) if ORDER.index(part) > ORDER.index(own)} == set()


def test_a_folder_is_of_a_size_that_can_be_read() -> None:
    sizes = {folder.name: len(list(folder.glob("*.*"))) for folder in TOOLING.iterdir()}
    assert {name for name, size in sizes.items() if size > 16} == set()
    folders = {folder.name for folder in TOOLING.iterdir() if folder.is_dir()}
    assert folders - {"__pycache__"} == set(FOLDERS)
