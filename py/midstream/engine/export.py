"""A copy of one answer as a file that stands alone."""

from __future__ import annotations

import time

from ..journal import Record


def file_name(record: Record, now: float) -> str:
    return f"answer-{time.strftime('%Y-%m-%d-%H%M', time.localtime(now))}-{record['id'][:8]}.md"


def as_markdown(record: Record, text: str, *, partial: bool) -> str:
    """The source text. A partial one says so above it: such a file is found later, without its
    conversation."""
    if not partial:
        return text
    conversation = record["conversation"]
    return f"<!-- partial: still being written; conversation {conversation} -->\n\n{text}"
