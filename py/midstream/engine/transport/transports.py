"""Three ways to begin, rejoin and stop a run, by the kind of endpoint.

gateway  (and the demo)   the server holds the run: a request names a position and gets the rest
spool                     a plain endpoint; the service worker holds the connection and its bytes
plain                     a plain endpoint and no service worker: a closed connection ends the run
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.ports.host import Host, Net, Response
from midstream.engine.transport.demo import DemoNet
from midstream.engine.transport.outbox_client import OutboxClient, OutboxEntry
from midstream.engine.transport.spool_client import MARK, SpoolClient
from midstream.errors import UpstreamError, UpstreamRefused
from midstream.journal import Record
from midstream.problems import Problem, problem
from midstream.session import Open

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """The end of a stream, as a transport knows it. `state`: as in a terminal record, "" when only
    the text can tell; `why`: the problem to report when the stream was cut off; `whole`: it has
    ended in order, so that nothing but the text tells how."""

    state: str = ""
    why: Problem | None = None
    whole: bool = False


class Transport:
    """A way to a run. The methods without effect here are those that most transports do not need."""

    resumable = True
    repeatable = True  # the request that begins a run may be made twice
    holder = ""  # server | browser | "": the part that holds the run while no page is open

    async def begin(self, record: Record, body: Body) -> Response:
        raise NotImplementedError

    async def rejoin(self, record: Record, position: Open) -> Response:
        """Of a resumable run only."""
        raise NotImplementedError

    def start(self, position: Open) -> int:
        """The seq before the first event of a stream that was opened there."""
        return position.after

    async def end(self, record: Record) -> End | None:
        """After the last byte; None when the stream was only cut off and can be opened again."""
        return None

    async def refused(self, record: Record, response: Response) -> End | None:
        """The response was no stream. End when it reports the end of the run, None when it is the
        endpoint's own refusal."""
        return None

    async def stop(self, record: Record) -> None:
        """Stops the run at the other side. Raises UpstreamError."""

    async def queue(self, record: Record, body: Body) -> None:
        """The endpoint cannot be reached: leaves the request with the service worker, where that
        may send it when no page is open."""

    async def queue_stop(self, record: Record) -> None:
        """Likewise, for a stop."""

    async def arrived(self, record: Record) -> None:
        """The endpoint has the run: its request must not be sent any more."""

    async def take_back(self, record: Record) -> bool:
        """Before a queued prompt is removed. False when it has been sent already."""
        return True

    async def forget(self, record: Record) -> None:
        """The ended answer is stored: drops all else that the browser holds of it."""

    def reading(self) -> AbstractAsyncContextManager[None]:
        """Is entered while a stream is waited for and read."""
        return nullcontext()


class RunTransport(Transport):
    """Runs with positions (PROTOCOL.md, sections 4, 5 and 7)."""

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
            "midstream-on-disconnect": "continue",  # whatever the gateway does for other programs
        }

    @property
    def _chat(self) -> str:
        return f"{self._base}/chat/completions"

    def _cancel(self, record: Record) -> str:
        return f"{self._base}/runs/{_run(record)}/cancel"


class GatewayTransport(RunTransport):
    holder = "server"

    def __init__(self, endpoint: Endpoint, net: Net) -> None:
        super().__init__(endpoint, net)
        self._outbox = OutboxClient(net)

    async def queue(self, record: Record, body: Body) -> None:
        kind = "resume" if len(record["runs"]) > 1 else "prompt"
        headers, conversation = self._headers(record), record["conversation"]
        entry = OutboxEntry(kind, conversation, self._chat, headers, json.dumps(body))
        await self._outbox.put(_key(record), entry)

    async def queue_stop(self, record: Record) -> None:
        entry = OutboxEntry("stop", record["conversation"], self._cancel(record), {})
        await self._outbox.put(_stop_key(record), entry)

    async def arrived(self, record: Record) -> None:
        await self._outbox.take_back(_key(record))

    async def take_back(self, record: Record) -> bool:
        return await self._outbox.take_back(_key(record)) not in ("sending", "sent")

    async def forget(self, record: Record) -> None:
        if record["runs"][-1].get("stop"):
            await self._outbox.take_back(_stop_key(record))


class SpoolTransport(Transport):
    repeatable = False
    holder = "browser"

    def __init__(self, endpoint: Endpoint, host: Host) -> None:
        self._url = f"{endpoint.base}/chat/completions"
        self._spool = SpoolClient(host.net)
        self._keys = host.keys

    async def begin(self, record: Record, body: Body) -> Response:
        headers = _JSON | self._keys.headers(self._url)
        return await self._spool.begin(_key(record), self._url, headers, json.dumps(body))

    async def rejoin(self, record: Record, position: Open) -> Response:
        response = await self._spool.follow(_key(record))
        if response.status == 200 and MARK not in response.headers:  # of a host that has a page at every address
            response.close()
            raise UpstreamRefused(_GONE, status=404)
        return response

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
        if not state and _run(record) and response.status in (404, 405):
            return End(why=_GONE)  # nor has the service worker that kept it, if there is one
        if state == "live":  # no response yet, and a request may not wait for ever: wait on
            return None
        # The spool holds a refusal like any response, and would give it to the next attempt too.
        await self.forget(record)
        return SPOOL_ENDS[state] if state in ("lost", "stopped") else None

    async def stop(self, record: Record) -> None:
        await self._spool.stop(_key(record))

    async def forget(self, record: Record) -> None:
        try:
            await self._spool.forget(_key(record))
        except UpstreamError:
            return  # the service worker drops old spools by itself

    def reading(self) -> AbstractAsyncContextManager[None]:
        return self._spool.pinging()


class PlainTransport(Transport):
    resumable = False
    repeatable = False

    def __init__(self, endpoint: Endpoint, host: Host) -> None:
        self._url = f"{endpoint.base}/chat/completions"
        self._net = host.net

    async def begin(self, record: Record, body: Body) -> Response:
        return await self._net.open("POST", self._url, _JSON, json.dumps(body))

    async def end(self, record: Record) -> End | None:
        return End(whole=True)


async def transport_of(endpoint: Endpoint, host: Host, run: Record) -> Transport:
    """For an answer's newest run. `via` is noted in it: all requests of a run must go the same way."""
    if endpoint.kind == "demo":
        return RunTransport(endpoint, DemoNet())
    if endpoint.kind == "gateway":
        return GatewayTransport(endpoint, host.net)
    if "via" not in run:
        run["via"] = "spool" if await SpoolClient(host.net).present() else "plain"
    return (SpoolTransport if run["via"] == "spool" else PlainTransport)(endpoint, host)


_JSON = {"content-type": "application/json", "accept": "text/event-stream"}
_LOST = problem("let_go")
_GONE = problem("spool_gone")
SPOOL_ENDS = {
    "ended": End(whole=True),
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
