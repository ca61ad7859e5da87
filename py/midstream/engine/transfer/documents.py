"""Documents: one answer, or one conversation, as a Markdown file."""

from __future__ import annotations

import re
import time

from midstream.engine.store.records import FINAL_STATES
from midstream.engine.store.rendering import branch_of, rows_of
from midstream.journal import Record, Store, text, tokens

Labels = dict[str, str]
# The labels of the file. The screen gives them in the person's language.
LABELS: Labels = {
    "language": "en",
    "user": "You",
    "assistant": "Answer",
    "reasoning": "Reasoning",
    "partial": "Not complete: {n} tokens",
}
FILE_NAME_CHARACTERS = 60


def file_name(record: Record, now: float) -> str:
    # An id may have come out of a file that somebody else made.
    short = re.sub(r"[^\w-]", "", record["id"])[:8]
    return f"answer-{time.strftime('%Y-%m-%d-%H%M', time.localtime(now))}-{short}.md"


def conversation_name(record: Record, ending: str) -> str:
    """A name without characters that mean something in a path."""
    plain = re.sub(r"[^\w]+", "-", str(record["title"]).lower()).strip("-_")
    return f"{plain[:FILE_NAME_CHARACTERS].rstrip('-') or 'conversation'}.{ending}"


def as_markdown(record: Record, text: str, *, partial: bool, tokens: int = 0, now: float | None = None) -> str:
    """The source text. Above the text of an incomplete answer stand its length and the time: the file
    may be read later, without its conversation."""
    if not partial and record["state"] == "complete":
        return text
    moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(now))
    return f"<!-- partial, {tokens} {'token' if tokens == 1 else 'tokens'}, {moment} -->\n\n{text}"


async def markdown_of(store: Store, conversation: Record, labels: Labels, now: float) -> str:
    """The source texts of the visible branch, each under a heading with its author."""
    parts = [f"# {conversation['title'] or labels['assistant']}"]
    for record, _ in await branch_of(store, conversation):
        if record["author"] == "user":
            parts += [f"## {labels['user']}", record["text"]]
            continue
        rows = await rows_of(store, record["id"])
        partial = record["state"] not in FINAL_STATES
        source = as_markdown(record, text(rows), partial=partial, tokens=tokens(rows), now=now)
        parts += [f"## {labels['assistant']}", source.strip("\n")]
    return "\n\n".join(parts) + "\n"
