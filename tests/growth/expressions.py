"""The regular expressions of the Python sources: where each stands, how it is used, and a text for it."""

from __future__ import annotations

import ast
import importlib
import re
import re._parser as sre  # type: ignore[import-not-found]
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import midstream

PY = Path(midstream.__file__).parent
METHODS = {"match", "search", "fullmatch", "sub", "split", "findall", "finditer"}


# Used through another name.
THROUGH: dict[str, tuple[str, ...]] = {
    "markdown/blocks/html_blocks.py BLANK": ("match",),
    "markdown/blocks/html_blocks.py _BLOCKS": ("match", "search"),
    "markdown/blocks/html_blocks.py _LITERAL": ("match",),
    "markdown/blocks/html_blocks.py _LITERAL_END": ("search",),
    "markdown/blocks/html_blocks.py _NAMED": ("match",),
    "markdown/blocks/line_parser.py _BACKTICKS": ("match",),
    "markdown/blocks/line_parser.py _TILDES": ("match",),
    "markdown/inline/links.py _TITLE": ("match",),
    "markdown/mistletoe_spans.py _AT_START": ("sub",),
    "markdown/mistletoe_spans.py _IN_LINK": ("sub",),
    "markdown/mistletoe_spans.py _SPECIAL": ("sub",),
    "names.py KEY": ("fullmatch",),
    "patch.py VALUES": ("match",),
    "patch.py _LINK": ("match",),
    "patch.py _WEB": ("match",),
    "problems.py _CODE": ("fullmatch",),
    "problems.py _NAME": ("fullmatch",),
}


@dataclass(frozen=True)
class Expression:
    file: str  # below py/midstream
    name: str  # of the constant; where there is none, of the function
    methods: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file} {self.name}"


def expressions() -> Iterator[Expression]:
    """Every constant made by `re.compile`, and every other call of `re` with an expression."""
    trees = {path.relative_to(PY).as_posix(): ast.parse(path.read_text()) for path in sorted(PY.rglob("*.py"))}
    uses = {file: _uses(tree) for file, tree in trees.items()}
    for file, tree in trees.items():
        names = {target for node in ast.walk(tree) if _compiles(node) for target in _targets(node)}
        for name in sorted(names):
            methods = tuple(sorted(_used(uses, file, name))) or THROUGH.get(f"{file} {name}", ())
            yield Expression(file, name, methods)
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            if used := sorted({name for node in ast.walk(function) if (name := _method(node))} - {"escape"}):
                yield Expression(file, f"{function.name}()", tuple(used))


def _method(node: ast.AST) -> str:
    """The method of `re` that is called there."""
    called = node.func if isinstance(node, ast.Call) else None
    known = isinstance(called, ast.Attribute) and ast.unparse(called.value) == "re"
    return called.attr if known else ""  # type: ignore[union-attr]


def _compiles(node: ast.AST) -> bool:
    value = getattr(node, "value", None) if isinstance(node, ast.Assign | ast.AnnAssign) else None
    return value is not None and any(_method(each) == "compile" for each in ast.walk(value))


def _targets(node: Any) -> list[str]:
    return [ast.unparse(target) for target in (node.targets if isinstance(node, ast.Assign) else [node.target])]


@dataclass(frozen=True)
class Uses:
    """Of a file: what it imports, and (what, method) of each call that may be one of an expression."""

    imported: frozenset[str]
    calls: frozenset[tuple[str, str]]


def _uses(tree: ast.Module) -> Uses:
    nodes = list(ast.walk(tree))
    imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    found = [node for node in nodes if isinstance(node, ast.Attribute) and node.attr in METHODS]
    return Uses(frozenset(imported), frozenset((ast.unparse(node.value).split("[")[0], node.attr) for node in found))


def _used(uses: dict[str, Uses], file: str, name: str) -> set[str]:
    """By which methods, in its own file and where it is imported."""
    module = file.removesuffix(".py").replace("/", ".").rpartition(".")[2]
    near = {name, f"{module}.{name}"}
    users = [each for other, each in uses.items() if other == file or each.imported & {module, name}]
    return {method for each in users for what, method in each.calls if what in near}


def compiled(expression: Expression) -> list[re.Pattern[str] | re.Pattern[bytes]]:
    """All expressions of a constant, which may hold several."""
    module = importlib.import_module("midstream." + expression.file.removesuffix(".py").replace("/", "."))
    return list(_inside(getattr(module, expression.name)))


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from (each for one in value.values() for each in _inside(one))
    elif isinstance(value, tuple | list):
        yield from (each for one in value for each in _inside(one))


def sample(pattern: re.Pattern[Any]) -> str:
    """A text that the expression matches, or nearly: the first way through it, each repetition once."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    return _sample(sre.parse(source, pattern.flags & ~re.UNICODE & ~re.DEBUG))


def _sample(parsed: Any) -> str:
    return "".join(_of(str(kind), value) for kind, value in parsed)


def _of(kind: str, value: Any) -> str:
    if kind == "LITERAL":
        return chr(value)
    if kind == "NOT_LITERAL":
        return "a" if value != ord("a") else "b"
    if kind == "ANY":
        return "a"
    if kind == "IN":
        return _member(value)
    if kind == "BRANCH":
        return _sample(value[1][0])
    if kind == "SUBPATTERN":
        return _sample(value[3])
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return _sample(value[2]) * max(1, int(value[0]))
    if kind == "ATOMIC_GROUP":
        return _sample(value)
    return ""  # a place, a look or a group again


def _member(items: Any) -> str:
    excluded: set[str] = {chr(value) for kind, value in items[1:] if str(kind) == "LITERAL"}
    if str(items[0][0]) == "NEGATE":
        return next(each for each in "a <\n" if each not in excluded)
    kind, value = str(items[0][0]), items[0][1]
    if kind in ("RANGE", "LITERAL"):
        return chr(value[0] if kind == "RANGE" else value)
    return {"CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " "}.get(str(value), "a")
