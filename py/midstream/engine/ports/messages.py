"""The messages from the engine to the screen, with their fields.

docs/port.md describes how they travel; its tables and the screen's types are made from these classes
and those of intents.py. Times are milliseconds since the epoch, ids are texts, `seq` counts as PROTOCOL.md has it.
"""

from __future__ import annotations

from typing import Annotated as A
from typing import Any, Literal, NotRequired, TypedDict

Level = Literal["error", "info"]
State = Literal[
    "sending",
    "waiting",
    "streaming",
    "catching-up",
    "reconnecting",
    "offline",
    "queued",
    "complete",
    "stopped",
    "interrupted",
    "failed",
    "length",
]


class ProblemFields(TypedDict):
    """A problem (midstream/problems.py): the screen has the words for the code."""

    code: str
    values: dict[str, Any]
    quote: NotRequired[A[str, "words of another program"]]
    parts: NotRequired[list[Any]]


class StatusFields(TypedDict):
    """The state of an answer, in a `turn` or a `status`."""

    state: State
    seq: NotRequired[A[int, "last event that has come, over all runs"]]
    saved: NotRequired[A[int, "last event in the journal"]]
    tokens: NotRequired[int]
    seconds: NotRequired[float]
    rate: NotRequired[A[float, "tokens per second"]]
    seams: NotRequired[A[list[int], "tokens after which a new run goes on"]]
    sure: NotRequired[A[bool, "false: the prompt may have been sent"]]
    error: NotRequired[dict[str, Any]]
    remark: NotRequired[A[dict[str, Any], "what there is to say of a complete answer; like `error`"]]
    thought: NotRequired[A[float, "seconds of reasoning"]]
    stopping: NotRequired[bool]
    attempt: NotRequired[A[int, "of a connection"]]
    retry_at: NotRequired[A[float, "time of the next attempt"]]
    head: NotRequired[A[int, "tokens that the server has"]]
    resumed: NotRequired[A[int, "token at which it went on last"]]
    keeper: NotRequired[A[str, "`server` or `browser`: where the run goes on without this page"]]
    queue: NotRequired[A[list[int], "its number among those that wait, and how many wait"]]
    waits: NotRequired[A[bool, "for another answer, not for a connection"]]
    silent: NotRequired[A[float, "seconds for which the model has sent nothing, from 10 on"]]
    paused: NotRequired[A[bool, "it was refused too often: asked again only by `retry`"]]


class TurnFields(TypedDict):
    """One message of a conversation as the page shows it."""

    message: str
    author: Literal["user", "assistant"]
    status: StatusFields
    text: NotRequired[A[str, "of a question"]]
    versions: NotRequired[A[list[int], "its number among the versions, and how many there are"]]


# From the engine to the screen


class HelloMessage(TypedDict):
    """The engine is there."""

    type: Literal["hello"]
    version: str
    protocol: A[int, "version of this port"]


class EndpointMessage(TypedDict):
    """New answers come from this endpoint."""

    type: Literal["endpoint"]
    name: str
    kind: Literal["gateway", "openai", "demo"]
    url: str
    model: str
    note: str
    about: A[str, "code of a note the screen has words for"]
    options: dict[str, Any]
    continues: A[str, "how it goes on with a text; empty: not known"]


class EndpointItem(TypedDict):
    """One endpoint of the list."""

    name: str
    url: str
    model: str
    own: A[bool, "added by the person"]
    key: NotRequired[A[str, "the end of its key, never the key"]]
    keep: NotRequired[A[str, "`device` or `session`"]]


class EndpointsMessage(TypedDict):
    """All endpoints that can be chosen."""

    type: Literal["endpoints"]
    items: list[EndpointItem]
    chosen: str


class TestedMessage(TypedDict):
    """What `endpoint-test` has found (engine/endpoints/probe.py)."""

    type: Literal["tested"]
    test: A[int | None, "number of the test"]
    code: str
    host: str
    detail: str
    models: list[str]
    status: int
    problem: dict[str, Any] | None
    url: str


class ConversationItem(TypedDict):
    """One conversation of the list."""

    id: str
    title: str
    updated: float
    state: str
    pinned: NotRequired[bool]
    server: NotRequired[A[bool, "only the gateway has it"]]


