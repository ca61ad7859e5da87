"""The records of the store as they begin their lives. Times are epoch milliseconds."""

from __future__ import annotations

from dataclasses import asdict

from ..journal import Record
from ..markdown import VERSION
from .endpoints import Endpoint

TITLE_CHARACTERS = 60


def new_conversation(key: str, words: str, now: int) -> Record:
    title = " ".join(words.split())
    if len(title) > TITLE_CHARACTERS:
        title = title[: TITLE_CHARACTERS - 1].rstrip() + "…"
    return {"id": key, "title": title, "created": now, "updated": now}


def new_question(key: str, conversation: Record, position: int, words: str, now: int) -> Record:
    return {
        "id": key,
        "conversation": conversation["id"],
        "position": position,
        "author": "user",
        "text": words,
        "state": "complete",
        "created": now,
        "runs": [],
    }


def new_answer(
    ids: tuple[str, str], conversation: Record, position: int, now: int, endpoint: Endpoint
) -> Record:
    """`ids`: of the message, and of its first run, which is the Idempotency-Key of the request."""
    message, key = ids
    return {
        "id": message,
        "conversation": conversation["id"],
        "position": position,
        "author": "assistant",
        "state": "sending",
        "created": now,
        "parser": VERSION,
        "runs": [{"key": key, "run": None, "endpoint": asdict(endpoint)}],
    }
