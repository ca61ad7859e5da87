"""Leaves with inline content: what paragraphs, headings and table cells have in common.

Only the unsettled tail is kept as text to be parsed: what the inline driver calls settled becomes
a checkpoint, its nodes are done. Most pieces of an answer are plain text and take the fast path:
they are appended to where the last parse left off, and no parse happens at all.
"""

from __future__ import annotations

import re

from midstream.markdown import limits
from midstream.markdown.blocks.leaf import Container, Leaf
from midstream.markdown.blocks.output import Output
from midstream.markdown.inline.context import Context
from midstream.markdown.inline.parser import parse
from midstream.markdown.limits import OverBudget
from midstream.markdown.nodes import El, Shown, joined

_PLAIN = re.compile(r"\n?[^\\`*_~\[\]<&$@\n/#!|]*\Z")
_SPACES = " \t"


class InlineLeaf(Leaf):
    """Inline content that grows at its end, shown in element `id` (opened when needed)."""

    __slots__ = (
        "base",
        "dirty",
        "fresh",
        "gap",
        "lead",
        "length",
        "missing",
        "recent",
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

    def __init__(self, out: Output, parent: Container) -> None:
        super().__init__(out, parent)
        self.tag = "p"
        self.tail = ""
        """Source after the last checkpoint, as of the last parse."""
        self.fresh: list[str] = []
        """Source since the last parse, on the screen already or not."""
        self.length = 0
        """Length of both."""
        self.source: list[str] = []
        """Source before the checkpoint, for the case that all is parsed again."""
        self.settled: list[Shown] = []
        """What the source before the checkpoint shows."""
        self.shown: list[Shown] = []
        """What the tail shows."""
        self.base = 0
        """How many child nodes of the element are settled."""
        self.lead = False
        """The last settled node is a text, which a text at the start of `shown` continues."""
        self.spot: tuple[int, list[Shown]] | None = None
        """Where plain text goes on: the innermost open element and its children."""
        self.gap = ""
        """White space at the end, not shown yet."""
        self.recent = ""
        """The last three characters."""
        self.dirty = False
        """Some of `fresh` is not on the screen."""
        self.task = False
        """It may begin with a task's box."""
        self.retry = 0
        """The length from which on the tail is parsed again."""
        self.missing: list[str] = []
        """Labels without a definition so far."""
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
            if self.length < self.retry:
                self._paint(text)
                return
        self.fresh.append(text)
        self.length += len(text)
        self.dirty = True

    def _fast(self, text: str) -> bool:
        """Show plain text at once, unless it ends in a way that matters to what follows."""
        if self.length > limits.AMORTISE > self.retry:
            return False
        if text[0] == "\n" and self.gap:
            return False
        if "." in text and "ww" in self.recent + text:
            return False
        self._paint(text)
        return True

    def _paint(self, text: str) -> None:
        """Append text as it stands to the screen, trailing white space held back."""
        assert self.spot is not None
        id, children = self.spot
        self.fresh.append(text)
        self.length += len(text)
        self.recent = (self.recent + text)[-3:]
        text = self.gap + text
        kept = text.rstrip(" \t\n")
        self.gap = text[len(kept) :]
        if kept:
            self.out.meter.work += len(text)
            self.out.emit.text(id, kept)
            # Joined before the next parse: growing one string would copy it every time.
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
        if self.spot is not None:
            self.spot[1][:] = joined(self.spot[1])
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
            self.out.emit.update(self.id, self.shown, new, self.base, self.lead)
        self.shown = new
        self.spot = None
        if inline is None:
            self.retry = 2 * len(text)
        elif not final:
            self._after(inline, checkpoint, head, rest)

    def _inline(self, text: str, final: bool) -> Context | None:
        """The inline driver over the tail, or None when the watchdog stopped it."""
        out = self.out
        out.meter.allow(len(text))
        try:
            inline = parse(text, out.policy, out.definitions.get, out.meter, final=final, task=self.task)
        except OverBudget:
            return None
        if final:
            self.missing += inline.missing
        return inline

    def _after(self, inline: Context, checkpoint: int, head: list[Shown], rest: list[Shown]) -> None:
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
        if len(self.tail) > limits.AMORTISE:
            self.retry = limits.patience(len(self.tail))
        if self.id < 0 or inline.open_url or (hidden.strip(_SPACES) and not self.retry):
            return
        self.gap = hidden
        self.recent = self.tail[-3:]
        id, nodes = self.id, self.shown
        while nodes and isinstance(last := nodes[-1], El) and last.mark is not None:
            id, nodes = last.id, last.children
        self.spot = id, nodes

    def _settle(self, head: list[Shown], rest: list[Shown]) -> None:
        """Move the nodes before the checkpoint from `shown` to `settled`."""
        count = len(head)
        if not count:
            return
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
        self.waits = bool(self.missing) and self.out.definitions.wait(self, self.missing)
        if self.waits:
            self._unsettle()
        if self.id >= 0:
            self._seal()

    def _seal(self) -> None:
        self.parent.pinned |= self.waits
        self.out.seal(self.id, pinned=self.waits)

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
        self.out.definitions.wait(self, self.missing)


def _is_task(node: Shown) -> bool:
    return isinstance(node, El) and node.tag == "input"
