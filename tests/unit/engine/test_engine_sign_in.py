"""The sign-in ends in the middle: nothing is lost, and all goes on after the next one. Before a real gateway."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from midstream.gateway.tokens import Tokens
from midstream.journal import MemoryStore
from tests.gateway.live import Gateway, live
from tests.support.httpnet import HttpNet, HttpResponse
from tests.unit.engine.support import Locks, Page, new_page, press, send, text_of, until

CONFIG = {"endpoints": [{"name": "Gateway", "kind": "gateway", "url": "v1", "model": "played"}]}


class Browser(HttpNet):
    """A net with a cookie, and with a service worker's outbox: what is put into it, by key."""

    def __init__(self, base: str) -> None:
        super().__init__(base)
        self.token = ""
        self.outbox: dict[str, dict[str, Any]] = {}

    async def open(self, method: str, url: str, headers: Mapping[str, str], body: str | None = None) -> HttpResponse:
        if url.startswith("outbox/"):
            key = url.removeprefix("outbox/")
            state = {"state": "queued" if self.outbox.pop(key, None) else "none"}
            if method == "PUT":
                self.outbox[key] = json.loads(body or "")
            return HttpResponse(httpx.Response(201 if method == "PUT" else 200, json=state))
        cookie = {"cookie": f"midstream-{self._client.base_url.port}={self.token}"}
        return await super().open(method, url, {**headers, **cookie}, body)


Scenario = Callable[[Page, MemoryStore, Browser, Gateway, Tokens], Awaitable[None]]


def run(folder: Path, scenario: Scenario) -> None:
    async def with_page() -> None:
        async with live(tokens=str(folder), limits={"heartbeat": 0.05}) as gateway:
            net, store = Browser(f"{gateway.client.base_url}/"), MemoryStore()
            page = await new_page(store, Locks(), net, config=CONFIG)
            try:
                await scenario(page, store, net, gateway, Tokens(folder))
            finally:
                await page.vanish()
                await net.close()

    asyncio.run(with_page())


def status(page: Page, answer: str) -> dict[str, Any]:
    return [m for m in page.messages if m["type"] == "status" and m["message"] == answer][-1]


def trouble(page: Page, answer: str) -> str:
    return str(status(page, answer).get("error", {}).get("problem", {}).get("code"))


def test_a_prompt_waits_for_the_sign_in(tmp_path: Path) -> None:
    async def scenario(page: Page, store: MemoryStore, net: Browser, gateway: Gateway, tokens: Tokens) -> None:
        answer = await send(page, "hello")
        await until(lambda: page.last(answer) == "queued" and net.outbox)
        assert trouble(page, answer) == "sign_in"
        assert (await store.message(answer) or {})["state"] == "queued"
        (entry,) = net.outbox.values()
        assert "hello" in entry["body"]
        assert gateway.upstream.requests == []
        net.token = tokens.add("ann")
        await until(lambda: gateway.upstream.answers)
        gateway.upstream.answers[0].say("Here ", "it is.")
        gateway.upstream.answers[0].finish()
        await until(lambda: page.last(answer) == "complete")
        assert await text_of(store, answer) == "Here it is."
        assert len(gateway.upstream.requests) == 1
        assert net.outbox == {}

    run(tmp_path, scenario)


def test_an_answer_goes_on_where_the_sign_in_ended(tmp_path: Path) -> None:
    async def scenario(page: Page, store: MemoryStore, net: Browser, gateway: Gateway, tokens: Tokens) -> None:
        net.token = tokens.add("ann")
        answer = await send(page, "hello")
        await until(lambda: gateway.upstream.answers)
        gateway.upstream.answers[0].say("One ")
        await until(lambda: page.last(answer) == "streaming")
        tokens.revoke("ann")
        await until(lambda: trouble(page, answer) == "sign_in")
        assert page.last(answer) == "reconnecting"
        assert await text_of(store, answer) == "One "
        gateway.upstream.answers[0].say("two.")
        gateway.upstream.answers[0].finish()
        net.token = tokens.add("ann")
        await until(lambda: page.last(answer) == "complete")
        assert await text_of(store, answer) == "One two."
        assert len(gateway.upstream.requests) == 1

    run(tmp_path, scenario)


def test_a_prompt_that_was_stopped_before_the_sign_in_is_not_sent(tmp_path: Path) -> None:
    async def scenario(page: Page, store: MemoryStore, net: Browser, gateway: Gateway, tokens: Tokens) -> None:
        answer = await send(page, "hello")
        await until(lambda: page.last(answer) == "queued" and net.outbox)
        await press(page, "remove", answer)
        await until(lambda: not net.outbox)
        net.token = tokens.add("ann")
        await net.open("GET", "v1/models", {})
        assert gateway.upstream.requests == []

    run(tmp_path, scenario)
