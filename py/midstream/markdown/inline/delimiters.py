"""Emphasis: the delimiter stack of the CommonMark specification, with GFM's tildes on it.

The algorithm is the specification's (appendix "process emphasis"), with its lower bounds per
kind of closer, which keep it linear; mistletoe's restarts its search and is n^2 on `**_* `.
"""

from __future__ import annotations

from unicodedata import category

WORD, SPACE, PUNCTUATION = range(3)
_KINDS: dict[str, int] = {}


def kind(c: str) -> int:
    """Whether a character is white space, punctuation (symbols included, as of 0.31), or other."""
    known = _KINDS.get(c)
    if known is None:
        if c.isspace():
            known = SPACE
        elif category(c)[0] in "PS":
            known = PUNCTUATION
        else:
            known = WORD
        if len(_KINDS) < 4096:
            _KINDS[c] = known
    return known


class Delimiter:
    """A run of `*`, `_` or `~` that may open or close; a node of a doubly linked list."""

    __slots__ = ("after", "before", "char", "closes", "end", "length", "opens", "start", "word")

    def __init__(self, char: str, start: int, end: int) -> None:
        self.char = char
        self.start = start
        self.end = end
        self.length = end - start
        self.opens = self.closes = self.word = False
        self.before: Delimiter | None = None
        self.after: Delimiter | None = None

    def stands(self, left: str, right: str) -> None:
        """Take note of the characters around the run. GFM's tildes are both punctuation and, seen
        through, nothing; so it may stand in two ways, and what either allows is allowed."""
        before, after = kind(left), kind(right)
        leftish = after != SPACE and (after != PUNCTUATION or before != WORD)
        rightish = before != SPACE and (before != PUNCTUATION or after != WORD)
        self.word = before == WORD and after == WORD
        if self.char == "_":
            self.opens |= leftish and (not rightish or before == PUNCTUATION)
            self.closes |= rightish and (not leftish or after == PUNCTUATION)
        else:
            self.opens |= leftish
            self.closes |= rightish

    def closed_by(self, closer: Delimiter) -> bool:
        """Whether this run can be closed by that one (the specification's rule of three)."""
        if self.char != closer.char or not self.opens:
            return False
        if self.char == "~":
            return self.length == closer.length
        if (self.closes or closer.opens) and (self.length + closer.length) % 3 == 0:
            return self.length % 3 == 0 and closer.length % 3 == 0
        return True


class Stack:
    """The runs that are not used up yet, oldest first."""

    __slots__ = ("top",)

    def __init__(self) -> None:
        self.top: Delimiter | None = None

    def push(self, run: Delimiter) -> None:
        """Put a run on top."""
        run.before = self.top
        if self.top is not None:
            self.top.after = run
        self.top = run

    def remove(self, run: Delimiter) -> None:
        """Take a run out."""
        if run.before is not None:
            run.before.after = run.after
        if run.after is not None:
            run.after.before = run.before
        else:
            self.top = run.before

    def cut(self, bottom: Delimiter | None) -> None:
        """Take out everything above `bottom`."""
        self.top = bottom
        if bottom is not None:
            bottom.after = None

    def lowest(self, bottom: Delimiter | None) -> Delimiter | None:
        """The oldest run above `bottom`."""
        if bottom is not None:
            return bottom.after
        run = self.top
        while run is not None and run.before is not None:
            run = run.before
        return run

    def pair(self, bottom: Delimiter | None) -> list[tuple[int, int, str]]:
        """Match openers and closers above `bottom`; returns (start, end, marks) per element,
        where start and end include the marks. Runs that can still open stay on the stack."""
        found: list[tuple[int, int, str]] = []
        # Below this position no opener fits such a closer. Positions, since runs may leave the list.
        floors: dict[tuple[str, bool, int], int] = {}
        closer = self.lowest(bottom)
        while closer is not None:
            if not closer.closes:
                closer = closer.after
                continue
            length = closer.length if closer.char == "~" else closer.length % 3
            key = (closer.char, closer.opens, length)
            floor = floors.get(key, -1)
            opener = closer.before
            while opener is not None and opener is not bottom and opener.start >= floor:
                if opener.closed_by(closer):
                    break
                opener = opener.before
            if opener is None or opener is bottom or opener.start < floor:
                floors[key] = closer.start
                following = closer.after
                if not closer.opens:
                    self.remove(closer)
                closer = following
                continue
            closer = self._join(opener, closer, found)
        return found

    def _join(self, opener: Delimiter, closer: Delimiter, found: list[tuple[int, int, str]]) -> Delimiter | None:
        """Use up one pair of marks; returns the closer to go on with."""
        sizes = opener.end - opener.start, closer.end - closer.start
        n = sizes[0] if opener.char == "~" else 2 if min(sizes) >= 2 else 1
        opener.end -= n
        closer.start += n
        found.append((opener.end, closer.start, opener.char * n))
        opener.after = closer
        closer.before = opener
        if opener.end == opener.start:
            self.remove(opener)
        if closer.end == closer.start:
            following = closer.after
            self.remove(closer)
            return following
        return closer
