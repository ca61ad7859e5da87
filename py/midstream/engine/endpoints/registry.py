"""The registry of endpoints: those of the host's config.json, those that the person has added, and
the one that new answers come from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from midstream.engine.endpoints.endpoints import Endpoint, endpoints
from midstream.engine.endpoints.probe import probe
from midstream.engine.ports.host import Host, Message, notice_of
from midstream.errors import StoreError, UsageError
from midstream.journal import Change, Record
from midstream.problems import problem

_RECORD = "endpoints"
_LONGEST = 2000  # characters of a name, an address, a model
MOST = 50


class EndpointRegistry:
    """Owns the list. `changed` is called when another endpoint comes first."""

    def __init__(self, host: Host, changed: Callable[[Endpoint], None]) -> None:
        self._host = host
        self._changed = changed
        self._configured: list[Endpoint] = []
        self._own: list[Endpoint] = []
        self._chosen = ""
        self._online = True
        self.configured = asyncio.Event()  # the host's list is known

    @property
    def all(self) -> list[Endpoint]:
        """The chosen one first, else as the host has ordered them."""
        return sorted([*self._configured, *self._own], key=lambda endpoint: endpoint.name != self._chosen)

    @property
    def first(self) -> Endpoint:
        return self.all[0]

    def like(self, stored: dict[str, Any]) -> Endpoint:
        """The endpoint of that name as it is now, else the first."""
        return next((e for e in self.all if e.name == stored.get("name")), self.first)

    @property
    def gateway(self) -> Endpoint | None:
        """The endpoint that knows the person's other devices."""
        return next((e for e in self.all if e.kind == "gateway"), None)

    async def load(self) -> None:
        """Reads the endpoints that the person has added, before the host's list is known."""
        try:
            record = await self._host.store.setting(_RECORD) or {}
        except StoreError as error:
            self._host.post(notice_of(error))
            return
        entries = record.get("own")
        own = [_own(entry) for entry in entries] if isinstance(entries, list) else []
        self._own = [endpoint for endpoint in own if endpoint]
        self._chosen = str(record.get("chosen") or "")
        await self._host.keys.load(self._host.store, [e.base for e in self._own])

    def configure(self, config: dict[str, Any]) -> None:
        """Takes the contents of config.json."""
        self._configured = endpoints(config)
        self._report()
        self.configured.set()

    def network(self, online: bool) -> None:
        self._online = online

    # Intents

    async def keys(self, intent: Message) -> None:
        self._host.keys.receive(intent.get("keys"))
        self._report()

    async def choose(self, intent: Message) -> None:
        self._chosen = str(intent["name"])
        await self._store(Change())

    async def add(self, intent: Message) -> None:
        """Adds an endpoint, or changes the one of that name, and chooses it."""
        endpoint = _own(intent["endpoint"])
        taken = {e.name for e in self._configured}
        if endpoint is None or len(self._own) >= MOST:
            raise UsageError(problem("endpoint_not_added"))
        if endpoint.name in taken:
            endpoint = replace(endpoint, name=f"{endpoint.name} (2)")
        self._own = [e for e in self._own if e.name != endpoint.name] + [endpoint]
        self._chosen = endpoint.name
        change, key = Change(), str(intent.get("key") or "")
        if key:
            change = self._host.keys.put(endpoint.base, key, on_device=intent.get("keep") == "device")
        await self._store(change)

    async def remove(self, intent: Message) -> None:
        gone = [e for e in self._own if e.name == intent["name"]]
        self._own = [e for e in self._own if e not in gone]
        change = Change()
        for endpoint in gone:
            if all(e.base != endpoint.base for e in self._own):
                change = self._host.keys.drop(endpoint.base)
        await self._store(change)

    async def test(self, intent: Message) -> None:
        endpoint = _own(intent["endpoint"] | {"name": "-"}) or Endpoint("-", "openai")
        key = str(intent.get("key") or "")
        verdict = await probe(endpoint, key, self._host.net, online=self._online)
        self._host.post({"type": "tested", "test": intent.get("test"), **asdict(verdict)})

    # What follows

    async def _store(self, change: Change) -> None:
        own = [{key: asdict(e)[key] for key in ("name", "kind", "url", "model")} for e in self._own]
        record: Record = {"id": _RECORD, "own": own, "chosen": self._chosen}
        await self._host.store.commit(change.put("settings", record))
        self._report()

    def _report(self) -> None:
        if not self._configured:
            return
        items = [self._item(endpoint) for endpoint in [*self._configured, *self._own]]
        self._host.post({"type": "endpoints", "items": items, "chosen": self.first.name})
        self._changed(self.first)

    def _item(self, endpoint: Endpoint) -> Message:
        item = {"name": endpoint.name, "url": endpoint.url, "model": endpoint.model}
        own = endpoint in self._own
        return {**item, "own": own, **(self._host.keys.summary(endpoint.base) if own else {})}


def _own(entry: object) -> Endpoint | None:
    """The endpoint that a person has described; None when the entry cannot be one."""
    if not isinstance(entry, dict):
        return None
    texts = {key: str(entry.get(key) or "").strip() for key in ("name", "url", "model")}
    if not texts["name"] or not texts["url"] or any(len(t) > _LONGEST for t in texts.values()):
        return None
    kind = "gateway" if entry.get("kind") == "gateway" else "openai"
    return Endpoint(texts["name"], kind, texts["url"], texts["model"])
