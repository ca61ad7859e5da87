"""A gateway in this process on a real socket, before an upstream that the test plays by hand."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from starlette.types import ASGIApp

from midstream import sse
from midstream.gateway.config import Config, Limits
from midstream.gateway.http.app import create_app
from midstream.gateway.server import Server, listen
from midstream.gateway.store.interface import RunStore
from midstream.gateway.store.memory import MemoryRunStore
from midstream.gateway.timed_connection import uvicorn_config
from midstream.gateway.upstream.passed_headers import PassedHeaders
from midstream.gateway.upstream.sources import Upstream
from midstream.providers import openai

JSON = {"Content-Type": "application/json"}


class PlayedUpstream:
    """Says what the test tells it to. Each request gets the next of `answers`, else a new one."""

    model = "played"
    note = ""
    about = ""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[bytes] = []

    async def payloads(self, body: bytes, passed: PassedHeaders | None = None) -> AsyncGenerator[str, None]:
        self.requests.append(body)
        if len(self.answers) < len(self.requests):
            self.answers.append(Answer())
        answer = self.answers[len(self.requests) - 1]
        answer.opened.set()
        try:
            while (item := await answer.items.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            answer.closed.set()

    async def models(self) -> dict[str, Any]:
        return {"object": "list", "data": [{"id": "played", "object": "model"}]}

    @contextlib.asynccontextmanager
    async def forward(
        self, method: str, path: str, body: bytes, passed: PassedHeaders
    ) -> AsyncIterator[tuple[str, AsyncGenerator[bytes, None]]]:
        self.requests.append(body)
        yield "application/json", _nothing_more()

    async def close(self) -> None:
        return None

    def script(self, *items: str | Exception | None) -> Answer:
        """The next answer, ready at once; without a None at the end it stays open."""
        answer = Answer()
        for item in items:
            answer.items.put_nowait(item)
        self.answers.append(answer)
        return answer


async def _nothing_more() -> AsyncGenerator[bytes, None]:
    yield b"{}"


@dataclass
class Answer:
    """One answer of the played upstream: payloads, an error, None = the end of the stream."""

    items: asyncio.Queue[str | Exception | None] = field(default_factory=asyncio.Queue)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, *words: str) -> None:
        for word in words:
            self.items.put_nowait(word_chunk(word))

    def finish(self, reason: str = "stop") -> None:
        self.items.put_nowait(openai.chunk("u", "played", finish=reason))
        self.items.put_nowait(None)

    def end(self, error: Exception | None = None) -> None:
        self.items.put_nowait(error)


def word_chunk(word: str) -> str:
    return openai.chunk("u", "played", content=word)


FINISH = openai.chunk("u", "played", finish="stop")


@dataclass
class Gateway:
    """A running gateway and a client for it. `stop` ends it in order, as a signal would."""

    client: httpx.AsyncClient
    upstream: PlayedUpstream
    store: RunStore
    stop: Callable[[], Awaitable[None]]

    async def post(self, **options: Any) -> httpx.Response:
        """One chat request, read to its end."""
        return await self.client.post("/v1/chat/completions", **chat(**options))

    @contextlib.asynccontextmanager
    async def following(self, run: str | None = None, after: int | str = 0, **options: Any) -> AsyncIterator[Following]:
        """An open stream: of a run, or of a new chat request."""
        if run is None:
            request = self.client.stream("POST", "/v1/chat/completions", **chat(**options))
        else:
            request = self.client.stream("GET", f"/v1/runs/{run}/events?after={after}")
        async with request as response:
            yield Following(response)

    async def snapshot(self, run: str) -> dict[str, Any]:
        response = await self.client.get(f"/v1/runs/{run}")
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def ended(self, run: str) -> dict[str, Any]:
        """The snapshot once the run has ended."""
        async with self.following(run) as stream:
            await stream.rest()
        return await self.snapshot(run)


class Following:
    """A response that is read event by event."""

    def __init__(self, response: httpx.Response) -> None:
        assert response.status_code == 200, response
        self.response = response
        self.run = response.headers["midstream-run"]
        self._chunks = response.aiter_raw()
        self._decoder = sse.Decoder()
        self._messages: list[sse.Message] = []

    async def take(self, count: int) -> list[sse.Message]:
        """Exactly `count` messages; fewer when the stream ends first."""
        while len(self._messages) < count:
            try:
                chunk = await asyncio.wait_for(anext(self._chunks), 20)
            except StopAsyncIteration:
                break
            self._messages += self._decoder.feed(chunk)
        taken, self._messages = self._messages[:count], self._messages[count:]
        return taken

    async def rest(self) -> list[sse.Message]:
        return await self.take(1_000_000)


def chat(
    *,
    stream: bool = True,
    key: str | None = None,
    conversation: str | None = None,
    text: str = "hello",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Arguments of a POST to /v1/chat/completions."""
    body = {"model": "m", "messages": [{"role": "user", "content": text}], "stream": stream, **more}
    named = {"Idempotency-Key": key, "Midstream-Conversation": conversation}
    given = {name: value for name, value in named.items() if value is not None}
    return {"content": json.dumps(body), "headers": {**JSON, **given, **(headers or {})}}


