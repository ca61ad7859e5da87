"""One line and a cursor in it: columns, tabs that are consumed in part, indentation.

A line may be the beginning of one (`whole` false): then its end says nothing yet.
"""

from __future__ import annotations

import re

_SPACES = re.compile(r"[ \t]*")


class Undecided(Exception):
    """The line must go on before it can be said what it is."""


class Line:
    """A line without its line end, and how far its containers have consumed it."""

    __slots__ = ("blank", "column", "indent", "next", "pos", "tab", "text", "whole")

    def __init__(self, text: str, whole: bool) -> None:
        self.text = text
        self.whole = whole
        self.pos = 0
        self.column = 0
        self.tab = 0
        """Columns of a tab at `pos` that are consumed already."""
        self.look()

    def look(self) -> None:
        """Find the next character that is not a space: `next`, `indent` (columns), `blank`."""
        found = _SPACES.match(self.text, self.pos)
        self.next = found.end() if found else self.pos
        column = self.column
        for c in self.text[self.pos : self.next]:
            column += 4 - column % 4 if c == "\t" else 1
        self.indent = column - self.column
        self.blank = self.next == len(self.text)

    @property
    def char(self) -> str:
        """The next character that is not a space, or an empty string."""
        return self.text[self.next : self.next + 1]

    def must_be_whole(self) -> None:
        """What follows on the line matters from here on: Undecided when it may still go on."""
        if not self.whole:
            raise Undecided

    def advance(self, columns: int) -> None:
        """Consume that many columns of white space, a tab only in part if need be."""
        while columns > 0 and self.pos < len(self.text):
            if self.text[self.pos] == "\t":
                width = 4 - self.column % 4
                taken = min(width, columns)
                self.tab = self.tab + taken if taken < width else 0
                self.pos += taken == width
                self.column += taken
                columns -= taken
            else:
                self.pos += 1
                self.column += 1
                columns -= 1
        self.look()

    def skip(self, characters: int) -> None:
        """Consume the white space before the next character, and then that many characters."""
        self.column += self.indent + characters
        self.pos = self.next + characters
        self.tab = 0
        self.look()

    def space(self) -> None:
        """Consume one optional column of white space."""
        if self.text[self.pos : self.pos + 1] in (" ", "\t") and self.pos < len(self.text):
            self.advance(1)

    def rest(self) -> str:
        """What is left, the unconsumed part of a tab as spaces."""
        if self.tab and self.pos < len(self.text):
            return " " * (4 - self.column % 4) + self.text[self.pos + 1 :]
        return self.text[self.pos :]

    def content(self) -> str:
        """What is left, without leading white space."""
        return self.text[self.next :]
