"""What a line means to the open blocks. Nothing is changed here.

`parse` follows the two phases of CommonMark's parsing strategy: which open containers does the line
continue, and which blocks does what is left begin. The answer is a `Plan`, which the document then
carries out. For the beginning of a line (`whole` false) the answer is given only when no
continuation of the line could change it; otherwise `Undecided` is raised and the line is held.
"""

from __future__ import annotations

import re

from midstream.markdown import limits
from midstream.markdown.blocks import html_blocks, table_rows
from midstream.markdown.blocks.code_blocks import Fence, Indented
from midstream.markdown.blocks.container_marks import containers_begun, quote_mark
from midstream.markdown.blocks.html_blocks import Html
from midstream.markdown.blocks.leaf import Container, Leaf
from midstream.markdown.blocks.line_plan import (
    BLANK,
    DelimiterRow,
    FenceEnd,
    Lazy,
    More,
    Plan,
    StartCode,
    StartFence,
    StartHeading,
    StartHtml,
    StartParagraph,
    StartRule,
    Step,
    Underline,
)
from midstream.markdown.blocks.lines import Line
from midstream.markdown.blocks.paragraphs import Paragraph
from midstream.markdown.blocks.tables import Table
from midstream.markdown.policy import Policy

_HEADING = re.compile(r"(#{1,6})([ \t]+|$)")
_BACKTICKS = re.compile(r"(`{3,})([^`]*)$")
_TILDES = re.compile(r"(~{3,})(.*)$")
_UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*$")
_RULE = re.compile(r"([*_-])(?:[ \t]*\1){2,}[ \t]*$")
_RULE_BEGUN = re.compile(r"([*_-])(?:[ \t]*\1)*[ \t]*$")


def parse(line: Line, containers: list[Container], leaf: Leaf | None, policy: Policy) -> Plan:
    """The plan for a line, given the open containers (the root first) and the open leaf."""
    matched = _continued(line, containers)
    plan = Plan(matched, line.blank)
    inside = leaf if matched == len(containers) else None
    plan.step = _literal(line, inside)
    if plan.step is not BLANK:
        return plan
    paragraph = inside if isinstance(inside, Paragraph) else None
    if paragraph is not None and paragraph.formula_open() and not line.blank:
        plan.step = More(line.content())
        return plan
    lazy = isinstance(leaf, Paragraph)
    plan.step = _begin(line, plan, containers, paragraph, lazy, policy)
    if plan.step is BLANK:
        plan.blank = line.blank
        if not line.blank:
            plan.step = _text(line, plan, inside, lazy)
    return plan


def _begin(
    line: Line,
    plan: Plan,
    containers: list[Container],
    paragraph: Paragraph | None,
    lazy: bool,
    policy: Policy,
) -> Step:
    """Take off the marks of containers that begin, up to a leaf with a mark of its own (or BLANK).
    `paragraph` is the open one, if the line is inside of it; with `lazy` there is one at all."""
    depth = len(containers)
    inside = containers[plan.matched - 1]
    joinable = inside.marker if inside.kind == "list" else ""  # the list that an item would join
    while True:
        _decided(line)
        if line.indent >= 4:
            if lazy or line.blank:
                return BLANK
            line.advance(4)
            return StartCode(line.rest())
        if line.blank:
            return BLANK
        step = _begin_leaf(line, paragraph, lazy)
        if step is not BLANK or depth >= limits.CONTAINERS:
            return step
        begins = containers_begun(line, joinable, paragraph is not None, policy)
        if not begins:
            return BLANK
        plan.begins += begins
        depth += len(begins)
        paragraph, joinable, lazy = None, "", False


def _decided(line: Line) -> None:
    if line.blank:
        line.must_be_whole()


def _text(line: Line, plan: Plan, inside: Leaf | None, lazy: bool) -> Step:
    """A line that begins nothing: more of a paragraph or table, or a new paragraph."""
    text = line.content()
    if plan.begins:
        return StartParagraph(text)
    if inside is None:
        return Lazy(text) if lazy else StartParagraph(text)
    return More(text) if isinstance(inside, Paragraph | Table) else StartParagraph(text)


# --- Phase 1: open containers --------------------------------------------------------------------


def _continued(line: Line, containers: list[Container]) -> int:
    """How many containers the line continues; it is consumed so far."""
    for k, container in enumerate(containers):
        if container.kind == "quote":
            _decided(line)
            if line.indent > 3 or line.char != ">":
                return k
            quote_mark(line)
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


def _literal(line: Line, leaf: Leaf | None) -> Step:
    """Leaves that take a line as it is: fences, HTML, indented code."""
    if isinstance(leaf, Fence):
        _decided(line)
        if line.indent < 4 and line.char == leaf.marker[0] and _closes(line, leaf.marker):
            return FenceEnd()
        line.advance(min(line.indent, leaf.indent))
        return More(line.rest())
    if isinstance(leaf, Html):
        _decided(line)
        if not (leaf.until is html_blocks.BLANK and line.blank):
            return More(line.rest())
    if isinstance(leaf, Indented):
        _decided(line)
        if line.indent >= 4:
            line.advance(4)
        elif line.blank:
            line.skip(0)
        else:
            return BLANK
        return More(line.rest())
    return BLANK


def _closes(line: Line, marker: str) -> bool:
    rest = line.content().rstrip(" \t")
    if rest.strip(marker[0]):
        return False
    line.must_be_whole()
    return len(rest) >= len(marker)


# --- Phase 2: what begins ------------------------------------------------------------------------


def _begin_leaf(line: Line, paragraph: Paragraph | None, lazy: bool) -> Step:
    """The leaf with a mark of its own that begins here, or what the line makes of the paragraph."""
    c = line.char
    if c == "#":
        return _heading(line)
    if c in "`~":
        return _fence(line)
    if c == "<":
        until = html_blocks.start(line.text, line.next, whole=line.whole, interrupts=lazy)
        return BLANK if until is None else StartHtml(until, line.rest())
    if c not in "-=|:*_":
        return BLANK
    rest = line.content()
    if paragraph is not None:
        step = _underline(line, c, rest, paragraph)
        if step is not BLANK:
            return step
    if c in "*-_" and _RULE_BEGUN.match(rest):
        line.must_be_whole()
        if _RULE.match(rest):
            return StartRule()
    return BLANK


def _underline(line: Line, c: str, rest: str, paragraph: Paragraph) -> Step:
    """A line that makes the paragraph above it a heading, or its last line the head of a table."""
    if c in "-=" and _UNDERLINE.match(rest):
        line.must_be_whole()
        if paragraph.has_text():
            return Underline(1 if c == "=" else 2)
    if c in "-|:" and table_rows.may_be_delimiters(rest):
        line.must_be_whole()
        aligns = table_rows.delimiters(rest)
        if not aligns or not paragraph.has_text():
            return BLANK
        if table_rows.columns(paragraph.last_line()) == len(aligns):
            return DelimiterRow(aligns)
    return BLANK


def _heading(line: Line) -> Step:
    found = _HEADING.match(line.text, line.next)
    if found is None:
        return BLANK
    if found.end() == len(line.text):
        line.must_be_whole()
    return StartHeading(len(found[1]), line.text[found.end() :])


def _fence(line: Line) -> Step:
    c = line.char
    found = (_BACKTICKS if c == "`" else _TILDES).match(line.text, line.next)
    if found or not line.content().strip(c):
        line.must_be_whole()
    return BLANK if found is None else StartFence(found[1], line.indent, found[2].strip(" \t"))
