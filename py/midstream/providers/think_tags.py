"""Reasoning that a server leaves in the text: `<think>…</think>` at an answer's beginning.

Some chat templates put the opening tag into the prompt, so that only `</think>` comes: then all
text before it was reasoning. A tag in code, and a pair of them in the middle, is text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from midstream.journal import Row, text

__all__ = ["Split", "ThinkTags", "split_whole"]

_OPEN = ("<think>", "<thinking>")
_CLOSE = ("</think>", "</thinking>")
_CLOSING = re.compile("|".join(_CLOSE))
_TAIL = max(map(len, _CLOSE)) - 1  # characters of a tag that may have come before the rest of it
_FENCE = re.compile(r"^ {0,3}(```|~~~)", re.MULTILINE)
_TRIES = 8  # closing tags that are looked at, each with all text before it


@dataclass(frozen=True, slots=True)
class Split:
    """`moved`: all text that came before was reasoning; `reasoning` has it then."""

    text: str = ""
    reasoning: str = ""
    moved: bool = False


class ThinkTags:
    """One run's text as it comes. `inside` and `held` are stored with each row, so that the next page
    goes on from there."""

    def __init__(self, *, before: str = "", reasoned: bool = False, inside: bool = False, held: str = "") -> None:
        """`before`: the text so far; `reasoned`: reasoning has come in a field of its own, or in a
        tag."""
        self.inside = inside
        self.held = held
        self._text = [before]
        self._last = before[-_TAIL:]
        self._blank = not before.strip()
        self._tries = 0 if reasoned or inside else _TRIES

    @classmethod
    def of(cls, rows: Sequence[Row], run: int) -> ThinkTags:
        own = [row for row in rows if row.run == run]
        if not own:
            return cls(before=text(rows))
        return cls(
            before=text(rows),
            reasoned=any(row.reasoning for row in own),
            inside=own[-1].inside,
            held=own[-1].held,
        )

    def take(self, new: str, *, reasoned: bool = False) -> Split:
        """`reasoned`: as above, with this piece."""
        self._tries = 0 if reasoned else self._tries
        new, self.held = self.held + new, ""
        thoughts: list[str] = []
        while new:
            if self.inside:
                new = self._thought(new, thoughts)
            elif self._blank and not self._is_text(new):
                new = self._start(new)
            else:
                return self._said(new, thoughts)
        return Split(reasoning="".join(thoughts))

    def rest(self) -> Split:
        """Nothing more comes."""
        held, self.held = self.held, ""
        return Split(reasoning=held) if self.inside else Split(text=held)

    def _is_text(self, new: str) -> bool:
        start = new.lstrip()
        return bool(start) and not any(start.startswith(tag) or tag.startswith(start) for tag in _OPEN)

    def _start(self, new: str) -> str:
        """Takes the opening tag, or holds what may be its beginning; gives the rest."""
        start = new.lstrip()
        for tag in _OPEN:
            if start.startswith(tag):
                self.inside, self._tries = True, 0
                return start[len(tag) :].lstrip("\n")
        self.held = new
        return ""

    def _thought(self, new: str, thoughts: list[str]) -> str:
        """Takes the reasoning up to its end; gives the text after that."""
        if closing := _CLOSING.search(new):
            self.inside = False
            thoughts.append(new[: closing.start()].rstrip())
            return new[closing.end() :].lstrip("\n")
        kept = next((n for n in range(min(_TAIL, len(new)), 0, -1) if _begins_a_tag(new[-n:])), 0)
        thoughts.append(new[: len(new) - kept])
        self.held = new[len(new) - kept :]
        return ""

    def _said(self, new: str, thoughts: list[str]) -> Split:
        self._blank = False
        if self._tries and (moved := self._moved(new)):
            return moved
        if self._tries:
            self._text.append(new)
            self._last = (self._last + new)[-_TAIL:]
        return Split(new, "".join(thoughts))

    def _moved(self, new: str) -> Split | None:
        """The split at a closing tag that had no opening one."""
        shown = self._last
        for closing in _CLOSING.finditer(shown + new):
            self._tries -= 1
            whole = "".join(self._text) + new
            end = len(whole) - len(shown + new)
            before, after = whole[: end + closing.start()], whole[end + closing.end() :]
            if _ends_reasoning(before):
                self._tries, self._blank = 0, not after.strip()
                return Split(after.lstrip("\n"), before.rstrip(), moved=True)
            if not self._tries:
                break
        return None


def split_whole(text: str) -> tuple[str, str]:
    """Text and reasoning of an answer that is there at once."""
    tags = ThinkTags()
    first, rest = tags.take(text), tags.rest()
    return first.text + rest.text, first.reasoning + rest.reasoning


def _begins_a_tag(end: str) -> bool:
    return any(tag.startswith(end) for tag in _CLOSE)


def _ends_reasoning(before: str) -> bool:
    """Whether a closing tag after `before` ends all of it: not in code, not after an opening tag, and
    not as a word of a sentence."""
    if any(tag in before for tag in _OPEN) or len(_FENCE.findall(before)) % 2:
        return False
    line = before.rpartition("\n")[2]
    return not line.strip() or not (line.count("`") % 2 or line[-1] in " \t\"'`(“„«")
