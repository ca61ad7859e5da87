"""A copy of one answer as a file that stands alone."""

from __future__ import annotations

import re
import time

from ..journal import Record


def file_name(record: Record, now: float) -> str:
    # An id may have come out of a file that somebody else made.
    short = re.sub(r"[^\w-]", "", record["id"])[:8]
    return f"answer-{time.strftime('%Y-%m-%d-%H%M', time.localtime(now))}-{short}.md"


def as_markdown(
    record: Record, text: str, *, partial: bool, tokens: int = 0, now: float | None = None
) -> str:
    """The source text. Above that of an answer that is not whole stands how far it had come and
    when: such a file is found later, without its conversation."""
    if not partial and record["state"] == "complete":
        return text
    moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(now))
    return f"<!-- partial, {tokens} {'token' if tokens == 1 else 'tokens'}, {moment} -->\n\n{text}"
