"""The table "Who may import whom" of ARCHITECTURE.md: true of every file of Python and JavaScript, without a circle."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tooling.places import HERE
from tooling.setup import npm

PROJECT = Path(__file__).parents[1]
PACKAGE = PROJECT / "py" / "midstream"
WEB = PROJECT / "web"
COMMANDS = {"cli", "render"}
MOST_FILES = 16
# A history, one file for each decision: it is read by its numbers, not as a table of contents.
UNBOUNDED = {"docs/decisions"}

Graph = dict[str, set[str]]
Row = tuple[set[str], set[str]]


@cache
def lines() -> list[list[list[str]]]:
    """The table: in each row the names of its three cells."""
    text = (PROJECT / "ARCHITECTURE.md").read_text()
    section = text.split("## Who may import whom", 1)[1].split("\n## ", 1)[0]
    rows = [line.split("|")[1:4] for line in section.splitlines() if line.startswith("| `")]
    return [[re.findall(r"`([^`]+)`", cell) for cell in row] for row in rows]


@cache
def table() -> dict[str, Row]:
    """Part → the parts and the packages from outside that its files may import. A part is called by the first
    name of its row: a folder, or files that lie lower than their folder."""
    return {names[0]: (set(inside), set(outside)) for names, inside, outside in lines()}


@cache
def part_of_name() -> dict[str, str]:
    """The part of each folder and file that the table names."""
    return {name: names[0] for names, _, _ in lines() for name in names}


# Python


def python_folder(module: str) -> str:
    """The part of a dotted module name: its file when the table names that, else its folder."""
    parts = module.split(".")[1:]
    if not parts or (len(parts) == 1 and not (PACKAGE / parts[0]).is_dir()):
        return "commands" if parts and parts[0] in COMMANDS else "core"
    if part := part_of_name().get(f"{'/'.join(parts)}.py"):
        return part
    while parts and not PACKAGE.joinpath(*parts).is_dir():
        parts.pop()
    folder = "/".join(parts)
    return part_of_name().get(folder, folder)


def name_of(path: Path) -> str:
    inside = path.relative_to(PACKAGE).with_suffix("")
    return ".".join(["midstream", *inside.parts]).removesuffix(".__init__")


def python_imports(path: Path) -> list[str]:
    """Every module that a file imports, anywhere in it, as an absolute dotted name; for types alone, too."""
    return imports_of(path.read_text(), ("midstream", *path.relative_to(PACKAGE).parent.parts))


@cache
def imports_of(source: str, package: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found += (_module(f"{module}.{alias.name}") for alias in node.names)
    return found


def _module(name: str) -> str:
    """Without the name of what is taken from the module."""
    parent, _, last = name.rpartition(".")
    if not name.startswith("midstream"):
        return parent
    path = PACKAGE.joinpath(*parent.split(".")[1:], last)
    return name if path.is_dir() or path.with_suffix(".py").exists() else parent


def python_breaches(path: Path) -> list[str]:
    name = name_of(path)
    own = python_folder(name)
    inside, outside = table()[own]
    found = []
    for module in sorted(set(python_imports(path))):
        top = module.split(".")[0]
        if top == "midstream":
            good = python_folder(module) in {own, *inside}
        else:
            good = top in outside or top in sys.stdlib_module_names
        if not good:
            found.append(f"{name} ({own}) imports {module}")
    return found


# JavaScript

IMPORT = re.compile(
    r"""^\s*(?:import|export)\b[^'"();]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)""",
    re.MULTILINE,
)


def web_folder(path: Path) -> str:
    folder = path.parent.relative_to(PROJECT).as_posix()
    return part_of_name().get(folder, folder)


def web_imports(path: Path) -> Iterator[Path]:
    """Every module of ours that a file imports; for types alone (JSDoc), too."""
    for names in IMPORT.findall(path.read_text()):
        name = next(filter(None, names))
        if name.startswith("."):
            yield Path(os.path.normpath(path.parent / name))


def web_breaches(path: Path) -> list[str]:
    own = web_folder(path)
    allowed = {own, *table()[own][0]}
    name = path.relative_to(PROJECT).as_posix()
    return [
        f"{name} imports {target.relative_to(PROJECT)}"
        for target in sorted(set(web_imports(path)))
        if web_folder(target) not in allowed
    ]


PYTHON = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted(path for kind in ("*.js", "*.mjs") for path in WEB.rglob(kind))


def folders() -> set[str]:
    python = {python_folder(name_of(path)) for path in PYTHON if path.stat().st_size}
    return python | {web_folder(path) for path in SCRIPTS}


