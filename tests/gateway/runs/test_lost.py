"""A store that loses its data, goes away or hangs while answers run.

Nothing of a live answer is lost, and what is gone is said to be gone.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from midstream.errors import StoreError
from midstream.gateway.config import Limits
from midstream.gateway.runs.readers import Readers
from midstream.gateway.store import interface
from midstream.gateway.store.interface import PAGE, Page
from midstream.gateway.store.memory import MemoryRunStore
from midstream.gateway.store.redis import RedisRunStore
from tests.gateway.conftest import redis_server
from tests.gateway.live import Gateway, live, seqs, text_of
from tests.gateway.support import created, eventually

pytestmark = [pytest.mark.anyio, pytest.mark.full_run(reason="needs a redis-server")]

NEVER = 1e6  # seconds


@pytest.fixture
async def gateway(redis_url: str) -> AsyncIterator[Gateway]:
    async with live(store=RedisRunStore(redis_url), limits={"heartbeat": NEVER}) as running:
        yield running


@pytest.fixture
def server(redis_url: str) -> redis.Redis:
    return redis.Redis.from_url(redis_url)


async def a_finished_run(gateway: Gateway) -> str:
    posting = asyncio.create_task(gateway.post())
    answers = len(gateway.upstream.answers)

    async def asked() -> bool:
        return len(gateway.upstream.answers) > answers

    await eventually(asked, "request to the model")
    gateway.upstream.answers[-1].say("Yes")
    gateway.upstream.answers[-1].finish()
    return (await posting).headers["midstream-run"]


async def test_a_live_answer_goes_on_through_a_flush(gateway: Gateway, server: redis.Redis) -> None:
    async with gateway.following() as poster:
        answer = gateway.upstream.answers[0]
        answer.say(*"abcdef")
        before = await poster.take(6)
        server.flushall()
        answer.say(*"ghi")
        answer.finish()
        after = await poster.rest()
    assert seqs([*before, *after]) == list(range(1, 12))
    assert text_of([*before, *after]) == "abcdefghi"
    assert '"state":"completed"' in after[-2].data
    for position in (0, "1-3", "1-6", "1-10"):
        async with gateway.following(poster.run, position) as again:
            found = await again.rest()
        expected = [(message.id, message.data) for message in (*before, *after)]
        assert [(message.id, message.data) for message in found] == expected[-len(found) :]
    assert (await gateway.snapshot(poster.run))["text"] == "abcdefghi"


async def test_who_comes_after_a_flush_waits_until_the_answer_is_there_again(
    gateway: Gateway, server: redis.Redis, redis_url: str
) -> None:
    """From another process, which has nothing of it: by the renewal of the lease, as the model is silent."""
    async with live(store=RedisRunStore(redis_url)) as other, gateway.following() as poster:
        gateway.upstream.answers[0].say(*"ab")
        await poster.take(2)
        gateway.upstream.answers[0].say("c")
        await poster.take(1)
        async with other.following(poster.run) as reader:
            assert text_of(await reader.take(3)) == "abc"
            server.flushall()
            async with other.following(poster.run, 2) as late:
                gateway.upstream.answers[0].say("d")
                gateway.upstream.answers[0].finish()
                assert text_of(await late.rest()) == "cd"
            assert text_of(await reader.rest()) == "d"
        await poster.rest()


async def test_an_answer_that_is_gone_is_gone_for_good(
    gateway: Gateway, server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await a_finished_run(gateway)
    unknown = await gateway.client.get(f"/v1/runs/{'0' * 32}")
    assert unknown.status_code == 404
    monkeypatch.setattr(interface, "RECOVERY", 0.1)
    server.flushall()
    for path in (f"/v1/runs/{run}", f"/v1/runs/{run}/events", f"/v1/runs/{run}/events?after=1-1"):
        response = await gateway.client.get(path)
        assert response.status_code == 410
        assert response.json()["error"]["code"] == "log_lost"
    unknown = await gateway.client.get(f"/v1/runs/{'0' * 32}")
    assert unknown.status_code == 410  # nobody can tell any more
    assert (await gateway.client.get("/v1/runs/x")).status_code == 404
    assert (await a_finished_run(gateway)) != run


async def test_a_reader_of_an_answer_that_is_gone_is_let_go(
    gateway: Gateway, server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interface, "RECOVERY", 0.1)
    store = gateway.store
    run = await created(store, owner="local")
    await store.append(run.id, 1, 1, ["a"], now=1.0)
    store._backups.end(run.id)  # type: ignore[attr-defined] # as if another process, now dead, had written it
    readers = Readers(store, Limits(heartbeat=0.05))
    pages = readers.pages(run.id, 0)
    assert await anext(pages) is not None
    server.flushall()
    assert [page async for page in pages if page] == []
    readers.stop()


async def test_an_outage_is_said_once_and_the_answer_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    lasting = (tmp_path, "--appendonly", "yes")
    with ExitStack() as servers:
        url = servers.enter_context(redis_server(*lasting))
        async with live(store=RedisRunStore(url)) as gateway, gateway.following() as poster:
            gateway.upstream.answers[0].say("before ")
            await poster.take(1)
            kill(url)
            gateway.upstream.answers[0].say("during ")
            await eventually(says(caplog, "waiting for Redis: The run log"), "line about the outage")
            servers.enter_context(redis_server(*lasting))
            gateway.upstream.answers[0].say("after")
            gateway.upstream.answers[0].finish()
            assert text_of(await poster.rest()) == "during after"  # on the same connection
            found = await gateway.ended(poster.run)
            assert (found["text"], found["state"]) == ("before during after", "completed")
            async with gateway.following():  # somebody waits again
                await eventually(says(caplog, "waiting for Redis: it works again"), "line about its end")
    assert caplog.text.count("waiting for Redis") == 2


def says(caplog: pytest.LogCaptureFixture, words: str) -> Callable[[], Awaitable[bool]]:
    async def said() -> bool:
        return words in caplog.text

    return said


class BrokenStore(MemoryRunStore):
    """Its reads wait for `gate` and then fail."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.reads = 0

    async def read(self, run_id: str, after: int, limit: int = PAGE) -> Page | None:
        self.reads += 1
        await self.gate.wait()
        raise StoreError("out of order")


