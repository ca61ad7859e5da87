"""An OpenAI-compatible server as an upstream, over HTTP.

Whatever goes wrong is an `UpstreamError` in words that a person can use. No key and no body of an
error page gets into a message.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from midstream import sse
from midstream.errors import UpstreamBroken, UpstreamError, UpstreamRefused
from midstream.gateway.config import Limits
from midstream.problems import problem
from midstream.providers import openai

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

    async def payloads(self, body: bytes) -> AsyncGenerator[str, None]:
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        async with self._request("POST", "/chat/completions", body, headers) as response:
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind == "text/event-stream":
                async with aclosing(self._events(response)) as events:
                    async for payload in events:
                        yield payload
            elif kind == "application/json":  # not asked to stream, or will not
                yield (await self._whole(response)).decode("utf-8", "replace")
            else:
                raise UpstreamBroken(
                    problem("upstream_no_stream", host=self._host, kind=kind[:60])
                    if kind
                    else problem("upstream_no_kind", host=self._host)
                )

    async def models(self) -> dict[str, Any]:
        async with self._request("GET", "/models") as response:
            try:
                body = json.loads(await self._whole(response))
            except ValueError:
                body = None
            if not isinstance(body, dict):
                raise UpstreamBroken(problem("upstream_no_models", host=self._host))
            return body

    async def close(self) -> None:
        await self._client.aclose()

    async def _events(self, response: httpx.Response) -> AsyncGenerator[str, None]:
        decoder = sse.Decoder(self._limits.event)
        too_large: sse.EventTooLarge | None = None
        async for chunk in response.aiter_raw():
            try:
                messages = decoder.feed(chunk)
            except sse.EventTooLarge as error:  # what was whole before it is still an answer
                messages, too_large = error.messages, error
            for message in messages:
                if message.data.strip() == openai.DONE:
                    return
                yield message.data
            if too_large is not None:
                raise too_large

    async def _whole(self, response: httpx.Response) -> bytes:
        pieces, size = [], 0
        async for chunk in response.aiter_bytes():
            pieces.append(chunk)
            size += len(chunk)
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
        headers: dict[str, str] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """A response with status 200; whatever goes wrong with it, in words."""
        begun = False
        try:
            url = self._base + path
            async with self._client.stream(method, url, content=body, headers=headers) as response:
                if response.status_code != 200:
                    raise await self._refusal(response)
                begun = True
                yield response
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            code = _why_unreachable(error)
            raise UpstreamRefused(problem(code, host=self._host), code=code) from error
        except httpx.TimeoutException as error:
            silence = problem("upstream_silent", host=self._host, seconds=round(self._limits.silence))
            raise UpstreamBroken(silence, code="upstream_silent") from error
        except httpx.HTTPError as error:
            when = "upstream_cut" if begun else "upstream_closed"
            raise UpstreamBroken(problem(when, host=self._host)) from error

    async def _refusal(self, response: httpx.Response) -> UpstreamRefused:
        status = response.status_code
        codes = {
            401: "upstream_key",
            403: "upstream_key",
            404: "upstream_unknown",
            429: "upstream_busy",
        }
        other = "upstream_redirects" if 300 <= status < 400 else "upstream_refused"
        said = ""
        if status in (400, 404, 413, 422):  # about the request: the client can use it
            said = self._words_in(await self._start(response))
        return UpstreamRefused(
            problem(codes.get(status, other), host=self._host, status=status, quote=said),
            status=status,
            retry_after=response.headers.get("retry-after"),
        )

    async def _start(self, response: httpx.Response) -> bytes:
        start = b""
        async for chunk in response.aiter_bytes():
            start += chunk
            if len(start) >= _ERROR_BODY:
                break
        return start[:_ERROR_BODY]

    def _words_in(self, body: bytes) -> str:
        """The upstream's own error message, without our key."""
        try:
            error = json.loads(body).get("error")
        except (ValueError, AttributeError):
            return ""
        text = error.get("message") if isinstance(error, dict) else error
        if not isinstance(text, str):
            return ""
        if self._key:
            text = text.replace(self._key, "…")
        return text


def _why_unreachable(error: Exception) -> str:
    """The code of what was in the way, by the error at the bottom: httpx has one for all."""
    if isinstance(error, httpx.ConnectTimeout):
        return "upstream_slow"
    for kind, code in _CAUSES.items():
        if any(isinstance(cause, kind) for cause in _causes(error)):
            return code
    return "upstream_unreachable"


_CAUSES: dict[type[Exception], str] = {
    socket.gaierror: "upstream_name",
    ssl.SSLCertVerificationError: "upstream_certificate",
    ConnectionRefusedError: "upstream_port",
}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """A name may have several addresses, each with an error of its own."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for each in error.exceptions:
                yield from _causes(each)
        error = error.__cause__ or error.__context__


def client_status(error: UpstreamError) -> tuple[int, str | None]:
    """What a client is told: its own mistakes and a busy upstream as they are, the rest as ours.

    The second is for Retry-After.
    """
    if isinstance(error, UpstreamRefused):
        if error.status in (400, 404, 413, 422, 429, 503):
            return error.status, error.retry_after
        if error.status is not None and error.status < 500 and error.status not in (408, 425):
            return 424, None  # a wrong key, a redirect: with 502 a client would ask again for ever
        return (503 if error.code == "model_missing" else 502), None
    return (504 if error.code == "upstream_silent" else 502), None
