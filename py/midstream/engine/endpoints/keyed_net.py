"""A Net that adds to each request the key of its endpoint."""

from __future__ import annotations

from collections.abc import Mapping

from midstream.engine.ports.host import Net, Response
from midstream.engine.ports.keys import Keys


class KeyedNet:
    def __init__(self, net: Net, keys: Keys) -> None:
        self._net = net
        self._keys = keys

    def absolute(self, url: str) -> str:
        return self._net.absolute(url)

    async def reach(self, url: str) -> None:
        await self._net.reach(url)

    async def denied(self) -> bool:
        return await self._net.denied()

    async def open(self, method: str, url: str, headers: Mapping[str, str], body: str | None = None) -> Response:
        if "://" in url:  # else it goes to the page's own server
            await self._keys.ready()
            headers = {**headers, **self._keys.headers(url)}
        return await self._net.open(method, url, headers, body)
