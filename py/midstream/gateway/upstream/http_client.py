"""An OpenAI-compatible server as an upstream, over HTTP.

Whatever goes wrong is an `UpstreamError` in words that a person can use. No key gets into a message
or a payload.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from midstream import json_text, sse
from midstream.errors import UpstreamBroken, UpstreamError, UpstreamRefused
from midstream.gateway.config import Limits
from midstream.gateway.upstream.passed_headers import PassedHeaders, from_upstream
from midstream.gateway.upstream.redaction import Redaction
from midstream.gateway.upstream.refusals import refusal, why_unreachable
from midstream.problems import problem
from midstream.providers import openai
from midstream.providers.body import ChatBody, NoAnswer

_ERROR_BODY = 64 * 1024


class HttpUpstream:
    """Any server that speaks the OpenAI chat dialect. `base` ends in /v1 or the like."""

    note = ""
    about = ""

    def __init__(
        self,
        base: str,
        key: str | None = None,
        *,
        model: str = "",
        limits: Limits | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.model = model
        self._limits = limits or Limits()
        self._base = base
        self._key = key
        self._host = urlsplit(base).netloc
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(self._limits.silence, connect=self._limits.connect, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=8),
            follow_redirects=False,
            trust_env=False,  # a proxy from the environment would see keys and prompts
            headers={"Authorization": f"Bearer {key}"} if key else None,
        )

    async def payloads(self, body: bytes, passed: PassedHeaders | None = None) -> AsyncGenerator[str, None]:
        """Asks once more when the connection breaks before anything has come: a server that is
        started again, or a kept connection that it has given up, resets the first request."""
        begun = again = False
        while True:
            try:
                async with aclosing(self._answer(body, passed or PassedHeaders())) as payloads:
                    async for payload in payloads:
                        begun = True
                        yield payload
                return
            except UpstreamBroken as error:
                if begun or again or not _is_reset(error):
                    raise
                again = True

    async def models(self) -> dict[str, Any]:
        async with self._request("GET", "/models") as response:
            try:
                body = json_text.decode(await self._whole(response))
            except ValueError:
                body = None
            if not isinstance(body, dict):
                raise UpstreamBroken(problem("upstream_no_models", host=self._host))
            return body

    @asynccontextmanager
    async def forward(
        self, method: str, path: str, body: bytes, passed: PassedHeaders
    ) -> AsyncIterator[tuple[str, AsyncGenerator[bytes, None]]]:
        """Another request of the dialect, handed on as it is: the answer's content type and bytes."""
        async with AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(self._request(method, path, body, passed))
            except UpstreamBroken as error:
                if not _is_reset(error):
                    raise
                response = await stack.enter_async_context(self._request(method, path, body, passed))
            pieces = await stack.enter_async_context(aclosing(self._forwarded(response)))
            yield response.headers.get("content-type", "application/json"), pieces

    async def _forwarded(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        try:
            async for piece in self._redacted(response):
                yield piece
        except httpx.HTTPError as error:
            raise self._trouble(error, True) from error

    async def close(self) -> None:
        await self._client.aclose()

    async def _answer(self, body: bytes, passed: PassedHeaders) -> AsyncGenerator[str, None]:
        async with self._request("POST", "/chat/completions", body, passed) as response:
            answer = ChatBody(response.headers.get("content-type", ""), self._limits.event)
            try:
                async with aclosing(self._redacted(response)) as pieces:
                    async for piece in pieces:
                        for message in answer.feed(piece):
                            if message.data.strip() == openai.DONE:
                                return
                            yield message.data
                for message in answer.finish():
                    if message.data.strip() != openai.DONE:
                        yield message.data
            except NoAnswer as error:
                raise self._no_stream(error.kind) from None
            except sse.EventTooLarge as error:  # what was whole before it is still an answer
                for message in error.messages:
                    yield message.data
                raise

    def _no_stream(self, kind: str) -> UpstreamBroken:
        if kind:
            return UpstreamBroken(problem("upstream_no_stream", host=self._host, kind=kind))
        return UpstreamBroken(problem("upstream_no_kind", host=self._host))

    async def _redacted(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """Decompressed too: some servers compress what they were asked to leave as it is."""
        redaction = Redaction(self._key)
        async for piece in response.aiter_bytes():
            yield redaction.feed(piece)
        yield redaction.rest()

    async def _whole(self, response: httpx.Response) -> bytes:
        pieces, size = [], 0
        async for piece in self._redacted(response):
            pieces.append(piece)
            size += len(piece)
            if size > self._limits.event:
                limit = self._limits.event
                raise UpstreamBroken(problem("upstream_too_much", host=self._host, limit=limit))
        return b"".join(pieces)

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        passed: PassedHeaders | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """A response that is no error; whatever goes wrong with it, in words."""
        passed = passed or PassedHeaders()
        headers = {**passed.sent, "Accept-Encoding": "identity"}
        headers |= {"Content-Type": "application/json"} if body else {}
        begun = False
        try:
            url = self._base + path
            async with self._client.stream(method, url, content=body, headers=headers) as response:
                passed.received = from_upstream(response.headers)
                if not 200 <= response.status_code < 300:
                    raise await self._refusal(response)
                begun = True
                yield response
        except httpx.HTTPError as error:
            raise self._trouble(error, begun) from error

    def _trouble(self, error: httpx.HTTPError, begun: bool) -> UpstreamError:
        """`begun`: the answer's head was there."""
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            code = why_unreachable(error)
            return UpstreamRefused(problem(code, host=self._host), code=code)
        if isinstance(error, httpx.TimeoutException):
            silence = problem("upstream_silent", host=self._host, seconds=round(self._limits.silence))
            return UpstreamBroken(silence, code="upstream_silent")
        return UpstreamBroken(problem("upstream_cut" if begun else "upstream_closed", host=self._host))

    async def _refusal(self, response: httpx.Response) -> UpstreamRefused:
        start = b""
        try:
            async for piece in response.aiter_bytes():
                start += piece
                if len(start) >= _ERROR_BODY:
                    break
        except httpx.HTTPError:
            pass  # the status says enough
        body = Redaction(self._key).whole(start[:_ERROR_BODY])
        return refusal(self._host, response.status_code, body, response.headers.get("retry-after"))


def _is_reset(error: UpstreamBroken) -> bool:
    """The connection broke, as against a server that is silent or sends nonsense."""
    return isinstance(error.__cause__, httpx.NetworkError | httpx.RemoteProtocolError)
