"""How an answer is asked for and followed at its endpoint: requests out, bytes into the session."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

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
from midstream.session import Intent, Open, Session

Messages = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Line:
    """One connection's way back to its answer. A line that is no longer `wanted` must say nothing
    more."""

    session: Session
    act: Callable[[list[Intent]], None]
    wanted: Callable[[], bool]
    # Before the request that begins a run and cannot be made twice: from here on it may be sent.
    asking: Callable[[], Awaitable[None]]
    remember_run: Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Question:
    """What a run is asked for: the chat before the answer, and what the answer has already."""

    messages: Messages
    partial: str = ""
    reasoning: str = ""


class EndpointClient:
    """`question` is asked only when a run has to be started."""

    def __init__(
        self, host: Host, endpoint: Endpoint, question: Callable[[], Awaitable[Question]]
    ) -> None:
        self.endpoint = endpoint
        self.transport: Transport  # from ready() on
        self._host = host
        self._net: Net = host.net
        self._question = question

    async def ready(self, record: Record) -> bool:
        """Chooses the transport. True when `record` has got to remember it before the first
        request."""
        run = record["runs"][-1]
        before = run.get("via")
        self.transport = await transport_of(self.endpoint, self._host, run)
        return bool(run.get("via") != before)

    async def follow(self, record: Record, position: Open, line: Line) -> None:
        """Makes the request and hands every piece of its answer to the session, for as long as that
        is wanted."""
        if not await self._reached(record, line):
            return
        try:
            async with self.transport.reading():
                response = await self._request(record, position, line)
                try:
                    await self._read(response, record, position, line)
                finally:
                    response.close()
        except UpstreamRefused as error:  # what the request needs was asked for before it
            self._refused_before(line, error)
        except UpstreamError as error:
            self._dropped(line, error.problem)

    def _refused_before(self, line: Line, error: UpstreamRefused) -> None:
        if line.wanted() and error.status:
            line.act(line.session.refused(error.status, error.problem, self._host.now()))
        else:
            self._dropped(line, error.problem)

    async def _reached(self, record: Record, line: Line) -> bool:
        """A prompt that has waited is sent to a plain endpoint only when that is there: the browser
        says "online" before all of it is, and a request that failed could not be made again."""
        if self.transport.repeatable or line.session.begun or record["state"] != "queued":
            return True
        try:
            await self._net.reach(f"{self.endpoint.base}/models")
            return True
        except UpstreamError as error:
            if line.wanted():
                why = error.problem
                line.act(line.session.dropped(why, self._host.now(), sent=False))
            return False

    async def _read(self, response: Response, record: Record, position: Open, line: Line) -> None:
        if await self._accepted(response, record, position, line):
            while line.wanted() and (chunk := await response.read()):
                line.act(line.session.receive(chunk, self._host.now()))
            await self._at_the_end(record, line)

    async def _at_the_end(self, record: Record, line: Line) -> None:
        end = await self.transport.end(record) if line.wanted() else None
        if end is None:
            self._dropped(line, problem("connection_broke"))
        elif line.wanted():
            line.act(_nothing_left(line.session, end, self._host.now()))

    def _dropped(self, line: Line, why: Problem) -> None:
        if line.wanted():
            line.act(line.session.dropped(why, self._host.now()))

    async def stop(self, record: Record) -> None:
        try:
            await self.transport.stop(record)
        except UpstreamError:
            # The stream is cut as well then, and the session asks again when it is open; should the
            # page go before that, the outbox does.
            await self.transport.queue_stop(record)

    async def queue(self, record: Record) -> None:
        """Leaves the request that begins the run with whoever can send it without a page."""
        await self.transport.queue(record, await self._body(record))

    async def _request(self, record: Record, position: Open, line: Line) -> Response:
        if line.session.begun:
            return await self.transport.rejoin(record, position)
        body = await self._body(record)
        if not self.transport.repeatable:
            await line.asking()
        return await self.transport.begin(record, body)

    async def _body(self, record: Record) -> dict[str, Any]:
        """The same for the same record, however often it is made: its key stands for one body."""
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

    # How the endpoint goes on with a text

    async def _mode(self, model: str) -> str:
        """Configured, else remembered, else tried out."""
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
            said = json.loads(answer)["choices"][0]["message"]["content"]
            return response.status, str(said or "")
        except (ValueError, LookupError, TypeError):
            return response.status, ""

    # What an answer's head means

    async def _accepted(
        self, response: Response, record: Record, position: Open, line: Line
    ) -> bool:
        """Tells the session what the answer's status means; True when a stream follows."""
        kind = response.headers.get("content-type", "")
        if response.status == 200 and kind.startswith("text/event-stream"):
            await line.remember_run(response.headers.get("midstream-run", ""))
            head = integer(response.headers.get("midstream-head"))
            start = self.transport.start(position)
            if line.wanted():
                line.act(line.session.opened(head=head, start=start, now=self._host.now()))
            return True
        if response.status == 204:
            intents = line.session.nothing_left(self._host.now())
        else:
            intents = await self._refused(response, record, line.session)
        if line.wanted():
            line.act(intents)
        return False

    async def _refused(self, response: Response, record: Record, session: Session) -> list[Intent]:
        why = await refusal(response)
        now = self._host.now()
        if end := await self.transport.refused(record, response):
            return _nothing_left(session, end, now)
        retry_after = integer(response.headers.get("retry-after"))
        return session.refused(response.status, why, now, retry_after)


def _nothing_left(session: Session, end: End, now: float) -> list[Intent]:
    return session.nothing_left(now, end.state, end.why)
