"""Leaves with inline content: paragraphs, headings, table cells.

Only the unsettled tail is kept as text to be parsed: what the inline driver calls settled becomes
a checkpoint, its nodes are done. Most pieces of an answer are plain text and take the fast path:
they are appended to where the last parse left off, and no parse happens at all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from midstream import patch
from midstream.markdown import caps, definitions, links
from midstream.markdown.blocks import Container, Leaf
from midstream.markdown.caps import OverBudget
from midstream.markdown.inline import Inline
from midstream.markdown.nodes import El, Shown, joined
from midstream.markdown.reading import note_key

if TYPE_CHECKING:
    from midstream.markdown.document import Document

_PLAIN = re.compile(r"\n?[^\\`*_~\[\]<&$@\n/#!|]*\Z")
_SPACES = " \t"
_FORMULAS = {"$$": "$$", "\\[": "\\]"}


class Prose(Leaf):
    """Inline content that grows at its end, shown in element `id` (opened when needed)."""

    __slots__ = (
        "base",
        "dirty",
        "fresh",
        "gap",
        "lead",
        "length",
        "missing",
        "retry",
        "settled",
        "shown",
        "source",
        "spot",
        "tag",
        "tail",
        "task",
        "waits",
    )  # fmt: skip

    def __init__(self, doc: Document, parent: Container) -> None:
        super().__init__(doc, parent)
        self.tag = "p"
        self.tail = ""
        """Source after the last checkpoint, as of the last parse."""
        self.fresh: list[str] = []
        self.length = 0
        """Length of both."""
        """Source since the last parse."""
        self.source: list[str] = []
        """Source before the checkpoint, for the case that all is parsed again."""
        self.settled: list[Shown] = []
        self.shown: list[Shown] = []
        self.base = 0
        self.lead = False
        self.spot: tuple[int, list[Shown]] | None = None
        """Where plain text goes on: the innermost open element and its children."""
        self.gap = ""
        """White space at the end, not shown yet."""
        self.dirty = False
        self.task = False
        self.retry = 0
        self.missing: list[str] = []
        self.waits = False
        """Sealed but for a link definition that may still come."""

    # --- text comes in ---------------------------------------------------------------------------

    def more(self, text: str) -> None:
        """Append source: on the fast path if it is plain, else it waits for the next parse."""
        if not text:
            return
        if self.spot is not None and not self.dirty:
            if _PLAIN.match(text) and self._fast(text):
                return
            if len(self.tail) < self.retry:
                self._paint(text)
                return
        self.fresh.append(text)
        self.length += len(text)
        self.dirty = True

    def _fast(self, text: str) -> bool:
        """Show plain text at once, unless it ends in a way that matters to what follows."""
        if len(self.tail) > caps.AMORTISE > self.retry:
            return False
        if text[0] == "\n" and self.gap:
            return False
        if "." in text and "ww" in (self.tail[-3:] + text).lower():
            return False
        self._paint(text)
        return True

    def _paint(self, text: str) -> None:
        """Append text as it stands to the screen, trailing white space held back."""
        assert self.spot is not None
        id, children = self.spot
        self.tail += text
        self.length = len(self.tail)
        text = self.gap + text
        kept = text.rstrip(" \t\n")
        self.gap = text[len(kept) :]
        if not kept:
            return
        self.doc.meter.work += len(text)
        self.doc.emit.text(id, kept)
        if children and isinstance(children[-1], str):
            children[-1] += kept
        else:
            children.append(kept)

    # --- and is shown ----------------------------------------------------------------------------

    def whole(self, final: bool) -> str:
        """The unsettled source as the inline driver should see it."""
        return self.tail.rstrip(" \t\n") if final else self.tail

    def show(self) -> None:
        """Parse the tail and bring the screen up to date."""
        if self.dirty and self.length >= self.retry:
            self._gather()
            self._parse(final=False)

    def _gather(self) -> None:
        self.tail += "".join(self.fresh)
        self.fresh.clear()
        self.length = len(self.tail)
        self.dirty = False

    def _parse(self, final: bool) -> None:
        text = self.whole(final)
        inline = self._inline(text, final)
        if inline is None:
            end = checkpoint = 0
            new: list[Shown] = [text] if text else []
            head: list[Shown] = []
            rest = new
        else:
            end = inline.end
            checkpoint = 0 if final else inline.checkpoint()
            head = inline.nodes(0, checkpoint) if checkpoint else []
            rest = inline.nodes(checkpoint, end)
            new = joined([*head, *rest])
        if self.id < 0 and (new or (final and text)):
            self.open(self.tag)
        if self.id >= 0:
            self.doc.emit.update(self.id, self.shown, new, self.base, self.lead)
        self.shown = new
        self.spot = None
        if inline is None:
            self.retry = 2 * len(text)
        elif not final:
            self._after(inline, checkpoint, head, rest)

    def _inline(self, text: str, final: bool) -> Inline | None:
        """The inline driver over the tail, or None when the watchdog stopped it."""
        doc = self.doc
        doc.meter.allow(len(text))
        try:
            inline = Inline(
                text, doc.policy, doc.definitions.get, doc.meter, final=final, task=self.task
            )
        except OverBudget:
            return None
        if final:
            self.missing += inline.missing
        return inline

    def _after(self, inline: Inline, checkpoint: int, head: list[Shown], rest: list[Shown]) -> None:
        """Take the checkpoint, and find out where plain text may be appended."""
        hidden = self.tail[inline.end :]
        if checkpoint:
            self.source.append(self.tail[:checkpoint])
            self.tail = self.tail[checkpoint:]
            self.length = len(self.tail)
            self.task = False
            self._settle(head, rest)
            self.missing += inline.missing
        self.retry = 0
        if len(self.tail) > caps.AMORTISE:
            self.retry = caps.patience(len(self.tail))
        if self.id < 0 or inline.open_url or (hidden.strip(_SPACES) and not self.retry):
            return
        self.gap = hidden
        id, nodes = self.id, self.shown
        while nodes and isinstance(last := nodes[-1], El) and last.mark is not None:
            id, nodes = last.id, last.children
        self.spot = id, nodes

    def _settle(self, head: list[Shown], rest: list[Shown]) -> None:
        """Move the nodes before the checkpoint from `shown` to `settled`."""
        count = len(head)
        self.base += count - (1 if self.lead and isinstance(head[0], str) else 0)
        if rest and isinstance(rest[0], str) and isinstance(head[-1], str):
            self.settled += [*self.shown[: count - 1], head[-1]]
            self.shown = [rest[0], *self.shown[count:]]
        else:
            self.settled += self.shown[:count]
            self.shown = self.shown[count:]
        self.lead = isinstance(head[-1], str)

    # --- the end ---------------------------------------------------------------------------------

    def close(self) -> None:
        """The block has ended: parse its tail for good, and seal it or let it wait."""
        self._gather()
        self._parse(final=True)
        self._sealed()

    def _sealed(self) -> None:
        self.waits = bool(self.missing) and self.doc.definitions.wait(self, self.missing)
        if self.waits:
            self._unsettle()
        if self.id >= 0:
            self.doc.seal(self.id, pinned=self.waits)

    def _unsettle(self) -> None:
        """Undo all checkpoints: the whole source becomes the tail again."""
        self.tail = "".join([*self.source, self.tail])
        self.shown = joined([*self.settled, *self.shown])
        self.source, self.settled = [], []
        self.base, self.lead = 0, False

    def size(self) -> int:
        """Characters that parsing all of it again would look at."""
        return len(self.tail)

    def again(self) -> None:
        """A definition that this leaf waited for has come: parse all of it again."""
        self.missing = []
        self.task = self.task or (bool(self.shown) and _is_task(self.shown[0]))
        self._parse(final=True)
        self.doc.definitions.wait(self, self.missing)


def _is_task(node: Shown) -> bool:
    return isinstance(node, El) and node.tag == "input"


class Heading(Prose):
    """An ATX heading: one line, trailing hashes are not part of it."""

    kind = "heading"
    __slots__ = ("level",)
    _CLOSING = re.compile(r"(?:^|[ \t]+)#*[ \t]*\Z")

    def __init__(self, doc: Document, parent: Container, level: int) -> None:
        super().__init__(doc, parent)
        self.level = level
        self.open(f"h{level}")

    line = Prose.more

    def whole(self, final: bool) -> str:
        """The tail without what is, or may become, the closing run of hashes."""
        text = self.tail.rstrip(_SPACES)
        bare = text.rstrip("#")
        if not bare:
            return bare if not self.source else text
        if bare[-1] in _SPACES:
            return bare.rstrip(_SPACES)
        return text

    def end_line(self) -> bool:
        """A heading ends with its line."""
        return True


class Paragraph(Prose):
    """A paragraph, which may turn out to begin with link definitions, or to be more than that:
    a setext heading, or the header row of a table."""

    kind = "paragraph"
    __slots__ = ("defining", "formula", "last", "pending")

    def __init__(self, doc: Document, parent: Container, text: str) -> None:
        super().__init__(doc, parent)
        self.task = parent.kind == "item" and not parent.blocks
        self.defining = text.startswith("[")
        self.pending = 0
        self.last: list[str] = []
        """Pieces of the last line."""
        self.formula: str | None = None if doc.policy.math else ""
        """What closes the displayed formula that the paragraph begins with and is inside of; None
        before the first line has ended."""
        self.last.append(text)
        super().more(text)

    def line(self, text: str) -> None:
        """One more line; its indentation is gone already."""
        self.last = [text]
        begun = self.tail or self.fresh or self.source
        super().more("\n" + text if begun else text)

    def more(self, text: str) -> None:
        """The line goes on."""
        self.last.append(text)
        super().more(text)

    def end_line(self) -> bool:
        """The line has ended: a formula may be open now, or closed."""
        line = self.last_line()
        if self.formula is None:
            self.formula = _FORMULAS.get(line[:2], "")
            line = line[2:]
        if self.formula and self.formula in line:
            self.formula = ""
        return False

    def formula_open(self) -> bool:
        """Whether a displayed formula that began this paragraph has not closed yet."""
        return bool(self.formula)

    def last_line(self) -> str:
        """The last line so far."""
        if len(self.last) > 1:
            self.last = ["".join(self.last)]
        return self.last[0]

    def show(self) -> None:
        """Show what is certain to be a paragraph's text."""
        if self.dirty and not (self.defining and not self._define(final=False)):
            super().show()

    def whole(self, final: bool) -> str:
        """The tail, without a last line that may become the header of a table."""
        if not final and self.last[0].startswith("|"):
            return self.tail[: max(0, len(self.tail) - len(self.last_line()))]
        return super().whole(final)

    def _define(self, final: bool) -> bool:
        """Take definitions off the beginning; false while the text may still be one."""
        if not final and self.length < self.pending:
            return False
        self._gather()
        at = 0
        while self.tail.startswith("[", at):
            found = definitions.scan(self.tail, at, final)
            if not isinstance(found, tuple):
                break
            end, key, url, title = found
            self.doc.meter.work += end - at
            if not (self.doc.policy.notes and key.startswith("^")):
                self.doc.definitions.define(key, url, title)
            at = end
            while at < len(self.tail) and self.tail[at] in " \t\n":
                at += 1
        else:
            found = None
        self.tail = self.tail[at:]
        self.length = len(self.tail)
        if found == links.PARTIAL:
            self.doc.meter.work += self.length
            self.pending = self.length * 9 // 8 if self.length > 256 else 0
            self.dirty = True
            return False
        self.defining = False
        self.dirty = bool(self.tail)
        return True

    def has_text(self) -> bool:
        """Whether it is more than definitions (which are taken off for good)."""
        if self.defining:
            self._define(final=True)
        return bool(self.tail.strip(" \t\n") or self.fresh or self.source)

    def close(self) -> None:
        """The paragraph has ended."""
        if self.defining:
            self._define(final=True)
        super().close()

    def close_heading(self, level: int) -> None:
        """It was a setext heading."""
        self.tag = f"h{level}"
        if self.parent.kind == "item":
            # A task's box belongs to a paragraph: in a heading `[x]` is text.
            self._gather()
            self._unsettle()
            self.task = False
        if self.id >= 0:
            self.doc.emit.ops.append([patch.RETAG, self.id, self.tag])
        self.close()

    def close_before_table(self) -> str:
        """Its last line was the header of a table: give it back, and close what is left."""
        header = self.last_line()
        self.has_text()
        self._gather()
        self._unsettle()
        self.tail = self.tail[: len(self.tail) - len(header)].rstrip(" \t\n")
        if self.tail:
            self.close()
        elif self.id >= 0:
            self.parent.count -= 1
            self.doc.emit.ops.append([patch.DROP, self.parent.id, self.parent.count])
        return header


def define_note(doc: Document, label: str) -> None:
    """Make a footnote's label known to the references that wait for it."""
    doc.definitions.define(note_key(label), "", "")
