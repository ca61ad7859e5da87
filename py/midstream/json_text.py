"""JSON from outside. Python's decoder goes one level of its own stack down for each level of the text: in a browser
that stack ends before Python can say so, and Python with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

LEVELS = 200  # far more than any program writes, far less than the stack has

# The next bracket outside of strings. Possessive: it never goes back, so its work grows with the text.
_BRACKET = re.compile(r'[^\[\]{}"]*+(?:"(?:[^"\\]++|\\.)*+"[^\[\]{}"]*+)*+([\[\]{}])', re.DOTALL)


class TooDeep(ValueError):
    """A text with more than LEVELS levels."""


def decode(text: str | bytes) -> Any:
    """Raises ValueError: TooDeep, or json's own."""
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    if text.count("[") + text.count("{") > LEVELS:
        for _ in brackets(text):
            pass
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # an integer of more digits than Python takes: nobody needs it
        return json.loads(text, parse_int=float)


def brackets(text: str) -> Iterator[tuple[str, int, int]]:
    """Each bracket outside of strings with its position and the level inside of it; for a closing one, the level
    that it closes. Raises TooDeep."""
    level, at = 0, 0
    while found := _BRACKET.match(text, at):
        at = found.end()
        bracket = found[1]
        if bracket in "[{":
            level += 1
            if level > LEVELS:
                raise TooDeep(f"more than {LEVELS} levels")
            yield bracket, at - 1, level
        else:
            yield bracket, at - 1, level
            level -= 1
