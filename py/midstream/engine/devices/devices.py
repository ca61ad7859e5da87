"""The person's other devices: what the gateway has of their conversations, as answers to follow."""

from __future__ import annotations

from midstream.engine.devices import device_sync, gateway_client
from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.ports.host import Host
from midstream.errors import UpstreamError
from midstream.journal import Record


class Devices:
    """Asks the default endpoint where that is a gateway. Nothing depends on its answer, so nothing
    is said when there is none."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.gateway: Endpoint | None = None

    async def conversations(self) -> list[Record] | None:
        """Items for the list; None when nobody answers."""
        if self.gateway is None:
            return None
        try:
            return await device_sync.listed(self._host.net, self.gateway.base)
        except UpstreamError:
            return None

    async def fetch(self, conversation: str) -> bool:
        """Stores what is missing here of a conversation. False when nothing is."""
        here = await self._host.store.conversation(conversation)
        if self.gateway is None or (here and here.get("deleted")):
            return False
        store, now = self._host.store, round(self._host.now() * 1000)
        try:
            change = await device_sync.missing(
                self._host.net, self.gateway, conversation, store, now
            )
        except UpstreamError:
            return False
        if change:
            await store.commit(change)
        return change is not None

    async def delete(self, conversation: str) -> bool:
        """Deletes what the gateway keeps of a conversation; False when it cannot be reached, or
        there is none. Its own list says which runs those are: ids in records may come from a file."""
        if self.gateway is None:
            return False
        now = round(self._host.now() * 1000)
        try:
            for run in await gateway_client.runs(
                self._host.net, self.gateway.base, conversation, now
            ):
                await gateway_client.delete(self._host.net, self.gateway.base, run.id)
        except UpstreamError:
            return False
        return True
