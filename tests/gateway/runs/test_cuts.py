"""Cuts in the network: the client resumes at its position, and has every event once."""

from __future__ import annotations

import asyncio
import json
import random

import httpx
import pytest

from midstream import sse
from midstream.gateway.store.interface import RunStore
from midstream.gateway.upstream.sources import DemoUpstream
from midstream.providers import demo
from tests.gateway.live import PlayedUpstream, chat, live, text_of, word_chunk
from tests.gateway.support import eventually
from tests.support.proxy import Proxy

pytestmark = pytest.mark.anyio


class Client:
    """Follows one run the way the engine does: by position, again after every cut."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.messages: list[sse.Message] = []
        self.cuts = 0
        self._http = http
        self._run = ""

    async def follow(self) -> None:
        while not self.messages or '"midstream"' not in self.messages[-1].data:
            try:
                await self._connect()
            except httpx.TransportError:
                self.cuts += 1

    async def _connect(self) -> None:
        if self._run:
            url = f"/v1/runs/{self._run}/events"
            position = self.messages[-1].id if self.messages else "0"
            request = self._http.stream("GET", url, headers={"Last-Event-ID": position or ""})
        else:
            request = self._http.stream("POST", "/v1/chat/completions", **chat(key="k"))
        async with request as response:
            assert response.status_code == 200
            self._run = response.headers["midstream-run"]
            decoder = sse.Decoder()
            async for chunk in response.aiter_raw():
                self.messages += [m for m in decoder.feed(chunk) if m.id is not None]


@pytest.mark.parametrize("seed", range(4))
async def test_random_cuts_lose_nothing_and_repeat_nothing(store: RunStore, seed: int) -> None:
    chance = random.Random(seed)
    hosts = ("127.0.0.1",)
    async with live(store=store, upstream=DemoUpstream(rate=400), hosts=hosts) as gateway:
        with Proxy(gateway.client.base_url.port or 0) as proxy:
            async with httpx.AsyncClient(base_url=proxy.url, trust_env=False) as http:
                client = Client(http)
                proxy.cut_each(lambda: chance.randint(1, 4000))
                await client.follow()
    assert client.cuts >= 3
    ids = [message.id for message in client.messages]
    assert ids == [f"1-{seq}" for seq in range(1, len(ids) + 1)]
    assert text_of(client.messages) == "".join(demo.tokens("hello"))


async def test_a_stalled_network_is_only_slow() -> None:
    async with live(hosts=("127.0.0.1",)) as gateway:
        with Proxy(gateway.client.base_url.port or 0) as proxy:
            async with httpx.AsyncClient(base_url=proxy.url, trust_env=False) as http:
                client = Client(http)
                following = asyncio.create_task(client.follow())

                async def begun() -> bool:
                    return bool(gateway.upstream.answers)

                await eventually(begun, "run")
                proxy.stall()
                gateway.upstream.answers[0].say("while ", "stalled ")
                gateway.upstream.answers[0].finish()
                await asyncio.wait_for(gateway.upstream.answers[0].closed.wait(), 5)
                assert client.messages == []
                proxy.resume()
                await following
    assert text_of(client.messages) == "while stalled "
    assert client.cuts == 0


async def test_a_slow_reader_costs_the_producer_and_the_others_nothing(store: RunStore) -> None:
    """Readers that take nothing hold a position, not a queue."""
    upstream = PlayedUpstream()
    answer = upstream.script(*(word_chunk("x" * 1000) for _ in range(3000)))
    async with live(store=store, upstream=upstream) as gateway:
        async with gateway.following() as reader:
            stalled = []
            port = gateway.client.base_url.port
            for _ in range(20):
                connection = await asyncio.open_connection("127.0.0.1", port, limit=1024)
                head = f"GET /v1/runs/{reader.run}/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
                connection[1].write(head.encode())
                stalled.append(connection)
            messages = await reader.take(3000)
            assert len(messages) == 3000
            answer.finish()
            assert json.loads((await reader.rest())[-2].data)["midstream"]["state"] == "completed"
        for _, writer in stalled:
            writer.transport.abort()


async def test_a_reader_that_takes_nothing_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    upstream = PlayedUpstream()
    upstream.script(*(word_chunk("x" * 10_000) for _ in range(2000)), None)
    async with live(upstream=upstream, limits={"stalled_reader": 0.2}) as gateway:
        listed: list[dict[str, str]] = []

        async def written() -> bool:
            listed[:] = (await gateway.client.get("/v1/conversations/c")).json().get("runs", [])
            return bool(listed) and listed[0]["state"] != "live"

        posting = asyncio.create_task(gateway.post(conversation="c"))
        await eventually(written, "end of the run")
        await asyncio.gather(posting, return_exceptions=True)
        port = gateway.client.base_url.port
        stalled, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        head = f"GET /v1/runs/{listed[0]['id']}/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
        writer.write(head.encode())
        caplog.clear()

        async def let_go() -> bool:
            return "let go" in caplog.text

        await eventually(let_go, "end of patience")
        received = 0
        while piece := await asyncio.wait_for(stalled.read(1 << 20), 10):
            received += len(piece)
        assert received < 19_000_000
        writer.close()