async def test_readers_that_wait_together_fail_together() -> None:
    """A store that hangs costs each of them its time once, not one after the other."""
    store = BrokenStore()
    run = await created(store)
    readers = Readers(store, Limits(store_outage=-1))  # not one more try

    async def read() -> None:
        async for _ in readers.pages(run.id, 0):
            pass

    reading = [asyncio.create_task(read()) for _ in range(20)]
    for _ in range(3):
        await asyncio.sleep(0)
    store.gate.set()
    results = await asyncio.gather(*reading, return_exceptions=True)
    assert [type(result) for result in results] == [StoreError] * 20
    assert store.reads == 1
    readers.stop()


class UnattendableStore(MemoryRunStore):
    """A store that is slow to note that somebody reads."""

    def __init__(self) -> None:
        super().__init__()
        self.attending = 0

    async def attend(self, run_id: str, now: float) -> None:
        self.attending += 1
        await asyncio.sleep(NEVER)


async def test_no_reader_waits_until_it_is_noted_and_many_are_noted_once() -> None:
    store = UnattendableStore()
    run = await created(store)
    await store.append(run.id, 1, 1, ["{}"], now=1.0)
    readers = Readers(store, Limits())
    followed = [readers.pages(run.id, 0) for _ in range(10)]
    for pages in followed:
        page = await anext(pages)
        assert page is not None
        assert page.head == 1
    await asyncio.sleep(0)
    assert store.attending == 1
    for pages in followed:
        await pages.aclose()
    readers.stop()


def kill(url: str) -> None:
    """As a crash would: what it has not put on disk is lost."""
    with redis.Redis.from_url(url) as client:
        pid = client.info("server")["process_id"]
    subprocess.run(["kill", "-9", str(pid)], check=True)
