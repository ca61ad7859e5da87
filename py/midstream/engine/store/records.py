"""The records of the store as they begin their lives. Times are epoch milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from midstream.engine.endpoints.endpoints import Endpoint
from midstream.journal import Record
from midstream.markdown import VERSION
from midstream.problems import Problem

TITLE_CHARACTERS = 60  # of one that is made of a prompt
NAME_CHARACTERS = 200  # of one that the person gives


def titled(words: str, limit: int) -> str:
    title = " ".join(words.split())
    return title if len(title) <= limit else title[: limit - 1].rstrip() + "…"


def new_conversation(key: str, words: str, now: int) -> Record:
    return {"id": key, "title": titled(words, TITLE_CHARACTERS), "created": now, "updated": now}


def alive(conversations: Iterable[Record]) -> list[Record]:
    """Without those that are deleted: marked, or gone but for the mark."""
    return [record for record in conversations if not record.get("deleted")]


def next_position(messages: Sequence[Record]) -> int:
    return max((int(record["position"]) for record in messages), default=-1) + 1


def new_question(
    key: str, conversation: Record, position: int, words: str, now: int, parent: str | None = None
) -> Record:
    """`parent`: the message that it follows, "" for none; None when nobody knows better than its
    position."""
    record = {
        "id": key,
        "conversation": conversation["id"],
        "position": position,
        "author": "user",
        "text": words,
        "state": "complete",
        "created": now,
        "runs": [],
    }
    return record if parent is None else record | {"parent": parent}


FIRST = "~"  # in a key, for no parent: a name is never empty
KEY_CHARACTERS = 128  # that a gateway takes


def run_key(question: str, answer: str, n: int, parent: str | None = None) -> str:
    """The Idempotency-Key of an answer's run `n` (from 0). It names the messages too, so that
    another device that finds the run at the gateway makes the same records of it.

    `parent`: the message that the question follows, where another device would take another one
    (`path.unsaid`). A key that would become too long says nothing of it.
    """
    key = f"{question}.{answer}.{n}"
    named = key if parent is None else f"{key}.{parent or FIRST}"
    return named if len(named) <= KEY_CHARACTERS else key


def new_answer(
    key: str,
    conversation: Record,
    position: int,
    now: int,
    question: str,
    endpoint: Endpoint,
    parent: str | None = None,
) -> Record:
    """An answer to the message `question`, with the one run that is about to be started. `parent`:
    as in `run_key`."""
    return {
        "id": key,
        "conversation": conversation["id"],
        "position": position,
        "author": "assistant",
        "state": "sending",
        "created": now,
        "parser": VERSION,
        "question": question,
        "runs": [new_run(run_key(question, key, 0, parent), endpoint)],
    }


# The states of an answer that has ended (ARCHITECTURE.md, "Names to rely on").
FINAL_STATES = frozenset({"complete", "length", "stopped", "failed", "interrupted"})


def error_of(why: Problem, code: str = "") -> Record:
    """Why an answer has ended otherwise than the model wanted: by its code, so that it is said in
    the language of whoever reads it, and in English."""
    said = {"message": why.message, "hint": why.hint, "problem": why.record()}
    return {"code": code, **said} if code else said


def new_run(key: str, endpoint: Endpoint) -> Record:
    """`run` is the id that the endpoint gives it; None until it has answered."""
    return {"key": key, "run": None, "endpoint": asdict(endpoint)}
