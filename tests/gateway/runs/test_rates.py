"""Answers at a model's pace, for one reader and for hundreds, resumed everywhere: the same on every store.

What a store sees of a pace is how many payloads come at once: up to 50 tokens/s each comes alone, at 400 about eight.
So no test here waits for a clock; `python -m tests.bench.rate_bench` plays the true paces. No heartbeat heals a stall
here, and one that lasts ends the test.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from itertools import pairwise

import httpx
import pytest

from midstream.errors import UpstreamRefused
from midstream.gateway.config import Limits
from midstream.gateway.http.requests import OWNER
from midstream.gateway.runs.readers import BEHIND, WINDOW, Readers
from midstream.gateway.store.interface import RunRecord, RunStore
from midstream.gateway.store.memory import MemoryRunStore
from midstream.problems import problem
from midstream.providers import openai
from tests.gateway.live import FINISH, Gateway, live, seqs, word_chunk
from tests.gateway.support import created, eventually

pytestmark = [pytest.mark.anyio, pytest.mark.full_run(reason="400 readers, and long answers")]

END = openai.terminal("0" * 32, "completed")
NEVER = 1e6  # seconds
SLOW, FAST = 1, 8  # payloads at once


@pytest.fixture
async def gateway(store: RunStore) -> AsyncIterator[Gateway]:
    async with live(store=store, limits={"heartbeat": NEVER, "live_runs": 1000}) as running:
        yield running


async def written(store: RunStore, events: int, at_once: int) -> RunRecord:
    """A live run with so many events."""
    run = await created(store, owner=OWNER, lease=NEVER * NEVER)
    words = [word_chunk(f"{number} ") for number in range(events)]
    for first in range(0, events, at_once):
        await store.append(run.id, 1, first + 1, words[first : first + at_once], now=1.0)
    return run


# The long one of single payloads is shorter for the sake of time; it is eight of a reader's windows all the same.
@pytest.mark.parametrize(("events", "at_once"), [(1, SLOW), (1, FAST), (1_000, SLOW), (10_000, FAST)])
async def test_a_reader_gets_the_rest_at_once_from_any_position(gateway: Gateway, events: int, at_once: int) -> None:
    run = await written(gateway.store, events, at_once)
    positions = sorted({0, 60, events // 2, events - 1, events} & set(range(events + 1)))
    for after in positions:
        async with gateway.following(run.id, f"1-{after}") as stream:
            expected = list(range(after + 1, events + 1))[:300]
            assert seqs(await stream.take(len(expected))) == expected
    async with gateway.following(run.id, events) as waiting:
        await gateway.store.append(run.id, 1, events + 1, [END], now=1.0, end="completed")
        assert seqs(await waiting.rest()) == [events + 1]
    for after in positions:
        async with gateway.following(run.id, after) as stream:
            messages = await stream.rest()
            assert seqs(messages) == list(range(after + 1, events + 2))
            assert messages[-1].data == "[DONE]"
    done = await gateway.client.get(f"/v1/runs/{run.id}/events?after={events + 1}")
    assert done.status_code == 204


@pytest.mark.parametrize("at_once", [SLOW, FAST])
async def test_four_hundred_readers_of_one_run_are_served(gateway: Gateway, at_once: int) -> None:
    run = await written(gateway.store, 200, at_once)
    readers = [asyncio.create_task(read_raw(gateway.client, run.id, number % 201)) for number in range(400)]

    async def all_are_open() -> bool:
        return sum("EventStream._send" in repr(task.get_coro()) for task in asyncio.all_tasks()) == 400

    await eventually(all_are_open, "400 open streams")
    await gateway.store.append(run.id, 1, 201, [word_chunk("late")], now=1.0)
    await gateway.store.append(run.id, 1, 202, [END], now=1.0, end="completed")
    for number, found in enumerate(await asyncio.gather(*readers)):
        assert found == list(range(number % 201 + 1, 203))


async def test_readers_that_have_much_to_catch_up_on_take_turns() -> None:
    """So whoever comes last has its first page before they have all of theirs."""
    store = MemoryRunStore()
    run = await written(store, 10 * WINDOW, FAST)
    readers = Readers(store, Limits())
    pages: list[int] = []

    async def read() -> None:
        async for page in readers.pages(run.id, 0):
            assert page is not None
            pages.append(len(page.entries))
            if page.entries[-1].seq == page.head:
                return

    reading = [asyncio.create_task(read()) for _ in range(50)]
    while len(pages) < 50:  # the first page of each
        await asyncio.sleep(0)
    late = asyncio.create_task(read())
    turns = [len(pages)]
    while not late.done():
        await asyncio.sleep(0)
        turns.append(len(pages))
    assert turns[2] <= 50 + 1 + 2 * BEHIND
    assert max(after - before for before, after in pairwise(turns)) <= BEHIND + 1
    await asyncio.gather(*reading)
    assert pages == [WINDOW] * 51 * 10
    readers.stop()


async def test_a_reader_sees_a_takeover_at_once(gateway: Gateway) -> None:
    """Also one that is far behind: how a reader learns that the writer has died."""
    run = await written(gateway.store, 300, SLOW)
    async with gateway.following(run.id, 60) as stream, gateway.following(run.id, 300) as waiting:
        taken = await gateway.store.claim(run.id, 1, NEVER * NEVER)
        await gateway.store.append(run.id, taken.epoch, 301, [END], now=1.0, end="interrupted")
        assert seqs(await stream.rest()) == list(range(61, 302))
        assert [message.id for message in await waiting.rest()] == ["2-301", None]


REFUSED = UpstreamRefused(problem("upstream_refused", host="played", status=400), status=400)


@pytest.mark.parametrize("at_once", [1, 20])
async def test_short_runs_end(gateway: Gateway, at_once: int) -> None:
    """They end while their lease is renewed for the first time, which is when a cancellation was lost."""
    for start in range(0, 40, at_once):
        for number in range(start, start + at_once):
            gateway.upstream.script(*((REFUSED,) if number % 4 == 3 else (word_chunk("Yes"), FINISH, None)))
        answers = await asyncio.gather(*(gateway.post() for _ in range(at_once)))
        assert {answer.status_code for answer in answers} <= {200, 400}

    async def over() -> bool:
        return not any(task.get_name().startswith("relay-") for task in asyncio.all_tasks())

    await eventually(over, "end of all runs")


# -- readers by hand: 400 clients of httpx would take most of the test's time


async def read_raw(client: httpx.AsyncClient, run: str, after: int) -> list[int]:
    """The seqs that come on a connection of its own, to its end."""
    port = client.base_url.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET /v1/runs/{run}/events?after=1-{after} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
    return [int(seq) for seq in re.findall(rb"^id: 1-(\d+)$", answer, re.MULTILINE)]
