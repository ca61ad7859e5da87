"""The document: its open blocks, and what a line that has been read does to them.

One stack of open containers (the root first) and at most one open leaf. `take` carries out a plan:
seal what the line does not continue, open what it begins, hand the text to the leaf. A sealed block
is forgotten, except for a leaf that waits for a link definition.
"""

from __future__ import annotations

from typing import assert_never

from midstream import patch
from midstream.markdown.blocks.code_blocks import Fence, Indented
from midstream.markdown.blocks.html_blocks import Html
from midstream.markdown.blocks.leaf import Container, Leaf
from midstream.markdown.blocks.line_plan import (
    Begin,
    Blank,
    Change,
    DelimiterRow,
    FenceEnd,
    Lazy,
    More,
    Plan,
    Start,
    StartCode,
    StartFence,
    StartHeading,
    StartHtml,
    StartParagraph,
    StartRule,
    Underline,
)
from midstream.markdown.blocks.output import Output
from midstream.markdown.blocks.paragraphs import Heading, Paragraph
from midstream.markdown.blocks.tables import Table
from midstream.markdown.inline import links
from midstream.markdown.policy import Policy
from midstream.patch import Op

_TAGS = {"quote": "blockquote", "item": "li", "note": "aside"}


class Document:
    """The state of one parser. Nothing here is shared with another one."""

    def __init__(self, policy: Policy) -> None:
        self.out = Output(policy)
        self.containers = [Container("root", patch.ROOT, 0)]
        self.leaf: Leaf | None = None
        self.number = 0
        """Number of the current line."""

    def take(self, plan: Plan) -> bool:
        """Carry out a plan; whether the leaf takes the rest of the line, if there is more."""
        self.number += 1
        match plan.step:
            case Lazy(text):
                return self._add(text)
            case More(text):
                self._close_unmatched(plan)
                return self._add(text)
            case FenceEnd() | Underline() | DelimiterRow() as change:
                self._close_unmatched(plan)
                self._change(change)
                more = False
            case start:
                self._close_unmatched(plan)
                self.close_leaf()
                for begin in plan.begins:
                    self._begin(begin)
                more = self._start(start)
        self._mark(plan)
        return more

    def _add(self, text: str) -> bool:
        """The line goes on with the open leaf."""
        assert self.leaf is not None
        for container in self.containers:
            container.end = self.number
        self.leaf.line(text)
        return True

    def _mark(self, plan: Plan) -> None:
        """Note which containers the line was not blank to."""
        count = len(self.containers)
        if plan.blank and not plan.begins:
            # A quote's own mark is not blank to what is around the quote.
            while count and self.containers[count - 1].kind != "quote":
                count -= 1
        for container in self.containers[:count]:
            container.end = self.number

    # --- opening ---------------------------------------------------------------------------------

    def _begin(self, begin: Begin) -> None:
        """Open a container."""
        if begin.kind == "list":
            attrs = {"data-tight": ""}
            if begin.start not in (None, 1):
                attrs["start"] = str(begin.start)
            self._push(begin, "ul" if begin.start is None else "ol", attrs)
        elif begin.kind == "note":
            self._push(begin, "aside", {"data-note": begin.marker})
            self.out.definitions.define(links.note_key(begin.marker), "", "")
        else:
            self._push(begin, _TAGS[begin.kind], None)

    def _push(self, begin: Begin, tag: str, attrs: dict[str, str] | None) -> None:
        parent = self._room(begin.kind)
        id = self.out.emit.open(parent.id, tag, attrs)
        parent.count += 1
        parent.blocks += 1
        container = Container(begin.kind, id, self.number, marker=begin.marker, offset=begin.offset)
        self.containers.append(container)

    def _room(self, kind: str) -> Container:
        """The container that a new block goes into; a list with a gap in it becomes loose."""
        parent = self.containers[-1]
        if parent.kind == "list" and kind != "item":
            self._close_container()
            parent = self.containers[-1]
        if parent.blocks and parent.end < self.number - 1:
            if parent.kind == "list":
                self._loosen(parent)
            elif parent.kind == "item":
                self._loosen(self.containers[-2])
        return parent

    def _loosen(self, container: Container) -> None:
        if container.tight:
            container.tight = False
            self.out.emit.ops.append(patch.attr(container.id, "data-tight", None))

    def _start(self, step: Start | Blank) -> bool:
        """Begin a leaf; whether it takes the rest of the line."""
        if isinstance(step, Blank):
            return False
        parent, more = self._room("leaf"), True
        match step:
            case StartParagraph(text):
                self.leaf = Paragraph(self.out, parent, text)
            case StartHeading(level, text):
                self.leaf = Heading(self.out, parent, level)
                self.leaf.line(text)
            case StartHtml(until, text):
                self.leaf = Html(self.out, parent, until)
                self.leaf.line(text)
            case StartCode(text):
                self.leaf = Indented(self.out, parent)
                self.leaf.line(text)
            case StartFence(marker, indent, info):
                self.leaf = Fence(self.out, parent, marker, indent, info)
                more = False
            case StartRule():
                id = self.out.emit.open(parent.id, "hr")
                parent.count += 1
                self.out.emit.ops.append(patch.close(id))
                more = False
            case _:
                assert_never(step)
        parent.blocks += 1
        return more

    def _change(self, step: Change) -> None:
        """The line ends the open leaf, or says what it was."""
        match step:
            case FenceEnd():
                self.close_leaf()
            case Underline(level):
                assert isinstance(self.leaf, Paragraph)
                self.leaf.close_heading(level)
                self.leaf = None
            case DelimiterRow(aligns):
                assert isinstance(self.leaf, Paragraph)
                header = self.leaf.close_before_table()
                self.leaf = Table(self.out, self.containers[-1], header, aligns)
            case _:
                assert_never(step)

    # --- closing ---------------------------------------------------------------------------------

    def _close_unmatched(self, plan: Plan) -> None:
        if plan.matched < len(self.containers):
            self.close_leaf()
            while len(self.containers) > plan.matched:
                self._close_container()
        if self.containers[-1].kind == "list" and not (plan.blank or (plan.begins and plan.begins[0].kind == "item")):
            self._close_container()

    def _close_container(self) -> None:
        container = self.containers.pop()
        self.containers[-1].pinned |= container.pinned
        self.out.seal(container.id, pinned=container.pinned)

    def close_leaf(self) -> None:
        """The open leaf, if any, has ended."""
        if self.leaf is not None:
            leaf, self.leaf = self.leaf, None
            leaf.close()

    # --- the way in and out ----------------------------------------------------------------------

    def end_line(self) -> None:
        """The line that the leaf took has ended."""
        if self.leaf is not None and self.leaf.end_line():
            self.close_leaf()

    def show(self) -> list[Op]:
        """Bring the screen up to date; the ops that do it."""
        if self.leaf is not None:
            self.leaf.show()
        return self.out.take()

    def finish(self) -> list[Op]:
        """Close everything."""
        self.close_leaf()
        while len(self.containers) > 1:
            self._close_container()
        return self.out.finish()
