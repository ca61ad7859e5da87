"""The marks of containers: `>` of a quote, bullets and numbers of items, `[^label]:` of a note."""

from __future__ import annotations

import re

from midstream.markdown.blocks.line_plan import Begin
from midstream.markdown.blocks.lines import Line
from midstream.markdown.policy import Policy

_BULLET = re.compile(r"[*+-](?=[ \t]|$)")
_ORDERED = re.compile(r"(\d{1,9})([.)])(?=[ \t]|$)", re.ASCII)
_ORDERED_BEGUN = re.compile(r"\d{1,9}[.)]?$", re.ASCII)
_NOTE = re.compile(r"\[\^([^\s\[\]\\^]{1,99})\]:")
_NOTE_BEGUN = re.compile(r"\[(?:\^[^\s\[\]\\^]{0,99}\]?)?$")


def containers_begun(line: Line, joinable: str, interrupts: bool, policy: Policy) -> list[Begin]:
    """The containers whose marks stand here: a quote, an item (with its list), a note."""
    c = line.char
    if c == ">":
        quote_mark(line)
        return [Begin("quote")]
    if c == "[" and policy.notes:
        return _note(line)
    if c not in "*+-0123456789":
        return []
    found = _BULLET.match(line.text, line.next)
    number: int | None = None
    if found is None:
        found = _ORDERED.match(line.text, line.next)
        if found is None:
            if _ORDERED_BEGUN.match(line.text, line.next):
                line.must_be_whole()
            return []
        number = int(found[1])
    mark = found[0][-1]
    return _item(line, found.end(), mark, number, joinable, interrupts)


def _item(line: Line, end: int, mark: str, number: int | None, joinable: str, interrupts: bool) -> list[Begin]:
    after = line.text[end:]
    if not after.strip(" \t"):
        line.must_be_whole()
    if interrupts and (not after.strip(" \t") or number not in (None, 1)):
        return []
    indent, width = line.indent, end - line.next
    line.skip(width)
    if line.blank or line.indent > 4:
        spaces = 1
        line.space()
    else:
        spaces = line.indent
        line.advance(spaces)
    item = Begin("item", offset=indent + width + spaces)
    return [item] if mark == joinable else [Begin("list", marker=mark, start=number), item]


def _note(line: Line) -> list[Begin]:
    found = _NOTE.match(line.text, line.next)
    if found is None:
        if _NOTE_BEGUN.match(line.text, line.next):
            line.must_be_whole()
        return []
    if not line.text[found.end() :].strip(" \t"):
        line.must_be_whole()
    line.skip(found.end() - line.next)
    if not line.blank:
        line.skip(0)
    return [Begin("note", offset=4, marker=found[1])]


def quote_mark(line: Line) -> None:
    """Take off the mark of a quote, and the space behind it."""
    line.skip(1)
    if line.pos == len(line.text):
        line.must_be_whole()
    line.space()