class DeletedItem(TypedDict):
    """A conversation that can still be taken back."""

    id: str
    title: str


class ConversationsMessage(TypedDict):
    """The list, newest first."""

    type: Literal["conversations"]
    items: list[ConversationItem]
    deleted: list[DeletedItem]


class FoundItem(TypedDict):
    """One result of a search. A part of a text is `[text, is it a match]`."""

    id: A[str, "of the conversation"]
    title: list[Any]
    message: A[str, "that holds the words; empty: only the title does"]
    snippet: list[Any]
    spellings: A[list[str], "the words as the message has them"]


class FoundMessage(TypedDict):
    """Results of `search`: first those of titles and questions, then all."""

    type: Literal["found"]
    n: A[Any, "number of the search"]
    items: NotRequired[list[FoundItem]]
    more: NotRequired[bool]
    done: NotRequired[bool]
    failed: NotRequired[A[str, "why there are none, in English"]]
    problem: NotRequired[ProblemFields]


class PatchMessage(TypedDict):
    """One flush of an answer (midstream/patch.py)."""

    type: Literal["patch"]
    message: str
    n: A[int, "number of the patch, from 1"]
    seq: int
    packed: A[list[Any], "ops in one flat array"]
    reset: NotRequired[A[bool, "begins on an empty page"]]
    thought: NotRequired[A[str, "more of the reasoning"]]
    source: NotRequired[A[str, "more of the source text"]]


class ConversationMessage(TypedDict):
    """What is shown from now on; without an id a new conversation."""

    type: Literal["conversation"]
    id: str | None
    title: str
    turns: list[TurnFields]
    at: NotRequired[A[str, "message whose version has changed"]]
    patches: NotRequired[list[PatchMessage]]


class TurnMessage(TypedDict):
    """A turn that has begun."""

    type: Literal["turn"]
    conversation: str
    turn: TurnFields
    after: NotRequired[A[str, "message before it; what followed that goes"]]


class ColoursMessage(TypedDict):
    """Spans of one code block: the first `kept` stay, the rest is replaced."""

    type: Literal["colours"]
    message: str
    node: int
    kept: int
    spans: A[list[int], "start, length, kind of each"]


class StatusMessage(StatusFields):
    """The state of an answer, or of a question."""

    type: Literal["status"]
    message: str


class SourceMessage(TypedDict):
    """The source text of an answer so far."""

    type: Literal["source"]
    message: str
    n: A[int, "last patch in it"]
    text: str


class RemovedMessage(TypedDict):
    """Messages that are gone."""

    type: Literal["removed"]
    conversation: str
    messages: list[str]


class DraftMessage(TypedDict):
    """Text that goes back into the composer."""

    type: Literal["draft"]
    conversation: str
    text: str


class KeepMessage(TypedDict):
    """Without IndexedDB: records to hold in sessionStorage, as `[store, key, record or null]`."""

    type: Literal["keep"]
    changes: list[Any]


class ConnectionMessage(TypedDict):
    """The word in the corner."""

    type: Literal["connection"]
    state: Literal["online", "offline", "reconnecting"]


class DownloadMessage(TypedDict):
    """A file for the person."""

    type: Literal["download"]
    name: str
    mime: str
    text: str


class PreferredMessage(TypedDict):
    """The language is stored."""

    type: Literal["preferred"]


class ClipboardMessage(TypedDict):
    """Text for the clipboard."""

    type: Literal["clipboard"]
    text: str


class NoticeMessage(TypedDict):
    """One line above the composer; the screen has words for the code."""

    type: Literal["notice"]
    code: str
    level: Level
    detail: NotRequired[str]
    problem: NotRequired[ProblemFields]


MESSAGES: tuple[type, ...] = (
    *(HelloMessage, EndpointMessage, EndpointsMessage, TestedMessage, ConversationsMessage),
    *(FoundMessage, ConversationMessage, TurnMessage, PatchMessage, ColoursMessage, StatusMessage),
    *(SourceMessage, RemovedMessage, DraftMessage, KeepMessage, ConnectionMessage),
    *(DownloadMessage, PreferredMessage, ClipboardMessage, NoticeMessage),
)
