"""What only Redis does: connections, cancellations, and data that it loses. On a real redis-server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis

from midstream.errors import StoreError
from midstream.gateway.store import backups
from midstream.gateway.store.interface import (
    LEASE,
    RECOVERY,
    Fenced,
    RunStore,
    TooManyRuns,
    recovering,
)
from midstream.gateway.store.redis import RedisRunStore
from tests.gateway.support import created, new_run, texts, write

pytestmark = [pytest.mark.anyio, pytest.mark.full_run(reason="needs a redis-server")]


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[RedisRunStore]:
    opened = RedisRunStore(redis_url)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def server(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


class Snapshot:
    """All data of a server, to set it back to: as a restart from an older file does, or a late replica."""

    def __init__(self, server: redis.Redis) -> None:
        self._server = server
        keys = [key for key in server.scan_iter() if b"wake" not in key]
        self._dumps = {key: (server.dump(key), max(server.pttl(key), 0)) for key in keys}

    def set_back(self) -> None:
        self._server.flushall()
        for key, (dump, ttl) in self._dumps.items():
            self._server.restore(key, ttl, dump or b"")


# -- connections and cancellations


async def test_a_thousand_commands_at_once_are_answered(store: RunStore) -> None:
    run = await created(store)
    found = await asyncio.gather(*(store.get(run.id) for _ in range(1000)))
    assert found == [run] * 1000


async def test_readers_in_a_queue_do_not_hold_up_the_writer(store: RedisRunStore) -> None:
    run = await created(store)
    turns = store._reading._turns
    while not turns.locked():
        await turns.acquire()
    reading = asyncio.create_task(store.get(run.id))
    await store.append(run.id, 1, 1, ["a"], now=1.0)
    assert not reading.done()
    turns.release()
    found = await reading
    assert found is not None
    assert found.head == 1


async def test_no_command_loses_a_cancellation(store: RunStore) -> None:
    """However far it has come: redis-py's own time limits lose most of those that meet the reply."""
    run = await created(store)
    for steps in range(400):
        task = asyncio.create_task(store.renew(run.id, 1, run.lease))
        for _ in range(steps % 40):
            await asyncio.sleep(0)
        if task.cancel():
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_a_server_that_goes_silent_is_an_error_in_words(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("midstream.gateway.store.redis_client.PATIENCE", 0.05)
    store = RedisRunStore(redis_url)
    await store.open()
    with redis.Redis.from_url(redis_url) as server:
        server.client_pause(300)
        with pytest.raises(StoreError, match="does not answer"):
            await store.get("0" * 32)
    await store.close()


async def test_a_server_that_hangs_up_is_an_error_in_words(tmp_path: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    socket = tmp_path / "redis.sock"
    async with await asyncio.start_unix_server(hang_up, socket):
        store = RedisRunStore(f"unix://{socket}")
        tries = await asyncio.gather(*(store.get("0" * 32) for _ in range(5)), return_exceptions=True)
        assert {type(error) for error in tries} == {StoreError}
        await store.close()


# -- admission


async def test_the_cap_is_exact_over_several_processes(store: RunStore, redis_url: str) -> None:
    other = RedisRunStore(redis_url)
    await other.open()
    posts = [each.create(new_run(), max_live=10) for each in (store, other) for _ in range(30)]
    results = await asyncio.gather(*posts, return_exceptions=True)
    assert sum(isinstance(result, tuple) for result in results) == 10
    assert sum(isinstance(result, TooManyRuns) for result in results) == 50
    await other.close()


async def test_a_run_that_is_no_more_takes_no_place(store: RunStore, server: redis.Redis) -> None:
    """Its writer died between its end and the cleaning up, or Redis has dropped its record."""
    ended, dropped = await created(store), await created(store)
    server.hset(f"midstream:{{{ended.id}}}:run", "state", "completed")
    server.delete(f"midstream:{{{dropped.id}}}:run")
    live = [await store.create(new_run(), max_live=2) for _ in range(2)]
    assert all(new for _, new in live)
    with pytest.raises(TooManyRuns):
        await store.create(new_run(), max_live=2)


# -- data that Redis loses


@pytest.mark.parametrize("size", [1, 7, 300])
async def test_an_emptied_redis_gets_a_live_run_again(store: RunStore, server: redis.Redis, size: int) -> None:
    run = await created(store, conversation="c", key="k", prompt="why?")
    payloads = [f"word {number}" for number in range(600)]
    for first in range(0, 600, size):
        await write(store, run, *payloads[first : first + size])
    before = await store.get(run.id)
    server.flushall()
    await store.append(run.id, 1, 601, ["more"], now=time.time())
    assert await texts(store, run) == [*payloads, "more"]
    page = await store.read(run.id, 299, 2)
    assert page is not None
    assert [entry.position for entry in page.entries] == ["1-300", "1-301"]
    after = await store.get(run.id)
    assert before is not None
    assert after is not None
    for name in ("conversation", "key", "prompt", "created", "started", "state", "epoch"):
        assert getattr(after, name) == getattr(before, name)
    assert [found.id for found in await store.runs("me", "c")] == [run.id]
    again, new = await store.create(new_run(conversation="c", key="k"), max_live=100)
    assert (again.id, new) == (run.id, False)
    await store.append(run.id, 1, 602, ["end"], now=time.time(), end="completed")
    assert (await texts(store, run))[-2:] == ["more", "end"]


async def test_a_silent_writer_brings_its_run_back_when_it_renews(store: RunStore, server: redis.Redis) -> None:
    run = await created(store)
    await write(store, run, "a")
    await write(store, run, "b")
    server.flushall()
    await store.renew(run.id, 1, time.time() + LEASE)
    assert await texts(store, run) == ["a"]  # of the newest batch it learns by the next one
    await store.append(run.id, 1, 3, ["c"], now=time.time())
    assert await texts(store, run) == ["a", "b", "c"]


async def test_a_redis_that_is_set_back_gets_what_it_has_lost(store: RunStore, server: redis.Redis) -> None:
    run = await created(store)
    for number in range(300):
        await write(store, run, f"{number}")
    snapshot = Snapshot(server)
    for number in range(300, 600):
        await write(store, run, f"{number}")
    snapshot.set_back()
    await store.append(run.id, 1, 601, ["600"], now=time.time())
    assert await texts(store, run) == [f"{number}" for number in range(601)]


async def test_a_log_that_redis_drops_is_written_again_or_gone(store: RunStore, server: redis.Redis) -> None:
    """maxmemory with an eviction policy may take the stream and leave the record."""
    live, ended = await created(store), await created(store)
    await write(store, live, "a", "b")
    await write(store, ended, "a", "b", end="completed")
    for run in (live, ended):
        server.delete(f"midstream:{{{run.id}}}:log")
    assert await store.read(ended.id, 0) is None
    await store.append(live.id, 1, 3, ["c"], now=time.time())
    assert await texts(store, live) == ["a", "b", "c"]


async def test_a_lost_reply_before_the_loss_repeats_nothing(store: RunStore, server: redis.Redis) -> None:
    run = await created(store)
    await write(store, run, "a")
    for _ in range(2):  # the reply to the first was lost
        try:
            await store.append(run.id, 1, 2, ["b", "c"], now=1.0)
        except Fenced:
            assert await texts(store, run) == ["a", "b", "c"]
    server.flushall()
    await store.append(run.id, 1, 4, ["d"], now=1.0)
    assert await texts(store, run) == ["a", "b", "c", "d"]


async def test_a_run_of_the_same_conversation_keeps_it(store: RunStore, server: redis.Redis) -> None:
    lost = await created(store, conversation="c", key="k")
    await write(store, lost, "a")
    server.flushall()
    newer = await created(store, conversation="c", key="k")
    await store.append(lost.id, 1, 2, ["b"], now=1.0)
    again, new = await store.create(new_run(conversation="c", key="k"), max_live=100)
    assert (again.id, new) == (newer.id, False)
    assert await texts(store, lost) == ["a", "b"]


async def test_a_run_of_another_process_is_not_brought_back(store: RunStore, server: redis.Redis) -> None:
    run = await created(store)
    await write(store, run, "a")
    other = RedisRunStore(f"unix://{server.connection_pool.connection_kwargs['path']}")
    await other.open()
    server.flushall()
    with pytest.raises(Fenced):
        await other.claim(run.id, 1, 1.0)
    assert await other.get(run.id) is None
    await other.close()


async def test_a_run_that_does_not_fit_in_has_no_copy(
    store: RunStore, server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "LIMIT", 1000)
    small, large = await created(store), await created(store)
    await write(store, small, "x")
    await write(store, large, "x" * 1001)
    server.flushall()
    await store.append(small.id, 1, 2, ["y"], now=1.0)
    with pytest.raises(Fenced):
        await store.append(large.id, 1, 2, ["y"], now=1.0)
    assert await texts(store, small) == ["x", "y"]


async def test_a_backup_ends_with_its_run(store: RedisRunStore, redis_url: str) -> None:
    other = RedisRunStore(redis_url)
    await other.open()
    ended, taken, live = await created(store), await created(store), await created(store)
    await write(store, ended, "end", end="completed")
    assert store._backups.runs == {taken.id, live.id}
    await other.claim(taken.id, 1, time.time() + LEASE)
    await other.append(taken.id, 2, 1, ["end"], now=1.0, end="interrupted")
    await store.stale(time.time())
    assert store._backups.runs == {live.id}
    await other.close()


@pytest.mark.parametrize("looks", [1, 3])
async def test_every_process_learns_of_a_loss(store: RunStore, server: redis.Redis, looks: int) -> None:
    other = RedisRunStore(f"unix://{server.connection_pool.connection_kwargs['path']}")
    await other.open()
    for _ in range(looks):
        assert await store.lost() is None
        assert await other.lost() is None
    server.flushall()
    assert await store.stale(time.time()) == []  # the sweeper's look
    lost = await other.lost()
    assert lost is not None
    assert time.time() - lost < RECOVERY
    assert await recovering(store)
    late = RedisRunStore(f"unix://{server.connection_pool.connection_kwargs['path']}")
    await late.open()
    assert await late.lost() == lost
    await late.close()
    await other.close()


async def test_leases_as_old_as_the_data_make_nobody_stale(store: RunStore, server: redis.Redis) -> None:
    run = await created(store, lease=time.time() - 1)
    snapshot = Snapshot(server)
    assert [found.id for found in await store.stale(time.time())] == [run.id]
    snapshot.set_back()
    assert await store.stale(time.time()) == []
    assert [found.id for found in await store.stale(time.time() + RECOVERY)] == [run.id]
