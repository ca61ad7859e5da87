"""Which modules the memory snapshot has imported: all of the app that does not touch the browser.

A module that imports `js` or `pyodide` (itself, or through another module of the app) must be
imported in the page: objects of the browser cannot be frozen. Everything else may be.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

# Only in the page. (`pyodide.ffi` could be imported anywhere, but binds to one interpreter's JS.)
BROWSER = frozenset(
    {"js", "pyodide", "pyodide_js", "pyscript", "polyscript", "_pyodide", "micropip"}
)
# Parts of the package for the server and the command line: not in the page's zip at all.
SERVER_ONLY = ("midstream/gateway/", "midstream/cli.py", "midstream/__main__.py")


def modules(py: Path) -> list[str]:
    """Names to import before the snapshot, always in the same order.

    `py` is the folder that holds the package `midstream`.
    """
    graph = {name: set(_imported(path, name)) for name, path in _sources(py)}
    tainted = {name for name, needs in graph.items() if any(map(_is_browser, needs))}
    while more := {n for n, needs in graph.items() if n not in tainted and needs & tainted}:
        tainted |= more
    needed = set().union(*graph.values()) if graph else set()
    standard = {name for name in needed if name in sys.stdlib_module_names}
    return ["mistletoe", *sorted(standard), *sorted(set(graph) - tainted)]


def _sources(py: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(py.glob("midstream/**/*.py")):
        inside = path.relative_to(py).as_posix()
        if not inside.startswith(SERVER_ONLY):
            yield inside.removesuffix(".py").removesuffix("/__init__").replace("/", "."), path


def _is_browser(name: str) -> bool:
    return name.split(".")[0] in BROWSER


def _imported(path: Path, name: str) -> Iterator[str]:
    """Names that the module imports when it is itself imported; packages above them count too."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    if package != name:
        yield package
    for node in _statements(ast.parse(path.read_bytes())):
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
