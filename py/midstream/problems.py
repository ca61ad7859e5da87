"""A problem is something that went wrong and that a person should know: a code and its values.

    problem("upstream_name", host="model.example")

The code stands in the errors of the gateway (PROTOCOL.md, section 3), in the record of an answer and
in the messages of the engine. The screen has a sentence for it in each language (`problem.<code>` of
its catalogues), so a stored problem is always shown in the language that the person reads now. The
English sentence (`problem_texts`) goes with the code for the command line, log files, other clients,
and for a screen of an older version that does not know the code yet.

The app does not translate the sentences of others, a model's server or the browser: each is stored
as a `quote` and shown as one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from midstream.problem_texts import ENGLISH, Plural

Value = str | int | float

TEXT = 300  # characters of a quote, or of a name among the values
VALUES = 8
_CODE = re.compile(r"[a-z][a-z0-9_]{0,47}")
_NAME = re.compile(r"[a-z]{1,16}")


@dataclass(frozen=True, slots=True)
class Problem:
    """`parts`: the problems of several things, for the message to the screen; they are not stored."""

    code: str
    message: str
    hint: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    quote: str = ""
    parts: Sequence[Problem] = ()

    def record(self) -> dict[str, Any]:
        """As JSON, without the English: a record has that beside it."""
        made: dict[str, Any] = {"code": self.code, "values": dict(self.values)}
        parts = [part.record() for part in self.parts]
        return made | ({"quote": self.quote} if self.quote else {}) | _if(parts=parts)

    def line(self) -> str:
        return f"{self.message} {self.hint}".strip().replace("\n", " ")


def problem(
    code: str,
    *,
    quote: str = "",
    message: str = "",
    hint: str = "",
    parts: Sequence[Problem] = (),
    **values: Value,
) -> Problem:
    """`message`, `hint`: English that is more exact than the table, for readers of English."""
    given = values | ({"parts": "; ".join(part.message for part in parts)} if parts else {})
    sentence, next_step = ENGLISH[code]
    text = _form(sentence, values.get("n")).format(**given)
    said = f"{text} Message: {shortened(quote)}" if quote else text
    return Problem(code, message or said, hint or next_step, values, shortened(quote), tuple(parts))


def _form(sentence: str | Plural, n: Value | None) -> str:
    if isinstance(sentence, str):
        return sentence
    return sentence.one if n == 1 else sentence.other


def shortened(text: str) -> str:
    """A quote is one line, however long it was."""
    return " ".join(text.split())[:TEXT]


def read(raw: Any, message: str, hint: str = "") -> Problem | None:
    """A problem out of a file, a record or a server's answer; None when `raw` is not one."""
    if not is_record(raw):
        return None
    return Problem(raw["code"], message, hint, dict(raw.get("values", {})), raw.get("quote", ""))


def is_record(raw: Any) -> bool:
    """Whether `raw` has the form that `Problem.record` gives, without parts."""
    if not isinstance(raw, dict) or not _matches(_CODE, raw.get("code")):
        return False
    values = raw.get("values", {})
    return (
        raw.keys() <= {"code", "values", "quote"}
        and _is_text(raw.get("quote", ""))
        and isinstance(values, dict)
        and len(values) <= VALUES
        and all(_matches(_NAME, name) and _is_value(value) for name, value in values.items())
    )


def _if(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value}


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= TEXT


def _is_value(value: Any) -> bool:
    return _is_text(value) or (type(value) in (int, float) and math.isfinite(value))
