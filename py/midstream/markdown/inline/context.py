"""The scanner: what all rules of the inline grammar share.

One object is one pass over one text. A rule gets the position of the character that it is
registered for and returns where the pass goes on, or a negative number to end it. It leaves what it
found in `spans`.
"""

from __future__ import annotations

from collections.abc import Callable

from midstream.markdown import limits
from midstream.markdown.inline.delimiters import Delimiter, Stack
from midstream.markdown.inline.spans import Span
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


class Scanner:
    """The state of one pass, and the few things that a rule may do."""

    def __init__(
        self,
        text: str,
        policy: Policy,
        lookup: Lookup,
        meter: Meter,
        *,
        final: bool,
    ) -> None:
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
        self._stack = Stack()
        self._brackets: list[Bracket] = []
        self._in_anchor = False
        """Inside a raw `<a …>`, where no bare link is made."""
        self._floor = 0
        self._nowhere: dict[str, int] = {}
        meter.spend(self.size + 16)

    def _hold(self, i: int) -> int:
        """Show nothing from i on: what it is depends on what comes."""
        self.end = i
        self._unsettle(i)
        return -1

    def _unsettle(self, i: int) -> None:
        if i < self.settled:
            self.settled = i

    def _leaf(self, start: int, end: int, node: Shown) -> int:
        self.spans.append(Span(start, end, node))
        self._floor = end
        return end

    def _wait(self, i: int, limit: int = limits.HOLD) -> int:
        """An unfinished construct from i to the end: hold it while it is short, else go on after
        its first character as plain text, unsettled."""
        self._unsettle(i)
        if self.size - i <= limit:
            return self._hold(i)
        self._floor = i + 1
        return i + 1

    def _find(self, needle: str, i: int) -> int:
        """str.find that does not look twice where it has found nothing."""
        if i >= self._nowhere.get(needle, self.size + 1):
            return -1
        at = self.text.find(needle, i)
        self.meter.spend((at if at >= 0 else self.size) - i)
        if at < 0:
            self._nowhere[needle] = i
        return at

    def _anchor(self, url: str, title: str, children: list[Shown], text: str) -> Shown:
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
