"""An OpenAI-compatible server as an upstream, over HTTP.

Whatever goes wrong is an `UpstreamError` in words that a person can use. No key and no body of an
error page gets into a message.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from midstream import sse
from midstream.errors import EventTooLarge, UpstreamBroken, UpstreamError, UpstreamRefused
from midstream.gateway.config import Limits
from midstream.providers import openai

_ERROR_BODY = 64 * 1024
_SHOWN = 300  # characters of an upstream's own error message


class HttpUpstream:
    """Any server that speaks the OpenAI chat dialect. `base` ends in /v1 or the like."""

    note = ""

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
        self._name = f"The model's server ({urlsplit(base).netloc})"
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
                    f"{self._name} answered with {kind[:60] or 'no content type'}, "
                    "not with a stream of events.",
                    hint="Is it an OpenAI-compatible base URL?",
                )

    async def models(self) -> dict[str, Any]:
        async with self._request("GET", "/models") as response:
            try:
                body = json.loads(await self._whole(response))
            except ValueError:
                body = None
            if not isinstance(body, dict):
                raise UpstreamBroken(f"{self._name} did not answer with a list of models.")
            return body

    async def close(self) -> None:
        await self._client.aclose()

    async def _events(self, response: httpx.Response) -> AsyncGenerator[str, None]:
        decoder = sse.Decoder(self._limits.event)
        too_large: EventTooLarge | None = None
        async for chunk in response.aiter_raw():
            try:
                messages = decoder.feed(chunk)
            except EventTooLarge as error:  # what was whole before it is still an answer
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
                raise UpstreamBroken(f"{self._name} sent more than {self._limits.event} bytes.")
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
            raise UpstreamRefused(
                f"{self._name} cannot be reached.",
                hint="Is it running?",
                code="upstream_unreachable",
            ) from error
        except httpx.TimeoutException as error:
            raise UpstreamBroken(
                f"{self._name} sent nothing for {self._limits.silence:.0f} seconds.",
                code="upstream_silent",
            ) from error
        except httpx.HTTPError as error:
            when = "in the middle" if begun else "without an answer"
            raise UpstreamBroken(f"{self._name} closed the connection {when}.") from error

    async def _refusal(self, response: httpx.Response) -> UpstreamRefused:
        status = response.status_code
        words = {
            401: "refused the gateway's key",
            403: "refused the gateway's key",
            404: "does not know this model or path",
            429: "has too much to do",
        }
        said = words.get(status, "redirects elsewhere" if 300 <= status < 400 else "refused")
        detail = ""
        if status in (400, 404, 413, 422):  # about the request: the client can use it
            detail = self._detail(await self._start(response))
        return UpstreamRefused(
            f"{self._name} {said} ({status}).{detail}",
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

    def _detail(self, body: bytes) -> str:
        """The upstream's own error message, shortened, without our key."""
        try:
            error = json.loads(body).get("error")
        except (ValueError, AttributeError):
            return ""
        text = error.get("message") if isinstance(error, dict) else error
        if not isinstance(text, str):
            return ""
        if self._key:
            text = text.replace(self._key, "…")
        return " It says: " + " ".join(text.split())[:_SHOWN]


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
