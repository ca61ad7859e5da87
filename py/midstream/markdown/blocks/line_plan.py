"""What a line means: the open containers that it continues, those it begins, and what its text is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(slots=True)
class Begin:
    """A container that the line begins."""

    kind: str
    offset: int = 0
    """Columns that the content of an item is indented by."""
    marker: str = ""
    """Of a list: its bullet or delimiter; of a note: its label."""
    start: int | None = None
    """Of an ordered list: its first number."""


# --- What the text of a line is to the leaves ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Blank:
    """Nothing, or nothing but the marks of containers."""


@dataclass(frozen=True, slots=True)
class More:
    """The open leaf goes on with it."""

    text: str


@dataclass(frozen=True, slots=True)
class Lazy:
    """The open paragraph goes on with it, though not all of its containers have their marks."""

    text: str


@dataclass(frozen=True, slots=True)
class FenceEnd:
    """The open fence closes."""


@dataclass(frozen=True, slots=True)
class Underline:
    """The open paragraph was a setext heading of this level."""

    level: int


@dataclass(frozen=True, slots=True)
class DelimiterRow:
    """The open paragraph's last line was the header of a table with these alignments."""

    aligns: list[str]


@dataclass(frozen=True, slots=True)
class StartParagraph:
    """A paragraph begins."""

    text: str


@dataclass(frozen=True, slots=True)
class StartHeading:
    """An ATX heading begins."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class StartRule:
    """A thematic break."""


@dataclass(frozen=True, slots=True)
class StartFence:
    """A fenced code block begins: its run of marks, the columns before it, the info string."""

    marker: str
    indent: int
    info: str


@dataclass(frozen=True, slots=True)
class StartHtml:
    """An HTML block begins; `until` is what ends it."""

    until: re.Pattern[str]
    text: str


@dataclass(frozen=True, slots=True)
class StartCode:
    """An indented code block begins."""

    text: str


Start = StartParagraph | StartHeading | StartRule | StartFence | StartHtml | StartCode
Change = FenceEnd | Underline | DelimiterRow
Step = Blank | More | Lazy | Change | Start
BLANK = Blank()


@dataclass(slots=True)
class Plan:
    """What to do with a line."""

    matched: int
    """How many of the open containers it continues."""
    blank: bool
    begins: list[Begin] = field(default_factory=list)
    step: Step = BLANK