def text_of(messages: list[sse.Message]) -> str:
    """The words in a list of messages."""
    events = (event for message in messages for event in openai.parse(message.data))
    return "".join(getattr(event, "text", "") for event in events)


def seqs(messages: list[sse.Message]) -> list[int]:
    """The positions, of those that have one."""
    return [int(message.id.split("-")[1]) for message in messages if message.id]


def prepared(
    port: int,
    store: RunStore | None,
    upstream: Upstream | None,
    limits: Mapping[str, Any] | None,
    options: Mapping[str, Any],
) -> tuple[ASGIApp, RunStore, PlayedUpstream]:
    """An app with what the test did not name filled in.

    It waits 50 ms for an upstream's first word.
    """
    store = store or MemoryRunStore()
    upstream = upstream or PlayedUpstream()
    named = {"first_word": 0.05, **(limits or {})}
    named = {"plain_first_word": named["first_word"], **named}
    config = Config(port=port, limits=replace(Limits(), **named), **options)
    app = create_app(config, store=store, upstream=upstream)
    return app, store, upstream  # type: ignore[return-value]


@contextlib.asynccontextmanager
async def live(
    *,
    store: RunStore | None = None,
    upstream: Upstream | None = None,
    limits: Mapping[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Gateway]:
    """Serves on a free port until the body ends, then stops in order."""
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    app, store, upstream = prepared(port, store, upstream, limits, options)
    timed = replace(Limits(), **(limits or {}))
    server = Server(uvicorn_config(app, timed, timeout_graceful_shutdown=5))
    serving = asyncio.create_task(server.serve([listener]))

    async def stop() -> None:
        server.should_exit = True
        await serving

    while not server.started:
        assert not serving.done(), serving.result()
        await asyncio.sleep(0.005)
    try:
        async with client_for(port) as client:
            yield Gateway(client, upstream, store, stop)
    finally:
        await stop()


@contextlib.asynccontextmanager
async def in_process(
    *,
    store: RunStore | None = None,
    upstream: Upstream | None = None,
    limits: Mapping[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Gateway]:
    """The same without sockets, which is faster; a response is there only when it is whole."""
    app, store, upstream = prepared(8765, store, upstream, limits, options)
    async with lifespan(app), client_for(8765, httpx.ASGITransport(app)) as client:
        yield Gateway(client, upstream, store, _nothing)


def client_for(port: int, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Without a limit of connections, and without a proxy from the environment."""
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        limits=httpx.Limits(max_connections=None),
        transport=transport,
        timeout=30,
        trust_env=False,
    )


@contextlib.asynccontextmanager
async def lifespan(app: ASGIApp) -> AsyncIterator[None]:
    """Starts and ends an ASGI app, as a server would."""
    inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    outbox: asyncio.Queue[Any] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    serving: Coroutine[Any, Any, None] = app(scope, inbox.get, outbox.put)  # type: ignore[assignment]
    running = asyncio.create_task(serving)
    inbox.put_nowait({"type": "lifespan.startup"})
    assert (await outbox.get())["type"] == "lifespan.startup.complete"
    try:
        yield
    finally:
        inbox.put_nowait({"type": "lifespan.shutdown"})
        assert (await outbox.get())["type"] == "lifespan.shutdown.complete"
        await running


async def _nothing() -> None:
    return None
