"""The engine's client of an endpoint: makes a run's requests, hands their bytes to the session."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from midstream import json_text
from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.endpoints.http_errors import integer, refusal
from midstream.engine.endpoints.models import model_of
from midstream.engine.ports.host import Host, Net, Response, body_of
from midstream.engine.transport import continue_modes
from midstream.engine.transport.transports import End, Transport, transport_of
from midstream.errors import UpstreamError, UpstreamRefused
from midstream.journal import Change, Record
from midstream.problems import Problem, problem
from midstream.providers import openai
from midstream.session import RECEIVED_S, Intent, Open, Session

Messages = list[dict[str, Any]]


SIGN_IN = "sign_in"  # the problem of a gateway that knows no sign-in of ours (PROTOCOL.md, section 10)


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection of a run. Its bytes go into the session as long as it is `wanted`."""

    session: Session
    act: Callable[[list[Intent]], None]  # carries out the session's intents
    wanted: Callable[[], bool]
    # Before a request that begins a run and cannot be made twice: from here on it may be sent.
    before_request: Callable[[], Awaitable[None]]
    accepted: Callable[[str], Awaitable[None]]  # the endpoint has the run; with the run's id, or ""


@dataclass(frozen=True, slots=True)
class Question:
    """The content of a run's request: the chat before the answer, and the text and reasoning that
    the answer has already."""

    messages: Messages
    partial: str = ""
    reasoning: str = ""


