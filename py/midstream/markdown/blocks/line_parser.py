"""Reading a line: what it means to the open blocks. Nothing is changed here.

`read` follows the two phases of CommonMark's parsing strategy: which open containers does the line
continue, and which blocks does what is left begin. The answer is a `Plan`, which the document then
carries out. For the beginning of a line (`whole` false) the answer is given only when no
continuation of the line could change it; otherwise `Undecided` is raised and the line is held.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from midstream.markdown import limits
from midstream.markdown.blocks import table_rows
from midstream.markdown.blocks.line_plan import Begin, Plan
from midstream.markdown.blocks.lines import Line
from midstream.markdown.inline import raw_html
from midstream.markdown.inline.raw_html import Undecided

if TYPE_CHECKING:
    from midstream.markdown.blocks.leaf import Container, Leaf
    from midstream.markdown.policy import Policy

_HEADING = re.compile(r"(#{1,6})([ \t]+|$)")
_BACKTICKS = re.compile(r"(`{3,})([^`]*)$")
_TILDES = re.compile(r"(~{3,})(.*)$")
_UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*$")
_RULE = re.compile(r"([*_-])(?:[ \t]*\1){2,}[ \t]*$")
_RULE_BEGUN = re.compile(r"([*_-])(?:[ \t]*\1)*[ \t]*$")
_BULLET = re.compile(r"[*+-](?=[ \t]|$)")
_ORDERED = re.compile(r"(\d{1,9})([.)])(?=[ \t]|$)", re.ASCII)
_ORDERED_BEGUN = re.compile(r"\d{1,9}[.)]?$", re.ASCII)
_NOTE = re.compile(r"\[\^([^\s\[\]\\^]{1,99})\]:")
_NOTE_BEGUN = re.compile(r"\[(?:\^[^\s\[\]\\^]{0,99}\]?)?$")


def read(line: Line, containers: list[Container], leaf: Leaf | None, policy: Policy) -> Plan:
    """The plan for a line, given the open containers (the root first) and the open leaf."""
    matched = _continued(line, containers)
    plan = Plan(matched, line.blank)
    whole = matched == len(containers)
    if whole and leaf is not None and _literal(line, leaf, plan):
        return plan
    open_paragraph = leaf is not None and leaf.kind == "paragraph"
    if whole and leaf is not None and leaf.formula_open() and not line.blank:
        return _text(plan, "add", line.content())
    depth = len(containers)
    paragraph = leaf if whole and open_paragraph else None
    # The list of a plan's own that the next item would join.
    inside = containers[matched - 1]
    joinable = inside.marker if inside.kind == "list" else ""
    while True:
        _decided(line)
        lazy = open_paragraph and not plan.begins
        if line.indent >= 4:
            if not lazy and not line.blank:
                line.advance(4)
                return _text(plan, "code", line.rest())
            break
        if line.blank or _begin_leaf(line, plan, paragraph, lazy, policy):
            break
        if depth >= limits.CONTAINERS:
            break
        begin = _begin_container(line, joinable, paragraph is not None, policy)
        if not begin:
            break
        plan.begins += begin
        depth += len(begin)
        paragraph = None
        joinable = ""
    if plan.leaf != "blank":
        return plan
    return _prose(line, plan, leaf, whole, open_paragraph)


def _decided(line: Line) -> None:
    if line.blank and not line.whole:
        raise Undecided


def _text(plan: Plan, leaf: str, text: str) -> Plan:
    plan.leaf, plan.text = leaf, text
    return plan


def _prose(line: Line, plan: Plan, leaf: Leaf | None, whole: bool, paragraph: bool) -> Plan:
    """A line that begins no leaf: blank, part of a paragraph or table, or a new paragraph."""
    plan.blank = line.blank
    if line.blank:
        return plan
    if plan.begins or leaf is None:
        return _text(plan, "paragraph", line.content())
    if not whole:
        return _text(plan, "lazy" if paragraph else "paragraph", line.content())
    if paragraph:
        return _text(plan, "add", line.content())
    return _text(plan, "row" if leaf.kind == "table" else "paragraph", line.content())


# --- Phase 1: open containers --------------------------------------------------------------------


def _continued(line: Line, containers: list[Container]) -> int:
    """How many containers the line continues; it is consumed so far."""
    for k, container in enumerate(containers):
        if container.kind == "quote":
            _decided(line)
            if line.indent > 3 or line.char != ">":
                return k
            _quote_mark(line)
        elif container.kind in ("item", "note"):
            _decided(line)
            if line.blank:
                if not container.blocks:
                    return k
                line.skip(0)
            elif line.indent >= container.offset:
                line.advance(container.offset)
            else:
                return k
    return len(containers)


def _quote_mark(line: Line) -> None:
    line.skip(1)
    if line.pos == len(line.text) and not line.whole:
        raise Undecided
    line.space()


def _literal(line: Line, leaf: Leaf, plan: Plan) -> bool:
    """Leaves that take a line as it is: fences, HTML, indented code."""
    if leaf.kind == "fence":
        _decided(line)
        closing = line.indent < 4 and line.char == leaf.marker[0] and _closes(line, leaf.marker)
        if closing:
            plan.leaf = "end"
            return True
        line.advance(min(line.indent, leaf.indent))
        _text(plan, "add", line.rest())
        return True
    if leaf.kind == "html":
        _decided(line)
        if not (leaf.until is raw_html.BLANK and line.blank):
            _text(plan, "add", line.rest())
            return True
    if leaf.kind == "code":
        _decided(line)
        if line.indent >= 4:
            line.advance(4)
        elif line.blank:
            line.skip(0)
        else:
            return False
        _text(plan, "add", line.rest())
        return True
    return False


def _closes(line: Line, marker: str) -> bool:
    rest = line.content().rstrip(" \t")
    if rest.strip(marker[0]):
        return False
    if not line.whole:
        raise Undecided
    return len(rest) >= len(marker)


# --- Phase 2: what begins ------------------------------------------------------------------------


def _begin_leaf(line: Line, plan: Plan, paragraph: Leaf | None, lazy: bool, policy: Policy) -> bool:
    """Whether a leaf with a mark of its own begins here; if so the plan says which."""
    c = line.char
    if c == "#":
        return _heading(line, plan)
    if c in "`~":
        return _fence(line, plan)
    if c == "<":
        until = raw_html.block(line.text, line.next, whole=line.whole, interrupts=lazy)
        if until is None:
            return False
        plan.until = until
        _text(plan, "html", line.rest())
        return True
    if c not in "-=|:*_":
        return False
    rest = line.content()
    if paragraph is not None and c in "-=" and _UNDERLINE.match(rest):
        if not line.whole:
            raise Undecided
        if paragraph.has_text():
            plan.leaf, plan.level = "setext", 1 if c == "=" else 2
            return True
    if paragraph is not None and c in "-|:" and table_rows.may_be_delimiters(rest):
        if not line.whole:
            raise Undecided
        aligns = table_rows.delimiters(rest)
        if (
            aligns
            and paragraph.has_text()
            and table_rows.columns(paragraph.last_line()) == len(aligns)
        ):
            plan.leaf, plan.aligns = "table", aligns
            return True
    if c in "*-_" and _RULE_BEGUN.match(rest):
        if not line.whole:
            raise Undecided
        if _RULE.match(rest):
            plan.leaf = "rule"
            return True
    return False


def _heading(line: Line, plan: Plan) -> bool:
    found = _HEADING.match(line.text, line.next)
    if found is None:
        return False
    if not line.whole and found.end() == len(line.text):
        raise Undecided
    plan.level = len(found[1])
    _text(plan, "heading", line.text[found.end() :])
    return True


def _fence(line: Line, plan: Plan) -> bool:
    c = line.char
    found = (_BACKTICKS if c == "`" else _TILDES).match(line.text, line.next)
    if not line.whole and (found or not line.content().strip(c)):
        raise Undecided
    if found is None:
        return False
    plan.marker, plan.indent = found[1], line.indent
    _text(plan, "fence", found[2].strip(" \t"))
    return True


def _begin_container(line: Line, joinable: str, interrupts: bool, policy: Policy) -> list[Begin]:
    """The containers whose marks stand here: a quote, an item (with its list), a note."""
    c = line.char
    if c == ">":
        _quote_mark(line)
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
            if not line.whole and _ORDERED_BEGUN.match(line.text, line.next):
                raise Undecided
            return []
        number = int(found[1])
    mark = found[0][-1]
    return _item(line, found.end(), mark, number, joinable, interrupts)


def _item(
    line: Line, end: int, mark: str, number: int | None, joinable: str, interrupts: bool
) -> list[Begin]:
    after = line.text[end:]
    if not line.whole and not after.strip(" \t"):
        raise Undecided
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
        if not line.whole and _NOTE_BEGUN.match(line.text, line.next):
            raise Undecided
        return []
    if not line.whole and not line.text[found.end() :].strip(" \t"):
        raise Undecided
    line.skip(found.end() - line.next)
    if not line.blank:
        line.skip(0)
    return [Begin("note", offset=4, marker=found[1])]
