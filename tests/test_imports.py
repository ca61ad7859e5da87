"""The import rule of ARCHITECTURE.md: which part of the package may see which."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "py" / "midstream"
CORE = {
    "__init__",
    "errors",
    "events",
    "problems",
    "problem_texts",
    "policies",
    "sse",
    "journal",
    "names",
    "session",
    "patch",
    "seam",
    "text",
}
COMMANDS = {"cli", "render"}
ROOMS = {"markdown", "providers", "engine", "gateway"}

# What each part may import beside itself and the standard library.
ALLOWED = {
    "core": {"core"},
    "markdown": {"core", "mistletoe"},
    "providers": {"core"},
    "engine": {"core", "markdown", "providers", "js", "pyodide", "polyscript", "pyscript"},
    "gateway": {
        "core",
        "providers",
        "starlette",
        "uvicorn",
        "httpx",
        "redis",
        "xllamacpp",
        "anyio",
    },
    "commands": {"core", "markdown", "providers", "gateway", "commands"},
}


def part_of(module: str) -> str:
    """The part that a dotted module name inside the package belongs to."""
    first = module.split(".")[1] if "." in module else "__init__"
    if first in ROOMS:
        return first
    return "commands" if first in COMMANDS else "core"


def imports(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it, as absolute dotted names."""
    package = ["midstream", *path.relative_to(PACKAGE).parent.parts]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def breaches(path: Path) -> list[str]:
    name = ".".join(["midstream", *path.relative_to(PACKAGE).with_suffix("").parts])
    own = part_of(name)
    found = []
    for module in sorted(imports(path)):
        top = module.split(".")[0]
        target = part_of(module) if top == "midstream" else top
        if target not in {own, *ALLOWED[own]} and target not in sys.stdlib_module_names:
            found.append(f"{name} ({own}) imports {module}")
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_part_imports_only_what_it_may(path: Path) -> None:
    assert breaches(path) == []


def test_every_top_level_module_has_its_part() -> None:
    top = {path.stem for path in PACKAGE.glob("*.py")} | {
        path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()
    }
    assert top == CORE | COMMANDS | ROOMS


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("gateway/made_up.py", "from midstream.markdown import Parser"),
        ("gateway/made_up.py", "from ..engine import app"),
        ("engine/made_up.py", "import midstream.gateway.runs.relay"),
        ("session.py", "import js"),
        ("providers/made_up.py", "import httpx"),
        ("markdown/made_up.py", "def f():\n    from starlette import routing"),
    ],
)
def test_a_breach_is_seen(file: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda self: line)
    assert len(breaches(PACKAGE / file)) == 1