class EndpointClient:
    """Follows the runs of one answer. `question` is called only when a run has to be started."""

    def __init__(self, host: Host, endpoint: Endpoint, question: Callable[[], Awaitable[Question]]) -> None:
        self.endpoint = endpoint
        self.transport: Transport  # from ready() on
        self._host = host
        self._net: Net = host.net
        self._question = question

    async def ready(self, record: Record) -> bool:
        """Chooses the transport. True when `record` has to be stored, with that choice in it,
        before the first request."""
        run = record["runs"][-1]
        before = run.get("via")
        self.transport = await transport_of(self.endpoint, self._host, run)
        return bool(run.get("via") != before)

    async def follow(self, record: Record, position: Open, connection: Connection) -> None:
        """Makes the request and hands every piece of its body to the session."""
        if not await self._reached(record, connection):
            return
        try:
            async with self.transport.reading():
                response = await self._request(record, position, connection)
                try:
                    await self._read(response, record, position, connection)
                finally:
                    response.close()
        except UpstreamRefused as error:  # from the requests before it: the model, the mode
            self._refused_before(connection, error)
        except UpstreamError as error:
            self._dropped(connection, error.problem)

    def _refused_before(self, connection: Connection, error: UpstreamRefused) -> None:
        if connection.wanted() and error.status:
            connection.act(self._refusal_of(connection.session, error.status, error.problem))
        else:
            self._dropped(connection, error.problem)

    async def _reached(self, record: Record, connection: Connection) -> bool:
        """A queued prompt is sent to a plain endpoint only when that is reachable: the browser says
        "online" too early, and a request that failed could not be made again."""
        if self.transport.repeatable or connection.session.begun or record["state"] != "queued":
            return True
        try:
            await self._net.reach(f"{self.endpoint.base}/models")
            return True
        except UpstreamError as error:
            if connection.wanted():
                why = error.problem
                connection.act(connection.session.dropped(why, self._host.now(), sent=False))
            return False

    async def _read(self, response: Response, record: Record, position: Open, connection: Connection) -> None:
        if await self._accepted(response, record, position, connection):
            while connection.wanted() and (chunk := await response.read()):
                connection.act(connection.session.receive(chunk, self._host.now()))
            await self._at_the_end(record, connection)

    async def _at_the_end(self, record: Record, connection: Connection) -> None:
        end = await self.transport.end(record) if connection.wanted() else None
        if end is None:
            self._dropped(connection, problem("connection_broke"))
        elif connection.wanted():
            connection.act(_nothing_left(connection.session, end, self._host.now()))

    def _dropped(self, connection: Connection, why: Problem) -> None:
        if connection.wanted():
            connection.act(connection.session.dropped(why, self._host.now()))

    async def stop(self, record: Record) -> None:
        try:
            await self.transport.stop(record)
        except UpstreamError:
            # The stream is cut as well then, and the session asks again when it is open. If the page
            # is closed before that, the outbox does.
            await self.transport.queue_stop(record)

    async def queue(self, record: Record) -> None:
        """Leaves the request that begins the run with the service worker, which can send it
        without a page."""
        await self.transport.queue(record, await self._body(record))

    async def _request(self, record: Record, position: Open, connection: Connection) -> Response:
        if connection.session.begun:
            return await self.transport.rejoin(record, position)
        body = await self._body(record)
        if self.transport.repeatable:
            return await self.transport.begin(record, body)
        await connection.before_request()
        began = self._host.now()
        try:
            return await self.transport.begin(record, body)
        except UpstreamError:
            # A server that is started again, or a kept connection that it has given up, resets the
            # first request. It has not been received when that is known so soon.
            if not connection.wanted() or self._host.now() - began > RECEIVED_S:
                raise
        await self.transport.forget(record)
        return await self.transport.begin(record, body)

    async def _body(self, record: Record) -> dict[str, Any]:
        """The same for the same record, however often it is made: a run's key stands for one body."""
        run, question = record["runs"][-1], await self._question()
        if "model" not in run:
            run["model"] = await model_of(self.endpoint, self._net, self._host.store)
        options = self.endpoint.options
        if not question.partial:
            return openai.chat_request(question.messages, model=run["model"], **options)
        if "mode" not in run:
            run["mode"] = await self._mode(run["model"])
        return openai.continue_request(
            question.messages,
            question.partial,
            reasoning=question.reasoning,
            mode=run["mode"],
            model=run["model"],
            **options,
        )

    # How the endpoint continues a text

    async def _mode(self, model: str) -> str:
        """The configured one, else the stored one, else the result of a trial."""
        if self.endpoint.kind == "demo":
            return "prefill"
        if self.endpoint.continues:
            return self.endpoint.continues
        key = f"continue {self.endpoint.base} {model}"
        known = await self._host.store.setting(key)
        if known and isinstance(known.get("mode"), str):
            return str(known["mode"])
        mode = await continue_modes.mode_of(self._ask, model)
        await self._host.store.commit(Change().put("settings", {"id": key, "mode": mode}))
        return mode

    async def _ask(self, body: dict[str, Any]) -> tuple[int, str]:
        """A small request without a stream: the status, and the text of the answer."""
        url, kind = f"{self.endpoint.base}/chat/completions", {"content-type": "application/json"}
        response = await self._net.open("POST", url, kind, json.dumps(body))
        answer = await body_of(response)
        response.close()
        try:
            content = json_text.decode(answer)["choices"][0]["message"]["content"]
            return response.status, str(content or "")
        except (ValueError, LookupError, TypeError):
            return response.status, ""

    # The head of the response

    async def _accepted(self, response: Response, record: Record, position: Open, connection: Connection) -> bool:
        """Gives the session the response's status; True when a stream follows."""
        kind = response.headers.get("content-type", "")
        if self._is_answer(response.status, kind):
            await connection.accepted(response.headers.get("midstream-run", ""))
            head = integer(response.headers.get("midstream-head"))
            start = self.transport.start(position)
            if connection.wanted():
                opened = connection.session.opened(head=head, start=start, now=self._host.now(), kind=kind)
                connection.act(opened)
            return True
        if response.status == 204:
            intents = connection.session.nothing_left(self._host.now())
        else:
            intents = await self._refused(response, record, connection.session)
        if connection.wanted():
            connection.act(intents)
        return False

    def _is_answer(self, status: int, kind: str) -> bool:
        """What a plain endpoint calls its answer says little: it is looked into. Of a server with
        positions everything but a stream is a proxy's."""
        if not 200 <= status < 300 or status == 204:
            return False
        return kind.startswith("text/event-stream") or not self.transport.repeatable

    async def _refused(self, response: Response, record: Record, session: Session) -> list[Intent]:
        why = await refusal(response)
        now = self._host.now()
        if end := await self.transport.refused(record, response):
            return _nothing_left(session, end, now)
        retry_after = integer(response.headers.get("retry-after"))
        return self._refusal_of(session, response.status, why, retry_after)

    def _refusal_of(self, session: Session, status: int, why: Problem, retry_after: float = 0) -> list[Intent]:
        """Who is signed out of the page's own gateway can sign in; to another one the app has a key."""
        now = self._host.now()
        if why.code == SIGN_IN and "://" not in self.endpoint.base:
            return session.signed_out(why, now)
        known = problem("endpoint_key", status=status) if why.code == SIGN_IN else why
        return session.refused(status, known, now, retry_after)


def _nothing_left(session: Session, end: End, now: float) -> list[Intent]:
    if end.whole:
        return session.over(now)
    return session.nothing_left(now, end.state, end.why)