def test_every_folder_has_its_row() -> None:
    assert set(table()) == folders()


def test_a_python_file_imports_only_what_it_may() -> None:
    assert [breach for path in PYTHON for breach in python_breaches(path)] == []


def test_a_script_imports_only_what_it_may() -> None:
    assert [breach for path in SCRIPTS for breach in web_breaches(path)] == []


def test_the_table_allows_nothing_that_nobody_imports() -> None:
    used: Graph = {folder: set() for folder in table()}
    for path in PYTHON:
        for module in python_imports(path):
            top = module.split(".")[0]
            used[python_folder(name_of(path))].add(python_folder(module) if top == "midstream" else top)
    for path in SCRIPTS:
        used[web_folder(path)] |= {web_folder(target) for target in web_imports(path)}
    unused = {folder: (inside | outside) - used[folder] for folder, (inside, outside) in table().items()}
    assert {folder: names for folder, names in unused.items() if names} == {}


def test_the_arrows_go_one_way() -> None:
    assert circle({folder: inside for folder, (inside, _) in table().items()}) == []


def test_no_two_python_modules_import_each_other() -> None:
    graph = {name_of(path): set(python_imports(path)) for path in PYTHON}
    assert circle({name: needs & graph.keys() - {name} for name, needs in graph.items()}) == []


def test_no_two_scripts_import_each_other() -> None:
    graph = {str(path.relative_to(WEB)): {str(t.relative_to(WEB)) for t in web_imports(path)} for path in SCRIPTS}
    assert circle(graph) == []


def circle(graph: Graph) -> list[str]:
    """The names along a circle; empty when there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        names: list[str] = error.args[1]
        return names
    return []


def test_only_the_browser_folder_names_the_browser() -> None:
    """So the rest of the engine is a library for any Python, and is tested as one."""
    words = re.compile(r"import js\b|pyodide")
    named = {python_folder(name_of(path)) for path in PYTHON if words.search(path.read_text())}
    assert named == {"engine/browser"}


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("gateway/made_up.py", "from midstream.markdown import Parser"),
        ("gateway/made_up.py", "from ..engine import app"),
        ("engine/made_up.py", "import midstream.gateway.config"),
        ("engine/store/made_up.py", "from midstream.engine.answers import answer"),
        ("engine/store/made_up.py", "import js"),
        ("session.py", "import js"),
        ("providers/made_up.py", "import httpx"),
        ("markdown/made_up.py", "def f():\n    from starlette import routing"),
    ],
)
def test_a_breach_of_python_is_seen(file: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda self: line)
    assert len(python_breaches(PACKAGE / file)) == 1


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("shared/made_up.js", "import { Port } from '../screen/port.js';"),
        ("shared/made_up.js", "/** @typedef {import('../screen/port.js').Message} Message */"),
        ("worker/made_up.js", "import '../screen/main.js';"),
        ("screen/page/made_up.js", "import {\n  a,\n  b,\n} from '../answer/transcript.js';"),
        ("engine/made_up.js", "const { a } = await import('../screen/main.js');"),
    ],
)
def test_a_breach_of_a_script_is_seen(file: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table()
    monkeypatch.setattr(Path, "read_text", lambda self: line)
    assert len(web_breaches(WEB / file)) == 1


def test_a_circle_is_seen() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) != []


def test_a_folder_reads_like_a_table_of_contents() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True)
    counts: dict[str, int] = {}
    for name in listed.stdout.splitlines():
        folder = str(Path(name).parent)
        counts[folder] = counts.get(folder, 0) + 1
    assert {folder for folder, count in counts.items() if count > MOST_FILES} == UNBOUNDED


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        ("export const made = (/** @type {Document} */ paper) => paper.createElement('p');", True),
        ("export const made = document.createElement('p');", False),
        ("export const found = (/** @type {Element} */ element) => element.closest('p');", False),
        ("export const stored = localStorage.getItem('midstream.draft');", False),
    ],
)
def test_a_shared_module_cannot_use_a_document(line: str, fits: bool, tmp_path: Path) -> None:
    (tmp_path / "made_up.js").write_text(line + "\n")
    config = {
        "extends": str(PROJECT / "tsconfig.shared.json"),
        "include": ["made_up.js", str(WEB / "worker/dom.d.ts")],
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    compiler = PROJECT / "node_modules" / "typescript/bin/tsc"
    ran = subprocess.run([str(npm.node(HERE)), compiler, "--project", tmp_path], capture_output=True, text=True)
    assert (ran.returncode == 0) is fits, ran.stdout
