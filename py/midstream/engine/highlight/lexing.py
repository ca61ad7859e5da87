"""Lexing of code: Pygments' tokens as spans of a few kinds.

Pygments is imported when the first text is coloured, and only the module of its language.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from midstream.engine.highlight.code_blocks import Span
from midstream.engine.highlight.languages import LEXERS
from midstream.patch import units

# The style sheet has a colour for each; the number of a kind is its index here.
KINDS = ("keyword", "name", "string", "number", "comment", "type", "inserted", "deleted")

_KIND_OF = {
    "Keyword": "keyword",
    "Keyword.Constant": "number",
    "Keyword.Type": "type",
    "Operator.Word": "keyword",
    "Name.Attribute": "type",
    "Name.Builtin": "type",
    "Name.Builtin.Pseudo": "number",
    "Name.Class": "name",
    "Name.Constant": "number",
    "Name.Decorator": "type",
    "Name.Entity": "number",
    "Name.Exception": "type",
    "Name.Function": "name",
    "Name.Label": "name",
    "Name.Namespace": "name",
    "Name.Tag": "keyword",
    "Name.Variable": "type",
    "Literal": "number",
    "Literal.String": "string",
    "Literal.Number": "number",
    "Literal.String.Escape": "number",
    "Literal.String.Interpol": "number",
    "Literal.String.Doc": "comment",
    "Comment": "comment",
    "Comment.Preproc": "keyword",
    "Comment.PreprocFile": "string",
    "Generic.Deleted": "deleted",
    "Generic.Emph": "string",
    "Generic.Heading": "keyword",
    "Generic.Inserted": "inserted",
    "Generic.Output": "comment",
    "Generic.Prompt": "keyword",
    "Generic.Subheading": "name",
}


def is_known(language: str) -> bool:
    return language in LEXERS


def lexer_for(language: str) -> Any:
    """Raises ImportError without Pygments, or that part of it."""
    module, name = LEXERS[language]
    return getattr(importlib.import_module(f"pygments.lexers.{module}"), name)()


def spans(lexer: Any, text: str) -> Iterator[Span]:
    """The coloured parts of the text in order, as they are found; neighbours of a kind are one."""
    plain = text.isascii()
    offset = at = 0  # the same position, in UTF-16 units and in characters
    pending: Span | None = None
    # Not `get_tokens`, which adds and strips line feeds: positions would no longer be the text's.
    for index, token, part in lexer.get_tokens_unprocessed(text):
        start = index if plain else offset + units(text[at:index])
        end = start + (len(part) if plain else units(part))
        offset, at = end, index + len(part)
        kind = _kind(token)
        if kind is None or not part.strip():
            continue
        if pending and pending[0] == kind and pending[2] == start:
            pending = (kind, pending[1], end)
            continue
        if pending:
            yield pending
        pending = (kind, start, end)
    if pending:
        yield pending


_kinds: dict[tuple[str, ...], int | None] = {}


def _kind(token: tuple[str, ...]) -> int | None:
    """The kind of the narrowest type that has one. A token type of Pygments is the tuple of its names."""
    if token not in _kinds:
        names = [".".join(token[:length]) for length in range(len(token), 0, -1)]
        named = next((_KIND_OF[name] for name in names if name in _KIND_OF), None)
        _kinds[token] = None if named is None else KINDS.index(named)
    return _kinds[token]
