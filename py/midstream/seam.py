"""The joint between an answer that was cut and the new run that goes on with it.

However it was asked to continue (as a prefix, as a follow-up turn), a model goes on in one of four
ways, and one function tells them apart by the text alone:

    exact     it goes on where the answer stopped, also in the middle of a word
    echo      it repeats the answer from its beginning, then goes on: the repetition is skipped
    overlap   it repeats the end of the answer, then goes on: the repetition is skipped
    restart   it began like the answer and went another way: nothing is skipped, a new paragraph

Pure, and linear in what is compared. A decision never changes with more text: nothing is decided
while the text may still turn out to be a longer repetition.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

__all__ = ["HELD_BACK", "MIN_ECHO", "MIN_OVERLAP", "MIN_RESTART", "MIN_WORD", "Joint", "join"]

# Characters that may be held back while undecided, and so the longest overlap that is found. Only
# an echo may be longer: it is as long as the answer.
HELD_BACK = 1000

# Letters and digits of an overlap that begins at a word. Prose hardly ever says twelve letters twice
# in a row ("again and again" has eight), and the lines that code and tables repeat hold few letters.
# One from the middle of something needs four times as many: models go back to a beginning, while
# data cut inside a name goes on with `": 1, "name` again.
MIN_OVERLAP = 12

# Letters of a cut word that the new text writes again from its beginning ("capi", "capital").
MIN_WORD = 4

# Characters of a whole answer that can be told as an echo: "#" followed by "# Title" is a heading
# of the second level, not a repetition.
MIN_ECHO = 4

# Characters that a text must share with the beginning of the answer to be another beginning.
MIN_RESTART = 24


@dataclass(frozen=True, slots=True)
class Joint:
    """The whole is `before + insert + text[skip:]`; `skip` counts characters of the new text."""

    kind: Literal["exact", "echo", "overlap", "restart"]
    skip: int = 0
    insert: str = ""


def join(before: str, text: str, final: bool) -> Joint | None:
    """How `text`, all that the new run has said so far, goes on from the answer `before`.

    None while that cannot be decided; never None when `final` (the run has ended). White space at
    the end of `before` may or may not come again (it is trimmed off in the request): it is neither
    doubled nor lost.
    """
    said = before.strip()
    begun = text[:HELD_BACK].lstrip()
    if said and not begun and not final and len(text) < HELD_BACK:
        return None
    if not said or not begun:
        return _joint("exact", 0, before, text, final)
    lead = len(text[:HELD_BACK]) - len(begun)
    body = text[lead:]
    if not final and _may_grow(said, body):
        return None
    if len(said) >= MIN_ECHO and body.startswith(said) and not _is_refrain(said[:HELD_BACK]):
        return _joint("echo", lead + len(said), before, text, final)
    bare = lead == 0 and said[-1] == before[-1]
    if size := _overlap(said, body[:HELD_BACK], bare):
        return _joint("overlap", lead + size, before, text, final)
    if len(body) >= MIN_RESTART and said.startswith(body[:MIN_RESTART]):
        if said.startswith(body) and len(body) < len(said):  # the run has ended inside its echo
            return Joint("echo", len(text))
        if not body.startswith(said):
            return Joint("restart", lead, "\n" * (2 - min(2, _space_after(before).count("\n"))))
    return _joint("exact", 0, before, text, final)


def _may_grow(said: str, body: str) -> bool:
    """Whether with more text `body` may be a longer repetition than it is."""
    if len(body) < len(said) and said.startswith(body):
        return True
    end = said[-HELD_BACK:]
    return len(body) < len(end) and end.find(body, 0, len(end) - 1) >= 0


def _overlap(said: str, body: str, bare: bool) -> int:
    """The length of the longest beginning of `body` that `said` ends with and that means something.

    `bare`: no white space stands between the two, so a cut word may have been begun again.
    """
    borders = _borders(body)
    size = 0
    for char in said[-len(body) :]:
        while size and (size == len(body) or body[size] != char):
            size = borders[size - 1]
        size += body[size] == char
    while size:
        if _is_verse(body[:size], borders[size - 1]):
            return 0
        if _is_telling(said, size, bare):
            return size
        size = borders[size - 1]
    return 0


def _is_telling(said: str, size: int, bare: bool) -> bool:
    """Whether the last `size` characters are too many to be repeated by chance."""
    start = len(said) - size
    shared = said[start:]
    weight = sum(map(str.isalnum, shared))
    last = said[start - 1 : start] or " "
    if not last.isspace() and (last.isalnum() or not shared[0].isalnum()):
        return weight >= 4 * MIN_OVERLAP
    return weight >= MIN_OVERLAP or (bare and size >= MIN_WORD and shared.isalpha())


def _is_refrain(text: str) -> bool:
    return _is_verse(text, _borders(text)[-1])


def _is_verse(text: str, border: int) -> bool:
    """Whether `text` is something said twice or more ("la la la"), given its longest border: its
    next repetition is as likely the answer's own as the model's, and then nothing is skipped."""
    return not text[border : len(text) - border].strip()


def _borders(text: str) -> list[int]:
    """For each beginning of `text`, the length of the longest shorter one that it ends with (the
    prefix function of Knuth, Morris and Pratt)."""
    borders = [0] * len(text)
    size = 0
    for at in range(1, len(text)):
        while size and text[at] != text[size]:
            size = borders[size - 1]
        size += text[at] == text[size]
        borders[at] = size
    return borders


def _joint(kind: Literal["exact", "echo", "overlap"], skip: int, before: str, text: str, final: bool) -> Joint | None:
    """The joint after `skip` repeated characters, with the white space around it settled."""
    space = _space_after(before)
    if not space:
        return Joint(kind, skip)
    rest = text[skip : skip + HELD_BACK]
    if not final and len(rest) < HELD_BACK and not rest.strip():
        return None  # more white space may come
    return Joint(kind, skip + _known_space(space, rest[: len(rest) - len(rest.lstrip())]))


def _space_after(text: str) -> str:
    return text[len(text.rstrip()) :]


def _known_space(space: str, again: str) -> int:
    """How much of the white space `again` is already there in `space`."""
    if again.startswith(space):
        return len(space)
    if "\n" not in again:
        return len(again)  # what is there separates the words
    if "\n" not in space:
        return again.index("\n")  # the line break says more
    # Both break the line: as many breaks as are there, then as much indentation.
    breaks = min(space.count("\n"), again.count("\n"))
    at = 0
    for _ in range(breaks):
        at = again.index("\n", at) + 1
    indentation = space[space.rindex("\n") + 1 :]
    pairs = zip(indentation, again[at:], strict=False)
    return at + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
