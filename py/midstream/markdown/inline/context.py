"""The context of the inline rules: one pass over one text, and what a rule may do to it.

A rule is a function `rule(cx, at) -> int`: it gets the position of the character that it is
registered for (`parser.RULES`) and returns where the pass goes on, or a negative number to end it.
What it has found it leaves in `spans`. Three things are for leaves that are still being written:

- `end`: text from here on is held back, for what it is depends on what comes;
- elements with a mark: shown on trust (emphasis, code and links not closed yet);
- `settled`: nothing that may still come changes what stands before this offset. The driver of
  the leaf makes it a checkpoint and never parses that part again.

With `final` nothing is held and nothing trusted: the specification's answer.
"""

from __future__ import annotations

from collections.abc import Callable

from midstream.markdown import limits
from midstream.markdown.inline.delimiters import WORD, Delimiter, Stack, kind
from midstream.markdown.inline.spans import Span, build
from midstream.markdown.limits import Meter
from midstream.markdown.nodes import El, Shown
from midstream.markdown.policy import Policy, escape_url, gate

Lookup = Callable[[str], tuple[str, str] | None]
"""(URL, title) of a label's key, or None."""


class Bracket:
    """A `[` or `![` that waits for its `]`."""

    __slots__ = ("after", "below", "image", "spans", "start")

    def __init__(self, start: int, image: bool, below: Delimiter | None, spans: int) -> None:
        self.start = start
        self.image = image
        self.below = below
        self.spans = spans
        self.after = False
        """Whether another bracket was opened inside: then its text is no label."""


class Context:
    """The state of one pass; read `nodes()`, `checkpoint()`, `end` and `missing` afterwards."""

    __slots__ = (
        "_nowhere",
        "brackets",
        "dead",
        "end",
        "final",
        "floor",
        "in_anchor",
        "lookup",
        "meter",
        "missing",
        "open_url",
        "policy",
        "settled",
        "size",
        "spans",
        "stack",
        "text",
        "ticks",
    )  # fmt: skip

    def __init__(self, text: str, policy: Policy, lookup: Lookup, meter: Meter, *, final: bool) -> None:
        self.final = final
        self.text = text if final else text.rstrip(" \t\n")
        self.size = self.end = self.settled = len(self.text)
        self.policy = policy
        self.lookup = lookup
        self.meter = meter
        self.spans: list[Span] = []
        self.missing: list[str] = []
        """Labels that were looked up in vain: a later definition may change this leaf."""
        self.open_url = False
        """The text ends in a URL that may go on."""
        self.stack = Stack()
        self.brackets: list[Bracket] = []
        self.dead = 0
        """So many of the open brackets, the oldest, have a link inside: they cannot be links."""
        self.in_anchor = False
        """Inside a raw `<a …>`, where no bare link is made."""
        self.floor = 0
        """Where the plain text before the pass begins: no construct reaches below it."""
        self.ticks: dict[int, list[int]] | None = None
        """Where backticks stand, by the length of their run; made when the first ones are met."""
        self._nowhere: dict[str, int] = {}
        meter.spend(self.size + 16)

    # --- for rules -------------------------------------------------------------------------------

    def hold(self, i: int) -> int:
        """Show nothing from i on: what it is depends on what comes."""
        self.end = i
        self.unsettle(i)
        return -1

    def unsettle(self, i: int) -> None:
        """What stands from i on may still change."""
        if i < self.settled:
            self.settled = i

    def leaf(self, start: int, end: int, node: Shown) -> int:
        """text[start:end] is this node."""
        self.spans.append(Span(start, end, node))
        self.floor = end
        return end

    def wait(self, i: int, limit: int = limits.HOLD) -> int:
        """An unfinished construct from i to the end: hold it while it is short, else go on after
        its first character as plain text, unsettled."""
        self.unsettle(i)
        if self.size - i <= limit:
            return self.hold(i)
        self.floor = i + 1
        return i + 1

    def find(self, needle: str, i: int) -> int:
        """str.find that does not look twice where it has found nothing."""
        if i >= self._nowhere.get(needle, self.size + 1):
            return -1
        at = self.text.find(needle, i)
        self.meter.spend((at if at >= 0 else self.size) - i)
        if at < 0:
            self._nowhere[needle] = i
        return at

    def anchor(self, url: str, title: str, children: list[Shown], text: str) -> Shown:
        """A link, or under the safe policy an `a` without target for what may not be one."""
        attrs: dict[str, str] = {}
        if self.policy.name != "safe":
            attrs["href"] = escape_url(url)
        elif (href := gate(url)) is not None:
            attrs["href"] = href
        elif text:
            return text
        if title and attrs:
            attrs["title"] = title
        return El("a" if attrs else "", attrs, children)

    # --- what has been found ---------------------------------------------------------------------

    def nodes(self, start: int, end: int) -> list[Shown]:
        """What text[start:end] shows; start lies outside every construct, end too or at `end`."""
        return build(self.text, self.spans, start, end)

    def checkpoint(self) -> int:
        """The last offset before `settled`, outside every construct, that a parse may start again
        from knowing nothing of what stands before it; 0 when there is none."""
        limit = min(self.settled, self.end)
        last = at = 0
        for span in self.spans:
            if span.start >= limit:
                break
            if span.start >= at:
                last = self._boundary(at, span.start) or last
                if span.node == "\n":
                    last = span.start
                at = span.end
        return self._boundary(at, limit) or last

    def _boundary(self, start: int, stop: int) -> int:
        """The last place in the plain text[start:stop] where white space begins, or where a letter of
        a script that is written without it stands; 0 when there is none."""
        at = self.text.rfind(" ", start, stop)
        while at > start and self.text[at - 1] == " ":
            at -= 1
        if not self.text.isascii():
            for k in range(stop - 1, max(at, start, stop - 32), -1):
                if self.text[k] >= "\u2e80" and kind(self.text[k]) == WORD:
                    return k
        return max(at, 0)
