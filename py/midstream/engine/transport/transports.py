"""How an answer reaches us, by the kind of endpoint: three ways to begin, rejoin and stop a run.

gateway  (and the demo)   the server keeps the run: ask for what came after a position
spool                     a plain endpoint; the service worker keeps the connection and its bytes
plain                     a plain endpoint and no service worker: whoever lets go has lost it
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.ports.host import Host, Net, Response
from midstream.engine.transport.demo import DemoNet
from midstream.engine.transport.outbox_client import Entry, Outbox
from midstream.engine.transport.spool_client import MARK, Spool
from midstream.errors import UpstreamError
from midstream.journal import Record
from midstream.problems import Problem, problem
from midstream.session import Open

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """What a transport knows of a stream that has come to its end. `state`: as in a terminal
    record, "" when only the text can tell; `why`: what is said of a stream that was cut off."""

    state: str = ""
    why: Problem | None = None


class Transport(Protocol):
    resumable: bool
    repeatable: bool  # the request that begins a run may be made twice
    keeper: str  # server | browser | "": who keeps writing while we are gone

    async def begin(self, record: Record, body: Body) -> Response: ...

    async def rejoin(self, record: Record, position: Open) -> Response: ...

    def start(self, position: Open) -> int:
        """The seq before the first event of a stream that was opened there."""
        ...

    async def end(self, record: Record) -> End | None:
        """After the last byte; None when the stream was only cut off and can be opened again."""
        ...

    async def refused(self, record: Record, response: Response) -> End | None:
        """The answer was no stream. End when it says what became of the run, None when it is the
        endpoint's own refusal."""
        ...

    async def stop(self, record: Record) -> None: ...

    async def queue(self, record: Record, body: Body) -> None:
        """The endpoint cannot be reached: may somebody else send it, when no page is open?"""
        ...

    async def queue_stop(self, record: Record) -> None: ...

    async def arrived(self, record: Record) -> None:
        """The endpoint has the run: nothing is waiting to be sent any more."""
        ...

    async def take_back(self, record: Record) -> bool:
        """Before a queued prompt is removed. False when it has been sent already."""
        ...

    async def forget(self, record: Record) -> None:
        """The ended answer is stored: nothing else in the browser need keep anything of it."""
        ...

    def reading(self) -> Any:
        """A context manager for the time in which a stream is waited for and read."""
        ...


class _Base:
    """What most transports do not need."""

    resumable = True
    repeatable = True
    keeper = ""

    def start(self, position: Open) -> int:
        return position.after

    async def end(self, record: Record) -> End | None:
        return None

    async def refused(self, record: Record, response: Response) -> End | None:
        return None

    async def stop(self, record: Record) -> None:
        pass

    async def queue(self, record: Record, body: Body) -> None:
        pass

    async def queue_stop(self, record: Record) -> None:
        pass

    async def arrived(self, record: Record) -> None:
        pass

    async def take_back(self, record: Record) -> bool:
        return True

    async def forget(self, record: Record) -> None:
        pass

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        yield


class RunTransport(_Base):
    """Runs that are asked for by position (PROTOCOL.md, sections 4, 5 and 7)."""

    def __init__(self, endpoint: Endpoint, net: Net) -> None:
        self._base = endpoint.base
        self._net = net

    async def begin(self, record: Record, body: Body) -> Response:
        return await self._net.open("POST", self._chat, self._headers(record), json.dumps(body))

    async def rejoin(self, record: Record, position: Open) -> Response:
        after = f"{position.epoch}-{position.after}" if position.epoch else f"{position.after}"
        url = f"{self._base}/runs/{_run(record)}/events?after={after}"
        return await self._net.open("GET", url, {"accept": "text/event-stream"})

    async def stop(self, record: Record) -> None:
        if _run(record):
            response = await self._net.open("POST", self._cancel(record), {})
            response.close()

    def _headers(self, record: Record) -> dict[str, str]:
        return _JSON | {
            "idempotency-key": _key(record),
            "midstream-conversation": record["conversation"],
        }

    @property
    def _chat(self) -> str:
        return f"{self._base}/chat/completions"

    def _cancel(self, record: Record) -> str:
        return f"{self._base}/runs/{_run(record)}/cancel"


