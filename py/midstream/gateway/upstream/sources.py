"""Where answers come from: an OpenAI-compatible server, the local model, or the script.

An upstream gives the payloads of one answer as they come. It ends without `[DONE]`, which says
nothing that the finish_reason has not said, and it raises `UpstreamError` in words that a person
can use.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any, Protocol

from midstream.errors import MachineError, RequestError, UpstreamBroken, UpstreamError, UpstreamRefused
from midstream.gateway.config import Config, Limits
from midstream.gateway.upstream.http_client import HttpUpstream
from midstream.gateway.upstream.model_state import ModelState
from midstream.gateway.upstream.passed_headers import PassedHeaders
from midstream.problems import problem
from midstream.providers import demo, openai

Forwarded = AbstractAsyncContextManager[tuple[str, AsyncGenerator[bytes, None]]]


class Upstream(Protocol):
    model: str  # what the page sends as "model"; "" = whatever /models lists first
    note: str  # words about it for the person
    about: str  # under which the page has words for that in its language, else ""

    def payloads(self, body: bytes, passed: PassedHeaders | None = None) -> AsyncGenerator[str, None]:
        """Sends the request, with the headers of `passed`, and yields the payload of each event.

        Closing it closes the connection.
        """

    async def models(self) -> dict[str, Any]: ...

    def forward(self, method: str, path: str, body: bytes, passed: PassedHeaders) -> Forwarded:
        """Another request of the dialect: the answer's content type and bytes."""
        ...

    async def close(self) -> None: ...


class LocalUpstream:
    """The model on this machine: a child process of `midstream serve`, which may be starting."""

    def __init__(self, state: ModelState, limits: Limits) -> None:
        self.model = state.read().model
        tiny = self.model.startswith("smollm2-135m")
        self.note = "tiny demo model, facts are unreliable" if tiny else ""
        self.about = "tiny" if tiny else ""
        self._state = state
        self._limits = limits
        self._current: tuple[str, HttpUpstream] | None = None  # the child's URL and our client

    async def payloads(self, body: bytes, passed: PassedHeaders | None = None) -> AsyncGenerator[str, None]:
        server = await self._ready()
        try:
            async with aclosing(server.payloads(body, passed)) as payloads:
                async for payload in payloads:
                    yield payload
        except UpstreamError as error:
            if isinstance(error, UpstreamRefused) and error.status is not None:
                raise
            raise UpstreamBroken(problem("model_crashed"), code="model_crashed") from error

    async def models(self) -> dict[str, Any]:
        return await (await self._ready()).models()

    @asynccontextmanager
    async def forward(
        self, method: str, path: str, body: bytes, passed: PassedHeaders
    ) -> AsyncIterator[tuple[str, AsyncGenerator[bytes, None]]]:
        async with (await self._ready()).forward(method, path, body, passed) as answer:
            yield answer

    async def close(self) -> None:
        if self._current:
            await self._current[1].close()

    async def _ready(self) -> HttpUpstream:
        """Waits while the child starts.

        The first request of a fresh server comes before it is up.
        """
        until = time.monotonic() + self._limits.model_start
        while True:
            child = self._state.read()
            if child.state == "ready":
                break
            if child.state == "failed":
                why = problem("model_failed", quote=child.error)
                raise UpstreamRefused(why, code="model_missing")
            if time.monotonic() > until:
                raise UpstreamRefused(problem("model_late"), code="model_missing")
            await asyncio.sleep(0.05)
        if self._current is None or self._current[0] != child.url:
            await self.close()
            server = HttpUpstream(f"{child.url}/v1", child.key, limits=self._limits)
            self._current = (child.url, server)
        return self._current[1]


class DemoUpstream:
    """The scripted answer, as chat chunks, at `rate` tokens per second (0 = as fast as it can)."""

    model = demo.MODEL
    note = demo.NOTE
    about = "scripted"

    def __init__(self, rate: float) -> None:
        self._rate = rate

    async def payloads(self, body: bytes, passed: PassedHeaders | None = None) -> AsyncGenerator[str, None]:
        request = json.loads(body)
        pieces = list(demo.tokens(last_prompt(request)))
        if not request.get("stream"):
            whole = openai.completion("demo", self.model, "".join(pieces), finish="stop", usage=(0, len(pieces)))
            yield json.dumps(whole, ensure_ascii=False)
            return
        yield openai.chunk("demo", self.model, role="assistant")
        start = time.monotonic()
        for count, piece in enumerate(pieces, 1):
            yield openai.chunk("demo", self.model, content=piece)
            if self._rate:
                await asyncio.sleep(max(0.0, start + count / self._rate - time.monotonic()))
        yield openai.chunk("demo", self.model, finish="stop")
        yield openai.chunk("demo", self.model, usage=(0, len(pieces)))

    async def models(self) -> dict[str, Any]:
        return {"object": "list", "data": [self._about()]}

    def _about(self) -> dict[str, Any]:
        return {"id": self.model, "object": "model", "created": 0, "owned_by": "midstream"}

    @asynccontextmanager
    async def forward(
        self, method: str, path: str, body: bytes, passed: PassedHeaders
    ) -> AsyncIterator[tuple[str, AsyncGenerator[bytes, None]]]:
        """It has its one model, and nothing else."""
        if path != f"/models/{self.model}":
            raise RequestError(problem("not_found"), status=404, code="not_found")
        yield "application/json", _one(json.dumps(self._about()).encode())

    async def close(self) -> None:
        return None


async def _one(piece: bytes) -> AsyncGenerator[bytes, None]:
    yield piece


def last_prompt(request: dict[str, Any]) -> str:
    """The person's last message; "" when there is none. Text parts are joined, others left out."""
    messages = request.get("messages")
    for message in reversed(messages if isinstance(messages, list) else []):
        if isinstance(message, dict) and message.get("role") == "user":
            content = message.get("content")
            parts = content if isinstance(content, list) else [{"text": content}]
            texts = (part.get("text") for part in parts if isinstance(part, dict))
            return "".join(text for text in texts if isinstance(text, str))
    return ""


def from_config(config: Config) -> Upstream:
    if config.upstream:
        key = os.environ.get(config.upstream_key_env) if config.upstream_key_env else None
        model = "" if config.model in ("local", "demo") else config.model
        return HttpUpstream(config.upstream, key, model=model, limits=config.limits)
    if config.model == "demo":
        return DemoUpstream(config.demo_rate)
    if config.model_state is None:
        raise MachineError("No local model has been started.")
    return LocalUpstream(ModelState(config.model_state), config.limits)
