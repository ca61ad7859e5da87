"""A copy of one answer, or of one conversation, as a file that stands alone."""

from __future__ import annotations

import re
import time

from midstream.engine.store.records import FINAL_STATES
from midstream.engine.store.rendering import line_of, rows_of
from midstream.journal import Record, Store, text, tokens

Words = dict[str, str]
# What stands in such a file beside what was written. The screen gives them in the person's language.
WORDS: Words = {
    "language": "en",
    "user": "You",
    "assistant": "Answer",
    "reasoning": "Reasoning",
    "partial": "Not complete: {n} tokens",
}
NAME_CHARACTERS = 60


def file_name(record: Record, now: float) -> str:
    # An id may have come out of a file that somebody else made.
    short = re.sub(r"[^\w-]", "", record["id"])[:8]
    return f"answer-{time.strftime('%Y-%m-%d-%H%M', time.localtime(now))}-{short}.md"


def conversation_name(record: Record, ending: str) -> str:
    """Nothing of a title may lead elsewhere, or mean something to a file system."""
    plain = re.sub(r"[^\w]+", "-", str(record["title"]).lower()).strip("-_")
    return f"{plain[:NAME_CHARACTERS].rstrip('-') or 'conversation'}.{ending}"


def as_markdown(
    record: Record, text: str, *, partial: bool, tokens: int = 0, now: float | None = None
) -> str:
    """The source text. Above that of an answer that is not whole stands how far it had come and
    when: such a file is found later, without its conversation."""
    if not partial and record["state"] == "complete":
        return text
    moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(now))
    return f"<!-- partial, {tokens} {'token' if tokens == 1 else 'tokens'}, {moment} -->\n\n{text}"


async def markdown_of(store: Store, conversation: Record, words: Words, now: float) -> str:
    """The source texts of a conversation as it is shown, each under a heading of who has written it."""
    parts = [f"# {conversation['title'] or words['assistant']}"]
    for record, _ in await line_of(store, conversation):
        if record["author"] == "user":
            parts += [f"## {words['user']}", record["text"]]
            continue
        rows = await rows_of(store, record["id"])
        partial = record["state"] not in FINAL_STATES
        source = as_markdown(record, text(rows), partial=partial, tokens=tokens(rows), now=now)
        parts += [f"## {words['assistant']}", source.strip("\n")]
    return "\n\n".join(parts) + "\n"