class GatewayTransport(RunTransport):
    keeper = "server"

    def __init__(self, endpoint: Endpoint, net: Net) -> None:
        super().__init__(endpoint, net)
        self._outbox = Outbox(net)

    async def queue(self, record: Record, body: Body) -> None:
        kind = "resume" if len(record["runs"]) > 1 else "prompt"
        headers, conversation = self._headers(record), record["conversation"]
        entry = Entry(kind, conversation, self._chat, headers, json.dumps(body))
        await self._outbox.put(_key(record), entry)

    async def queue_stop(self, record: Record) -> None:
        entry = Entry("stop", record["conversation"], self._cancel(record), {})
        await self._outbox.put(_stop_key(record), entry)

    async def arrived(self, record: Record) -> None:
        await self._outbox.take_back(_key(record))

    async def take_back(self, record: Record) -> bool:
        return await self._outbox.take_back(_key(record)) not in ("sending", "sent")

    async def forget(self, record: Record) -> None:
        if record["runs"][-1].get("stop"):
            await self._outbox.take_back(_stop_key(record))


class SpoolTransport(_Base):
    repeatable = False
    keeper = "browser"

    def __init__(self, endpoint: Endpoint, host: Host) -> None:
        self._url = f"{endpoint.base}/chat/completions"
        self._spool = Spool(host.net)
        self._keys = host.keys

    async def begin(self, record: Record, body: Body) -> Response:
        headers = _JSON | self._keys.headers(self._url)
        return await self._spool.begin(_key(record), self._url, headers, json.dumps(body))

    async def rejoin(self, record: Record, position: Open) -> Response:
        return await self._spool.follow(_key(record))

    def start(self, position: Open) -> int:
        return 0

    async def end(self, record: Record) -> End | None:
        try:
            state = await self._spool.state(_key(record))
        except UpstreamError:
            return None
        return None if state == "live" else SPOOL_ENDS.get(state, End(why=_LOST))

    async def refused(self, record: Record, response: Response) -> End | None:
        state = response.headers.get(MARK, "")
        if state == "live":  # no answer yet, and a request may not wait for ever: wait on
            return None
        # A refusal is kept like any answer, and would be the answer to the next attempt too.
        await self.forget(record)
        return SPOOL_ENDS[state] if state in ("lost", "stopped") else None

    async def stop(self, record: Record) -> None:
        await self._spool.stop(_key(record))

    async def forget(self, record: Record) -> None:
        try:
            await self._spool.forget(_key(record))
        except UpstreamError:
            return  # the service worker drops what is old by itself

    def reading(self) -> Any:
        return self._spool.kept_awake()


class PlainTransport(_Base):
    resumable = False
    repeatable = False

    def __init__(self, endpoint: Endpoint, host: Host) -> None:
        self._url = f"{endpoint.base}/chat/completions"
        self._net = host.net

    async def begin(self, record: Record, body: Body) -> Response:
        return await self._net.open("POST", self._url, _JSON, json.dumps(body))

    async def rejoin(self, record: Record, position: Open) -> Response:
        raise AssertionError("a plain endpoint's run cannot be rejoined")


async def transport_of(endpoint: Endpoint, host: Host, run: Record) -> Transport:
    """Of an answer's newest run, where `via` is noted: what one request went through, the next must
    go through too."""
    if endpoint.kind == "demo":
        return RunTransport(endpoint, DemoNet())
    if endpoint.kind == "gateway":
        return GatewayTransport(endpoint, host.net)
    if "via" not in run:
        run["via"] = "spool" if await Spool(host.net).present() else "plain"
    return (SpoolTransport if run["via"] == "spool" else PlainTransport)(endpoint, host)


_JSON = {"content-type": "application/json", "accept": "text/event-stream"}
_LOST = problem("let_go")
SPOOL_ENDS = {
    "ended": End(),
    "stopped": End(state="cancelled"),
    "lost": End(why=_LOST),
    "failed": End(why=problem("connection_broke")),
    "full": End(why=problem("too_long_here")),
}


def _run(record: Record) -> str:
    return str(record["runs"][-1].get("run") or "")


def _key(record: Record) -> str:
    return str(record["runs"][-1]["key"])


def _stop_key(record: Record) -> str:
    return f"stop-{_key(record)}"
