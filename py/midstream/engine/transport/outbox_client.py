"""The service worker's outbox as the engine uses it (docs/service-worker.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from midstream import json_text
from midstream.engine.ports.host import Net, body_of
from midstream.errors import UpstreamError


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A request that the service worker makes when there is a network, even if no page is open."""

    kind: str  # prompt | resume | stop
    conversation: str
    url: str
    headers: Mapping[str, str]
    body: str = ""


class OutboxClient:
    """Requests for endpoints that know a request's key, and so may get it twice."""

    def __init__(self, net: Net) -> None:
        self._net = net

    async def put(self, key: str, entry: OutboxEntry) -> bool:
        """True when it is stored; False when there is no service worker to store it."""
        record: dict[str, Any] = {
            "kind": entry.kind,
            "conversation": entry.conversation,
            "method": "POST",
            "url": self._net.absolute(entry.url),
            "headers": dict(entry.headers),
            "body": entry.body,
        }
        kind = {"content-type": "application/json"}
        try:
            response = await self._net.open("PUT", f"outbox/{key}", kind, json.dumps(record))
        except UpstreamError:
            return False
        response.close()
        return response.status == 201

    async def take_back(self, key: str) -> str:
        """The state that the entry had: queued (it will not be sent now), sending, sent, failed or
        none."""
        try:
            response = await self._net.open("DELETE", f"outbox/{key}", {})
            state = json_text.decode(await body_of(response))["state"]
        except (UpstreamError, ValueError, LookupError, TypeError):
            return "none"
        return str(state)
