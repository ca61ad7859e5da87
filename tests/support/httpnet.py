"""The engine's Net over httpx, for engines that a test runs in CPython before a real gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import httpx

from midstream.engine.endpoints.http_errors import broken, unreachable


class HttpNet:
    """`base`: what relative URLs are relative to, as a page's address is. One event loop only."""

    def __init__(self, base: str) -> None:
        # Without a limit of connections, and without a proxy from the environment.
        self._client = httpx.AsyncClient(
            base_url=base,
            limits=httpx.Limits(max_connections=None),
            timeout=httpx.Timeout(30, read=None),
            trust_env=False,
        )
        self._sending: set[asyncio.Future[httpx.Response]] = set()

    def absolute(self, url: str) -> str:
        return str(self._client.base_url.join(url))

    async def reach(self, url: str) -> None:
        (await self.open("GET", url, {})).close()

    async def denied(self) -> bool:
        return False

    async def open(self, method: str, url: str, headers: Mapping[str, str], body: str | None = None) -> HttpResponse:
        request = self._client.build_request(method, url, headers=headers, content=body)
        # Shielded: a page may vanish while it connects, and a cancelled connect is left half made.
        sending = asyncio.ensure_future(self._client.send(request, stream=True))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)
        try:
            return HttpResponse(await asyncio.shield(sending))
        except httpx.HTTPError as error:
            raise unreachable(self.absolute(url), error) from error

    async def close(self) -> None:
        for sending in await asyncio.gather(*self._sending, return_exceptions=True):
            if isinstance(sending, httpx.Response):
                await sending.aclose()
        await self._client.aclose()


class HttpResponse:
    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self._response = response
        self._pieces: AsyncIterator[bytes] = response.aiter_bytes()
        self._closing: asyncio.Task[None] | None = None

    async def read(self) -> bytes:
        try:
            return await anext(self._pieces, b"")
        except (httpx.HTTPError, httpx.StreamClosed) as error:
            raise broken(error) from error

    def close(self) -> None:
        """At once for the caller; the connection itself is closed a moment later."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._response.aclose())
