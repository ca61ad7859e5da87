"""The prose of the project's files, apart from their code: documents, docstrings and comments."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parents[2]

# In this order: a comment inside a string is none, and a quote inside a comment begins no string.
_JS = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)"""
    r"""|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`"""
    r"""|(?<=[=(,:\[!&|?;{}\s])/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*""",
    re.DOTALL,
)
BEFORE_A_STATEMENT = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
_FENCE = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)


class Text(NamedTuple):
    """A piece of prose: which file, the line it begins on, and its words."""

    file: str
    line: int
    text: str


@cache
def committed() -> tuple[str, ...]:
    """Paths of the files that git knows, from the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    return tuple(sorted(name for name in listed.stdout.splitlines() if (PROJECT / name).is_file()))


@cache
def read(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


@cache
def prose(name: str) -> tuple[Text, ...]:
    """The prose of one file: a document without its fenced code, or docstrings and comments."""
    kind = Path(name).suffix
    source = read(name)
    if kind == ".md":
        return (Text(name, 1, _FENCE.sub(lambda found: "\n" * found[0].count("\n"), source)),)
    pieces = _python(source) if kind == ".py" else _script(source)
    return tuple(Text(name, line, text) for line, text in pieces)


@cache
def code(name: str) -> str:
    """A script without its comments and docstrings."""
    source = read(name)
    if Path(name).suffix != ".py":
        return _JS.sub(lambda found: " " if found["comment"] else found[0], source)
    lines = source.splitlines(keepends=True)
    for first, text in _python(source):
        for number in range(first, first + text.count("\n") + 1):
            line = lines[number - 1]
            lines[number - 1] = line.partition("#")[0] if text.startswith("#") else "\n"
    return "".join(lines)


@cache
def _python(source: str) -> tuple[tuple[int, str], ...]:
    """Comments, and strings that are a statement of their own. (To parse as well took longer than all else.)"""
    found: list[tuple[int, str]] = []
    before, line, statement = tokenize.NEWLINE, 0, ""
    for kind, string, start, _, _ in tokenize.generate_tokens(io.StringIO(source).readline):
        if kind == tokenize.COMMENT:
            found.append((start[0], string))
        if statement and kind == tokenize.NEWLINE:
            found.append((line, ast.literal_eval(statement)))
        if kind in (tokenize.NL, tokenize.COMMENT):
            continue
        line, statement = start[0], string if kind == tokenize.STRING and before in BEFORE_A_STATEMENT else ""
        before = kind
    return tuple(found)


def _script(source: str) -> Iterator[tuple[int, str]]:
    for found in _JS.finditer(source):
        if found["comment"]:
            yield source.count("\n", 0, found.start()) + 1, found["comment"]
