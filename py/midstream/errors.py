"""Errors, typed by who is at fault; the class says who must act, the message says what to do.

    MidstreamError
    ├── UsageError          the command line or a configuration file: wrong value (exit 2)
    ├── RequestError        the client's HTTP request: carries the status code
    ├── UpstreamError       the model's server
    │   ├── UpstreamRefused     not reachable, or an error status before the first event
    │   ├── UpstreamBroken      died, fell silent or broke the protocol in the middle
    │   └── EventTooLarge       one event over the limit (`midstream.sse`)
    └── MachineError        this machine: port taken, disk full, file missing (exit 1)
        └── StoreError          the run log could not be read or written

A message is one line for a person. `hint` is the next step, when the message does not hold it. What
may be shown on a screen is raised with a `Problem` in place of a message: it can be said in any
language.
"""

from __future__ import annotations

from dataclasses import dataclass

from midstream.problems import Problem

__all__ = [
    "ErrorWords",
    "MachineError",
    "MidstreamError",
    "RequestError",
    "StoreError",
    "UpstreamBroken",
    "UpstreamError",
    "UpstreamRefused",
    "UsageError",
]


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """A server's error in its own words. Programs read `code`, `type` and `param`
    (`context_length_exceeded`, `insufficient_quota`), so all of it is handed on as it came."""

    message: str = ""
    code: str | int | None = None
    type: str = ""
    param: str | None = None

    @property
    def name(self) -> str:
        """One word for it: the code, else the type."""
        return str(self.code or self.type or "error")


class MidstreamError(Exception):
    """Base of all errors raised on purpose. `code` is a stable word for programs."""

    code = "error"
    exit_code = 1

    def __init__(self, message: str | Problem, *, hint: str = "", code: str | None = None) -> None:
        self.problem = message if isinstance(message, Problem) else None
        self.message = message.message if isinstance(message, Problem) else message
        self.hint = message.hint if isinstance(message, Problem) else hint
        super().__init__(self.message)
        if code is not None:
            self.code = code

    def line(self) -> str:
        """Message and hint as the one line that the command line prints."""
        return f"{self.message} {self.hint}".strip().replace("\n", " ")


class UsageError(MidstreamError):
    """The person gave a wrong option, value or file."""

    code = "usage"
    exit_code = 2


class RequestError(MidstreamError):
    """The client's request cannot be served as it stands; `status` is the HTTP answer."""

    code = "bad_request"

    def __init__(self, message: str | Problem, *, status: int = 400, hint: str = "", code: str | None = None) -> None:
        super().__init__(message, hint=hint, code=code)
        self.status = status


class UpstreamError(MidstreamError):
    """The model's server failed: sooner or later somebody reads why, so it is always a Problem."""

    code = "upstream"
    problem: Problem
    words: ErrorWords | None = None  # the server's own, when it gave any

    def __init__(self, why: Problem, *, code: str | None = None) -> None:
        super().__init__(why, code=code)


class UpstreamRefused(UpstreamError):
    """No answer was begun. `status` is the upstream's own, or None when there was none."""

    code = "upstream_refused"

    def __init__(
        self,
        why: Problem,
        *,
        status: int | None = None,
        retry_after: str | None = None,
        code: str | None = None,
        words: ErrorWords | None = None,
    ) -> None:
        super().__init__(why, code=code)
        self.status = status
        self.retry_after = retry_after
        self.words = words


class UpstreamBroken(UpstreamError):
    """An answer had begun, or should have, and did not go on."""

    code = "upstream_broken"


class MachineError(MidstreamError):
    """Something on this machine is missing, taken or full."""

    code = "machine"


class StoreError(MachineError):
    """The run log is not usable. The message says where it lies, and is for whoever runs the server;
    `reason` may be told to everybody."""

    code = "store"

    def __init__(self, message: str | Problem, *, hint: str = "", code: str | None = None, reason: str = "") -> None:
        super().__init__(message, hint=hint, code=code)
        self.reason = reason
