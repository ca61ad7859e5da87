"""How an answer is asked for, followed and stopped at its endpoint: requests out, bytes into the
session."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ..errors import UpstreamError, UpstreamRefused
from ..journal import Record
from ..providers import openai
from ..session import Intent, Session
from .demo import DemoNet
from .endpoints import Endpoint
from .host import Host, Net, Response

BODY_BYTES = 64 * 1024  # of an answer that is no stream; the rest is not read


@dataclass(frozen=True, slots=True)
class Line:
    """One connection's way back to its answer. A line that is no longer `wanted` must say nothing
    more."""

    session: Session
    act: Callable[[list[Intent]], None]
    wanted: Callable[[], bool]
    remember_run: Callable[[str], Awaitable[None]]


class Upstream:
    """`history` gives the chat messages to send, oldest first; it is asked only when a run has to
    be started."""

    def __init__(
        self,
        host: Host,
        endpoint: Endpoint,
        history: Callable[[], Awaitable[list[dict[str, Any]]]],
    ) -> None:
        self.endpoint = endpoint
        self._host = host
        self._history = history
        self._net: Net = DemoNet() if endpoint.kind == "demo" else host.net

    async def follow(self, record: Record, after: int, line: Line) -> None:
        """Makes the request and hands every piece of its answer to the session, for as long as that
        is wanted."""
        try:
            response = await self._request(record, after)
        except UpstreamError as error:
            self._dropped(line, str(error))
            return
        try:
            if await self._accepted(response, line):
                while line.wanted() and (chunk := await response.read()):
                    line.act(line.session.receive(chunk, self._host.now()))
                self._dropped(line, "the connection was closed")
        except UpstreamError as error:
            self._dropped(line, str(error))
        finally:
            response.close()

    def _dropped(self, line: Line, why: str) -> None:
        if line.wanted():
            line.act(line.session.dropped(why, self._host.now()))

    async def cancel(self, record: Record) -> None:
        run = record["runs"][-1].get("run")
        if not run:
            return
        try:
            response = await self._net.open("POST", f"{self.endpoint.base}/runs/{run}/cancel", {})
            response.close()
        except UpstreamError:
            return  # the stream is cut as well then: the session asks again when it is open

    async def _request(self, record: Record, after: int) -> Response:
        run = record["runs"][-1].get("run")
        if run:
            url = f"{self.endpoint.base}/runs/{run}/events?after={after}"
            return await self._net.open("GET", url, {"accept": "text/event-stream"})
        model = self.endpoint.model or await self._first_model()
        body = openai.chat_request(await self._history(), model=model, **self.endpoint.options)
        url = f"{self.endpoint.base}/chat/completions"
        return await self._net.open("POST", url, self._headers(record), json.dumps(body))

    async def _first_model(self) -> str:
        """The model to ask for where the configuration names none: the first that is offered."""
        if self.endpoint.kind == "demo":
            return "demo"
        response = await self._net.open("GET", f"{self.endpoint.base}/models", {})
        body = await _body(response)
        response.close()
        try:
            return str(json.loads(body)["data"][0]["id"])
        except (ValueError, LookupError, TypeError) as error:
            raise UpstreamRefused("The endpoint does not say which models it has.") from error

    def _headers(self, record: Record) -> dict[str, str]:
        headers = {"content-type": "application/json", "accept": "text/event-stream"}
        if self.endpoint.kind == "gateway":
            headers["idempotency-key"] = record["runs"][-1]["key"]
            headers["midstream-conversation"] = record["conversation"]
        return headers

    async def _accepted(self, response: Response, line: Line) -> bool:
        """Tells the session what the answer's status means; True when a stream follows."""
        kind = response.headers.get("content-type", "")
        if response.status == 200 and kind.startswith("text/event-stream"):
            if run := response.headers.get("midstream-run"):
                await line.remember_run(run)
            head = _integer(response.headers.get("midstream-head"))
            if line.wanted():
                line.act(line.session.opened(head=head, now=self._host.now()))
            return True
        if response.status == 204:
            intents = line.session.nothing_left(self._host.now())
        else:
            message = await _error_message(response, kind)
            retry_after = _integer(response.headers.get("retry-after"))
            intents = line.session.refused(response.status, message, self._host.now(), retry_after)
        if line.wanted():
            line.act(intents)
        return False


def _integer(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0


async def _body(response: Response) -> bytes:
    body = b""
    while len(body) < BODY_BYTES and (chunk := await response.read()):
        body += chunk
    return body


async def _error_message(response: Response, kind: str) -> str:
    """The words of an OpenAI-style error body, else the start of the body, else the status."""
    if response.status == 200:
        return f"The endpoint answered with {kind or 'no content type'} instead of a stream."
    words = (await _body(response)).decode("utf-8", "replace").strip()
    try:
        error = json.loads(words)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError):
        return words[:300] or f"The endpoint answered with status {response.status}."
