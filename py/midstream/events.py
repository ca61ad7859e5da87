"""What one payload of a chat stream means, whoever sent it.

A provider's parser (`midstream.providers`) turns the text of one SSE message into these records;
the session, the gateway's snapshots and the engine know nothing else about providers.

`index` is the number of the choice: a request with `n` gets several answers in one stream. People
read choice 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from midstream.errors import ErrorWords
from midstream.problems import Problem

__all__ = [
    "DONE",
    "TERMINAL_STATES",
    "Delta",
    "Ended",
    "Event",
    "Extra",
    "Failed",
    "Finish",
    "Nothing",
    "Other",
    "Unreadable",
    "Usage",
]

DONE = "[DONE]"  # in place of a payload: nothing comes after it

# How a run of the gateway may end; the last event of its log says which.
TERMINAL_STATES = ("completed", "cancelled", "failed", "interrupted", "expired")


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer, or of the reasoning that is shown apart from it, or of both."""

    text: str = ""
    reasoning: str = ""
    index: int = 0


@dataclass(frozen=True, slots=True)
class Extra:
    """A piece of the answer that is not text. `kind`: tool_call (with the tool's `name` in the
    piece that brings it), refusal (its words are a Delta too), image, audio."""

    kind: str
    name: str = ""
    index: int = 0


@dataclass(frozen=True, slots=True)
class Finish:
    """The model ended its answer; `reason` is the server's word (`providers.finish_reasons`)."""

    reason: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the provider reports them."""

    prompt: int
    completion: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The stream carried an error. What was received before it stays."""

    message: str
    code: str
    hint: str = ""
    # The same, to be said in the reader's language.
    problem: Problem | None = field(default=None, compare=False)
    words: ErrorWords | None = field(default=None, compare=False)  # the server's own


@dataclass(frozen=True, slots=True)
class Ended:
    """The gateway's terminal record; `state` is one of TERMINAL_STATES, the rest says why."""

    state: str
    message: str = ""
    code: str = ""
    problem: Problem | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A payload that is no JSON object. It ends nothing by itself (`midstream.progress`)."""

    failure: Failed


@dataclass(frozen=True, slots=True)
class Other:
    """Nothing for a reader (a role chunk, an unknown object); it still counts as one event."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing for anybody: an empty payload, a keep-alive. A client would only stumble over it."""


Event = Delta | Extra | Finish | Usage | Failed | Ended | Unreadable | Other | Nothing
