"""What a line that has been read means: which open containers it continues, and what it begins."""

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


@dataclass(slots=True)
class Plan:
    """What to do with a line."""

    matched: int
    """How many of the open containers it continues."""
    blank: bool
    begins: list[Begin] = field(default_factory=list)
    leaf: str = "blank"
    """blank, add, lazy, end, paragraph, heading, setext, rule, fence, html, code, table, row."""
    text: str = ""
    level: int = 0
    marker: str = ""
    indent: int = 0
    until: re.Pattern[str] | None = None
    aligns: list[str] | None = None
