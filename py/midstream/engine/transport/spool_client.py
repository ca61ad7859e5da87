"""The service worker's spool as the engine uses it, over plain requests (docs/service-worker.md).

A dedicated worker has no `navigator.serviceWorker`; its fetches pass through the service worker all
the same.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from midstream.engine.endpoints.http_errors import refusal, unreachable
from midstream.engine.ports.host import Net, Response
from midstream.errors import UpstreamError

# Firefox stops a service worker 30 s after the last request, even while it holds streams.
PING_S = 12.0
MARK = "midstream-spool"  # the header by which the service worker's own answers are known


class SpoolClient:
    """The connections to plain endpoints that the service worker holds for the page, each under a
    key."""

    def __init__(self, net: Net) -> None:
        self._net = net

    async def present(self) -> bool:
        """Whether a service worker answers. A server without spools answers too, but without the
        header MARK."""
        try:
            return MARK in (await self._ask("GET", "")).headers
        except UpstreamError:
            return False

    async def begin(self, key: str, url: str, headers: Mapping[str, str], body: str) -> Response:
        """Lets the service worker make a POST, or joins the one that it has made under this key.

        Raises UpstreamBroken when the endpoint cannot be reached.
        """
        request = {"url": self._net.absolute(url), "headers": dict(headers), "body": body}
        kind = {"content-type": "application/json"}
        response = await self._net.open("POST", f"spool/{key}", kind, json.dumps(request))
        if response.headers.get(MARK) == "failed" and response.status == 502:
            why = await refusal(response)
            response.close()
            raise unreachable(self._net.absolute(url), why.message)
        return response

    async def follow(self, key: str) -> Response:
        return await self._net.open("GET", f"spool/{key}", {})

    async def state(self, key: str) -> str:
        """live, ended, stopped, lost, failed or full; "" when the spool is not known."""
        return (await self._ask("HEAD", key)).headers.get(MARK, "")

    async def stop(self, key: str) -> None:
        await self._ask("POST", f"{key}/stop")

    async def forget(self, key: str) -> None:
        await self._ask("DELETE", key)

    @asynccontextmanager
    async def pinging(self) -> AsyncIterator[None]:
        """Keeps the service worker alive while a spool is read."""
        pinging = asyncio.ensure_future(self._ping())
        try:
            yield
        finally:
            pinging.cancel()

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_S)
            try:
                await self._ask("POST", "ping")
            except UpstreamError:
                continue  # if it matters, the connection that is being read breaks too

    async def _ask(self, method: str, path: str) -> Response:
        response = await self._net.open(method, f"spool/{path}", {})
        response.close()
        return response
