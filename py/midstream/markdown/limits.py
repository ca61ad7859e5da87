"""Bounds that no input can push: depth, sizes, and the meter that counts work.

Every cap is a property of the document, never of how it was cut into pieces: the same text gives
the same tree, capped or not. What lies beyond a cap is shown as plain text.
"""

from __future__ import annotations

CONTAINERS = 100
"""Quotes, lists, items and notes inside each other; deeper markers are text."""
INLINE_DEPTH = 100
"""Emphasis, links and the like inside each other; deeper ones are text, markers included."""
LABEL = 999
"""Characters of a link label (CommonMark's own bound)."""
WAITING = 10_000
"""Labels that may wait for a late definition."""
COLUMNS = 200
"""Columns of a table; a wider header row is a paragraph."""
PARENS = 32
"""Parentheses inside each other in a link destination (as cmark does)."""
MATH = 400
"""Characters of an inline formula; a longer one is text."""

PADDING = 20_000
"""Empty cells that short table rows are filled up with."""
HOLD = 300
"""Display only: an unfinished construct longer than this is shown as it stands."""
HEALED = 8
"""Display only: unclosed emphasis shown as emphasis, at most so many inside each other."""
AMORTISE = 2_048
"""From this length on an open leaf without a checkpoint is parsed again only now and then; what
came since is shown as plain text meanwhile (see `patience`)."""
FACTOR = 400
"""The watchdog: work units one leaf may cost per character, before it is shown as plain text."""


def patience(length: int) -> int:
    """The length at which a long leaf without a checkpoint is parsed again: an eighth more, from
    16 KB on twice as much. So all its parses together look at most at about 12 times its text."""
    return length * 9 // 8 if length < 16_384 else 2 * length


class OverBudget(Exception):
    """A leaf cost more work than any sane text can; its driver shows it as plain text."""


class Meter:
    """Counts work units: characters looked at, roughly. Tests judge growth by it."""

    __slots__ = ("limit", "work")

    def __init__(self) -> None:
        self.work = 0
        self.limit = 1 << 62

    def allow(self, characters: int) -> None:
        """Open a budget for one leaf of this length."""
        self.limit = self.work + FACTOR * (characters + 64)

    def spend(self, units: int) -> None:
        """Count work; OverBudget when the leaf's budget is gone."""
        self.work += units
        if self.work > self.limit:
            raise OverBudget
