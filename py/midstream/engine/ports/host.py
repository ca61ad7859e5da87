"""What the engine needs from outside: a store, a network, a clock, a way to the screen. For a page
`engine/browser/` implements it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from midstream.engine.ports.keys import Keys
from midstream.engine.ports.watchdog import Watchdog
from midstream.errors import MidstreamError, StoreError
from midstream.journal import Store
from midstream.problems import Problem

Message = dict[str, Any]  # one message of the port, with a "type"
BODY_BYTES = 64 * 1024  # of an HTTP body that is read whole
LARGE_BODY_BYTES = 16 << 20  # of one that may be long


class Response(Protocol):
    """An HTTP answer whose body is read piece by piece."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case."""
        ...

    async def read(self) -> bytes:
        """The next piece; b"" at the end. Raises UpstreamBroken when the connection breaks."""
        ...

    def close(self) -> None: ...


async def body_of(response: Response, limit: int = BODY_BYTES) -> bytes:
    """The body. Of one that is longer than `limit` bytes only the beginning, a little more than
    `limit`; the rest is not read. Raises UpstreamBroken when the connection breaks."""
    body = bytearray()
    while len(body) <= limit and (chunk := await response.read()):
        body += chunk
    return bytes(body)


class Net(Protocol):
    def absolute(self, url: str) -> str:
        """The whole address of `url`, which may be relative to the page."""
        ...

    async def reach(self, url: str) -> None:
        """Returns when a server answers there, whatever the answer. Raises UpstreamBroken."""
        ...

    async def denied(self) -> bool:
        """Whether the browser is set to keep this page from machines of the local network."""
        ...

    async def open(self, method: str, url: str, headers: Mapping[str, str], body: str | None = None) -> Response:
        """Makes a request; `url` may be relative to the page. Raises UpstreamBroken when no server
        answers."""
        ...


async def _installed() -> None:
    """Outside of the page Pygments is installed."""


@dataclass(slots=True)
class Host:
    store: Store
    net: Net
    post: Callable[[Message], None]  # to the screen; batched by the port
    now: Callable[[], float]  # seconds since the epoch
    # Unguessable, and never from the `random` module: a memory snapshot freezes its state.
    new_id: Callable[[], str]
    # One writer per answer, over all tabs.
    lock: Callable[[str], AbstractAsyncContextManager[object]]
    broadcast: Callable[[Message], None] = lambda message: None  # to the engines of other tabs
    # Makes Pygments importable; it is fetched when the first code in a known language is shown.
    load_pygments: Callable[[], Awaitable[None]] = _installed
    keys: Keys = field(default_factory=Keys)
    watchdog: Watchdog = field(default_factory=Watchdog)


def notice_of(error: BaseException) -> Message:
    """The notice of a failure that belongs to no answer's own state."""
    notice: Message = {"type": "notice", "level": "error"}
    if isinstance(error, StoreError):
        return notice | {"code": "full" if error.code == "full" else "not-saved"} | detail_of(error)
    if isinstance(error, MidstreamError) and error.problem:
        return notice | {"code": "trouble"} | detail_of(error)
    return notice | {"code": "failed", "detail": f"{type(error).__name__}: {_line(str(error))}"}


def _line(message: str) -> str:
    """The line of a message that says what it was: an error of JavaScript may hold a whole Python
    traceback, which ends with it."""
    lines = message.strip().splitlines() or [""]
    return lines[-1 if any("Traceback" in line for line in lines) else 0]


def detail_of(why: MidstreamError | Problem) -> Message:
    """A part of a message to the screen: the English text, and the code for which the screen has a
    text in the person's language."""
    known = why.problem if isinstance(why, MidstreamError) else why
    return {"detail": why.line()} | ({"problem": known.record()} if known else {})
