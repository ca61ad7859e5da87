"""The records of the store: their fields, and how they are made.

docs/records.md says of each field its type, its unit and who writes it; a test holds both together.
A record of the store `journal` is a `midstream.journal.Row`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import NotRequired, TypedDict

from midstream.engine.endpoints.endpoints import Endpoint
from midstream.journal import Record
from midstream.markdown import VERSION
from midstream.names import KEY_CHARACTERS
from midstream.problems import Problem
from midstream.text import title_of

NAME_CHARACTERS = 200  # of a title that the person gives


class ConversationRecord(TypedDict):
    id: str
    title: str
    created: int
    updated: int
    leaf: NotRequired[str]
    last: NotRequired[str]
    unseen: NotRequired[bool]
    pinned: NotRequired[bool]
    deleted: NotRequired[int]
    gone: NotRequired[bool]
    owed: NotRequired[bool]


class MessageRecord(TypedDict):
    """The fields that questions and answers share."""

    id: str
    conversation: str
    position: int
    author: str
    state: str
    created: int
    runs: list[Record]


class QuestionRecord(MessageRecord):
    text: str
    parent: NotRequired[str]


class AnswerRecord(MessageRecord):
    parser: int
    question: str
    tokens: NotRequired[int]
    seq: NotRequired[int]
    seconds: NotRequired[float]
    thought: NotRequired[ThoughtRecord]
    error: NotRequired[ErrorRecord]


class AnswerRun(TypedDict):
    key: str
    run: str | None
    endpoint: Record
    began: NotRequired[int]
    before: NotRequired[float]
    model: NotRequired[str]
    mode: NotRequired[str]
    via: NotRequired[str]
    stop: NotRequired[bool]
    seq: NotRequired[int]
    seam: NotRequired[SeamRecord]


class SeamRecord(TypedDict):
    kind: str
    skipped: int
    at: int


class ThoughtRecord(TypedDict):
    seconds: float
    tokens: int


class ErrorRecord(TypedDict):
    message: str
    hint: str
    problem: NotRequired[Record]
    code: NotRequired[str]


class SettingRecord(TypedDict):
    """One of the settings: its `id` says which, and so which other field it has."""

    id: str
    language: NotRequired[str]
    model: NotRequired[str]
    mode: NotRequired[str]
    key: NotRequired[str]
    own: NotRequired[list[Record]]
    chosen: NotRequired[str]


def new_conversation(key: str, prompt: str, now: int) -> Record:
    title = title_of(prompt)
    return dict(ConversationRecord(id=key, title=title, created=now, updated=now))


def alive(conversations: Iterable[Record]) -> list[Record]:
    """The conversations that are not deleted: neither marked, nor gone but for the mark."""
    return [record for record in conversations if not record.get("deleted")]


def next_position(messages: Sequence[Record]) -> int:
    return max((int(record["position"]) for record in messages), default=-1) + 1


def new_question(
    key: str, conversation: Record, position: int, text: str, now: int, parent: str | None = None
) -> Record:
    """`parent`: the message that the question follows, "" for none; None when its position says
    enough."""
    record = QuestionRecord(
        id=key,
        conversation=conversation["id"],
        position=position,
        author="user",
        text=text,
        state="complete",
        created=now,
        runs=[],
    )
    if parent is not None:
        record["parent"] = parent
    return dict(record)


NO_PARENT = "~"  # in a key: there a name is never empty


def run_key(question: str, answer: str, n: int, parent: str | None = None) -> str:
    """The Idempotency-Key of an answer's run `n` (from 0). It names the messages too, so that
    another device that finds the run at the gateway makes the same records of it.

    `parent`: the message that the question follows, where another device would take another one
    (`branches.parent_implied`). A key that would become too long leaves it out.
    """
    key = f"{question}.{answer}.{n}"
    named = key if parent is None else f"{key}.{parent or NO_PARENT}"
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
    record = AnswerRecord(
        id=key,
        conversation=conversation["id"],
        position=position,
        author="assistant",
        state="sending",
        created=now,
        parser=VERSION,
        question=question,
        runs=[new_run(run_key(question, key, 0, parent), endpoint)],
    )
    return dict(record)


# The states of an answer that has ended (ARCHITECTURE.md, "Names to rely on").
FINAL_STATES = frozenset({"complete", "length", "stopped", "failed", "interrupted"})


# The states of an answer that has ended (ARCHITECTURE.md, "Names to rely on").
FINAL_STATES = frozenset({"complete", "length", "stopped", "failed", "interrupted"})


def error_of(why: Problem, code: str = "") -> Record:
    """Why an answer has ended before the model had finished: the problem's code, which each screen
    shows in its own language, and the English text."""
    record = ErrorRecord(message=why.message, hint=why.hint, problem=why.record())
    if code:
        record["code"] = code
    return dict(record)


def new_run(key: str, endpoint: Endpoint) -> Record:
    """`run` is the id that the endpoint gives it; None until it has answered."""
    return dict(AnswerRun(key=key, run=None, endpoint=asdict(endpoint)))
