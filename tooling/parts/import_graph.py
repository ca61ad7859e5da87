"""The modules that the memory snapshot has imported: all of the app that does not touch the browser.
And the modules of the standard library that the page needs: the imports of those and of the others.

A module that imports `js` or `pyodide` (itself, or through another module of the app) must be
imported in the page: objects of the browser cannot be frozen. So is what few ask for (`LATER`).
Everything else may be frozen.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

# Imported by whoever asks for it, and not before: `midstream.markdown.to_mistletoe`.
LATER = frozenset({"mistletoe"})
# Only in the page. (`pyodide.ffi` could be imported anywhere, but binds to one interpreter's JS.)
BROWSER = frozenset({"js", "pyodide", "pyodide_js", "pyscript", "polyscript", "_pyodide", "micropip"})
# Parts of the package for the server and the command line: not in the page's zip at all.
SERVER_ONLY = (
    "midstream/gateway/",
    "midstream/cli.py",
    "midstream/render.py",
    "midstream/__main__.py",
)
# PyScript, Pyodide and micropip import these beside them, once they run in the page.
BESIDE = ("micropip", "pyodide.ffi", "pyodide.http", "pyodide.webloop", "traceback", "urllib.parse")
# Codecs are imported by name: those that text from anywhere may be in. (cp437: names in a zip.)
CODECS = ("ascii", "cp437", "idna", "latin_1", "utf_16", "utf_16_le", "utf_8", "utf_8_sig")


def needs(py: Path) -> list[str]:
    """Modules whose imports, with all that they import in turn, make up the page's part of the
    standard library. Those that functions of the app import count as well."""
    imported: set[str] = set()
    for path, name in ((path, name) for name, path in _sources(py)):
        imported |= set(_imported(path, name, in_functions=True))
    standard = {name for name in imported if name.split(".")[0] in sys.stdlib_module_names}
    names = {name for name in standard if _is_module(name)}
    codecs = [f"encodings.{name}" for name in CODECS]
    return [*sorted(LATER), *modules(py), *sorted(names), *codecs, *BESIDE]


def _is_module(name: str) -> bool:
    """Of `from a import b` both a and a.b are listed, and b may be no module."""
    parent = name.rpartition(".")[0]
    try:
        return (not parent or _is_module(parent)) and find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def modules(py: Path) -> list[str]:
    """Names to import before the snapshot, always in the same order.

    `py` is the folder that holds the package `midstream`.
    """
    graph = {name: set(_imported(path, name)) for name, path in _sources(py)}
    tainted = {name for name, needs in graph.items() if any(map(_is_outside, needs))}
    while more := {n for n, needs in graph.items() if n not in tainted and needs & tainted}:
        tainted |= more
    needed = set().union(*graph.values()) if graph else set()
    standard = {name for name in needed if name in sys.stdlib_module_names}
    return [*sorted(standard), *sorted(set(graph) - tainted)]


def _sources(py: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(py.glob("midstream/**/*.py")):
        inside = path.relative_to(py).as_posix()
        if not inside.startswith(SERVER_ONLY):
            yield inside.removesuffix(".py").removesuffix("/__init__").replace("/", "."), path


def _is_outside(name: str) -> bool:
    return name.split(".")[0] in BROWSER | LATER


def _imported(path: Path, name: str, in_functions: bool = False) -> Iterator[str]:
    """Names that the module imports when it is itself imported, with `in_functions` also those that its
    functions do; packages above them count too."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    if package != name:
        yield package
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree) if in_functions else _statements(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            yield from _with_parents(base)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Everything that runs at import time: not the bodies of functions, not `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _statements(node)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    above = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts) + 1))
