"""What one payload of a chat stream means, whoever sent it.

A provider's parser (`midstream.providers`) turns the text of one SSE message into these records;
the session, the gateway's snapshots and the engine know nothing else about providers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from midstream.problems import Problem

__all__ = [
    "FINISH_REASONS",
    "TERMINAL_STATES",
    "Delta",
    "Ended",
    "Event",
    "Failed",
    "Finish",
    "Other",
    "Usage",
]

# Only these say that the model ended its answer; `abort` (vLLM), `error` (OpenRouter) do not.
FINISH_REASONS = frozenset({"stop", "length", "tool_calls", "function_call", "content_filter"})

# How a run of the gateway may end; the last event of its log says which.
TERMINAL_STATES = ("completed", "cancelled", "failed", "interrupted", "expired")


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer, or of the reasoning that is shown apart from it, or of both."""

    text: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    """The model ended its answer; `reason` is one of FINISH_REASONS."""

    reason: str


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


@dataclass(frozen=True, slots=True)
class Ended:
    """The gateway's terminal record; `state` is one of TERMINAL_STATES, the rest says why."""

    state: str
    message: str = ""
    code: str = ""
    problem: Problem | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Other:
    """Nothing for a reader (a role chunk, an unknown object); it still counts as one event."""


Event = Delta | Finish | Usage | Failed | Ended | Other
