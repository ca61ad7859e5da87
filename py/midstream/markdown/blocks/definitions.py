"""Link reference definitions: scanning them, keeping them, and who waits for them.

A definition may come after its use, so a sealed leaf whose text has labels without a definition
waits. When the definition comes, only the leaves that wait for that label are parsed again: a
budget that grows with the text pays for it, so that no pile of labels can make it quadratic; what
it cannot pay at once is done when the document ends.
"""

from __future__ import annotations

from typing import Protocol

from midstream.markdown import limits
from midstream.markdown.inline import links

Definition = tuple[int, str, str, str]


def scan(text: str, start: int, final: bool) -> Definition | str | None:
    """(end, key, URL, title) of the definition at text[start:], PARTIAL or None.

    While lines may follow (`final` false) a definition is known only when the next line shows
    that it is not its title.
    """
    size = len(text)
    partial = None if final else links.PARTIAL
    label = links.LABEL.match(text, start)
    if label is None:
        return None
    i = label.end()
    if not label[2]:
        return partial if i == size or (text[i] == "\\" and i == size - 1) else None
    key = links.key(label[1])
    if i == size:
        return partial if key else None
    if text[i] != ":" or not key:
        return None
    i = _blank(text, i + 1)
    if i == size:
        return partial
    where = links.destination(text, i, size)
    if not isinstance(where, tuple):
        return None if where is None else partial
    i, written = where
    if i == size and not final:
        return partial
    if written == "" and text[i - 1] != ">":
        return None
    return _titled(text, i, (key, links.unescape(written)), final)


def _titled(text: str, i: int, known: tuple[str, str], final: bool) -> Definition | str | None:
    size = len(text)
    line_end = _spaces(text, i)
    bare = line_end if line_end == size or text[line_end] == "\n" else -1
    j = _blank(text, i)
    if j == size and not final:
        return links.PARTIAL
    if j < size and j > i and text[j] in "\"'(":
        found = links.title(text, j, size)
        if isinstance(found, tuple):
            end = _spaces(text, found[0])
            if end == size and not final:
                return links.PARTIAL
            if end == size or text[end] == "\n":
                return end, *known, links.unescape(found[1])
        elif found is not None and not final:
            return links.PARTIAL
    return (bare, *known, "") if bare >= 0 else None


def _spaces(text: str, i: int) -> int:
    while i < len(text) and text[i] in " \t":
        i += 1
    return i


def _blank(text: str, i: int) -> int:
    while i < len(text) and text[i] in " \t\n":
        i += 1
    return i


class Waiting(Protocol):
    """A sealed leaf that waits for definitions."""

    def size(self) -> int:
        """Characters that parsing all of it again would look at."""

    def again(self) -> None:
        """A definition that it waited for has come: parse all of it again."""


class Definitions:
    """The definitions of one document, and the leaves that wait for more."""

    __slots__ = ("_budget", "_due", "_known", "_waiting", "_waits")

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}
        self._waiting: dict[str, list[Waiting]] = {}
        self._waits = 0
        self._due: dict[int, Waiting] = {}
        self._budget = 0

    def get(self, key: str) -> tuple[str, str] | None:
        """(URL, title) of a label's key, or None."""
        return self._known.get(key)

    def define(self, key: str, url: str, title: str) -> None:
        """Take a definition; the first one of a label counts."""
        if key not in self._known:
            self._known[key] = (url, title)
            for leaf in self._waiting.pop(key, ()):
                self._due[id(leaf)] = leaf

    def wait(self, leaf: Waiting, keys: list[str]) -> bool:
        """Let a sealed leaf wait for these labels; false when too many wait already."""
        fresh = [key for key in dict.fromkeys(keys) if key not in self._known]
        if not fresh or self._waits + len(fresh) > limits.WAITING:
            return False
        self._waits += len(fresh)
        for key in fresh:
            self._waiting.setdefault(key, []).append(leaf)
        return True

    def earn(self, characters: int) -> None:
        """Text has come in: that much more may be parsed again."""
        self._budget += 4 * characters

    def reparse(self, final: bool) -> None:
        """Parse again what waits for a definition that is now known, as the budget allows."""
        while self._due:
            leaf = next(iter(self._due.values()))
            if not final and leaf.size() > self._budget:
                return
            self._budget -= leaf.size()
            del self._due[id(leaf)]
            leaf.again()
