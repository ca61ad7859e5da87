"""What the engine needs of the place it runs in. The browser's side is in idb.py, net.py and
main.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from midstream.engine.ports.keys import Keys
from midstream.errors import MidstreamError, StoreError
from midstream.journal import Store
from midstream.problems import Problem

Message = dict[str, Any]  # one message of the port, with a "type"


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


class Net(Protocol):
    def absolute(self, url: str) -> str:
        """`url`, which may be relative to the page, as another party would have to write it."""
        ...

    async def reach(self, url: str) -> None:
        """Returns when somebody answers there, whatever the answer. Raises UpstreamBroken."""
        ...

    async def denied(self) -> bool:
        """Whether the browser has been told to keep this page from the machines around it."""
        ...

    async def open(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None = None
    ) -> Response:
        """Makes a request; `url` may be relative to the page. Raises UpstreamBroken when nobody
        answers."""
        ...


async def _installed() -> None:
    """Outside of the page it is there already."""


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
    tell_tabs: Callable[[Message], None] = lambda message: None  # to the engines of other tabs
    # Makes Pygments importable; it is fetched when the first code in a known language is shown.
    library: Callable[[], Awaitable[None]] = _installed
    keys: Keys = field(default_factory=Keys)


def notice_of(error: BaseException) -> Message:
    """What the screen says of a failure that belongs to no answer's own state."""
    told: Message = {"type": "notice", "level": "error"}
    if isinstance(error, StoreError):
        return told | {"code": "full" if error.code == "full" else "not-saved"} | said_of(error)
    if isinstance(error, MidstreamError) and error.problem:
        return told | {"code": "trouble"} | said_of(error)
    return told | {"code": "failed", "detail": f"{type(error).__name__}: {error}"}


def said_of(why: MidstreamError | Problem) -> Message:
    """A part of a message to the screen: in English, and by the code of which it has its words."""
    known = why.problem if isinstance(why, MidstreamError) else why
    return {"detail": why.line()} | ({"problem": known.record()} if known else {})
