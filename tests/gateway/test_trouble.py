"""Trouble with the store while a run is written.

Full disks, outages, lost replies, writers that come back.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from midstream.errors import StoreError
from midstream.gateway.memory import MemoryStore
from midstream.gateway.packing import pack, unpack
from midstream.gateway.requests import OWNER
from midstream.gateway.sqlite import SQLiteStore
from midstream.gateway.store import LEASE
from tests.gateway.live import FINISH, PlayedUpstream, in_process, live, text_of, word_chunk
from tests.gateway.support import created, eventually, texts, write

pytestmark = pytest.mark.anyio


class FlakyStore(MemoryStore):
    """Fails to append while `down`; `lose_replies` commits and then fails, so many times."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.lose_replies = 0
        self.failures = 0

    async def append(
        self,
        run_id: str,
        epoch: int,
        first: int,
        payloads: Sequence[str],
        *,
        now: float,
        end: str | None = None,
    ) -> None:
        if self.down:
            self.failures += 1
            raise StoreError("out of order")
        await super().append(run_id, epoch, first, payloads, now=now, end=end)
        if self.lose_replies:
            self.lose_replies -= 1
            self.failures += 1
            raise StoreError("no reply")


async def test_an_outage_is_waited_out_and_nothing_is_lost() -> None:
    store = FlakyStore()
    async with live(store=store) as gateway, gateway.following() as stream:
        answer = gateway.upstream.answers[0]
        answer.say("before ")
        await stream.take(1)
        store.down = True
        answer.say("during ", "it ")

        async def failed() -> bool:
            return store.failures > 0

        await eventually(failed, "failure")
        store.down = False
        answer.say("after")
        answer.finish()
        assert text_of(await stream.rest()) == "during it after"


async def test_a_lost_reply_does_not_write_twice() -> None:
    store = FlakyStore()
    store.lose_replies = 2
    upstream = PlayedUpstream()
    upstream.script(*(word_chunk(f"{number} ") for number in range(100)), FINISH, None)
    async with in_process(store=store, upstream=upstream) as gateway:
        run = (await gateway.post()).headers["midstream-run"]
        found = await gateway.ended(run)
    assert store.failures == 2
    assert found["text"] == "".join(f"{number} " for number in range(100))
    assert found["state"] == "completed"


async def test_a_store_that_stays_away_stops_the_upstream() -> None:
    store = FlakyStore()
    async with live(store=store, limits={"store_outage": 0.1}) as gateway:
        async with gateway.following() as stream:
            answer = gateway.upstream.answers[0]
            answer.say("before ")
            await stream.take(1)
            store.down = True
            answer.say("never written ")
            await asyncio.wait_for(answer.closed.wait(), 5)
        store.down = False
        await store.renew(stream.run, 1, time.time() - 1)
        found = await gateway.ended(stream.run)  # by the sweeper
        assert (found["state"], found["text"]) == ("interrupted", "before ")


async def test_a_slow_store_slows_the_upstream_instead_of_filling_memory() -> None:
    store = FlakyStore()
    store.down = True
    upstream = PlayedUpstream()
    answer = upstream.script(*(word_chunk("x") for _ in range(5000)))
    async with live(store=store, upstream=upstream) as gateway, gateway.following() as stream:

        async def waiting() -> bool:
            return store.failures >= 2

        await eventually(waiting, "second try")
        assert answer.items.qsize() > 4800
        store.down = False
        assert len(await stream.take(5000)) == 5000
        answer.finish()


async def test_a_writer_that_was_taken_over_writes_nothing_more() -> None:
    store = MemoryStore()
    async with live(store=store) as gateway, gateway.following() as stream:
        answer = gateway.upstream.answers[0]
        answer.say("mine ")
        await stream.take(1)
        await store.claim(stream.run, 1, time.time() + LEASE)
        answer.say("zombie ")
        await asyncio.wait_for(answer.closed.wait(), 5)
        await store.append(stream.run, 2, 2, [word_chunk("theirs")], now=1.0)
        assert text_of(await stream.take(1)) == "theirs"
        await store.append(stream.run, 2, 3, ["{}"], now=1.0, end="completed")
        await stream.rest()


# -- SQLite's own


async def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "log.db")
    async with in_process(store=store) as gateway:
        connection = store._connections["write"]
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        response = await gateway.post(text="x" * 100_000)
        assert response.status_code == 503
        assert "disk is full" in response.json()["error"]["message"]
        assert "retry-after" in response.headers
        assert gateway.upstream.requests == []
        connection.execute("PRAGMA max_page_count = 1000000")
        gateway.upstream.script(word_chunk("a"), FINISH, None)
        assert (await gateway.post()).status_code == 200


async def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer Midstream"):
        await SQLiteStore(path).open()


async def test_a_damaged_segment_is_an_error_not_a_hole(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "log.db")
    async with in_process(store=store) as gateway:
        run = await created(store, owner=OWNER)
        await write(store, run, "a", "b", end="completed")
        store._connections["write"].execute("UPDATE segments SET payloads = x'7a00'")
        response = await gateway.client.get(f"/v1/runs/{run.id}")
        assert response.status_code == 503
        assert "damaged" in response.json()["error"]["message"]


async def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "folder" / "log.db")
    await store.open()
    run = await created(store)
    await write(store, run, "a")
    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "folder").iterdir()}
    assert (tmp_path / "folder").stat().st_mode & 0o077 == 0
    await store.close()
    assert set(modes.values()) == {0}


async def test_who_is_alone_ends_the_leases_of_the_dead(tmp_path: Path) -> None:
    first = SQLiteStore(tmp_path / "log.db")
    await first.open()
    run = await created(first)
    beside = SQLiteStore(tmp_path / "log.db")
    await beside.open()
    assert await beside.stale(time.time()) == []
    await first.close()
    await beside.close()
    alone = SQLiteStore(tmp_path / "log.db")
    await alone.open()
    assert [stale.id for stale in await alone.stale(time.time())] == [run.id]
    await alone.close()


async def test_a_power_cut_safe_log_works_too(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "log.db", full_sync=True)
    await store.open()
    run = await created(store)
    await write(store, run, "a")
    assert store._connections["write"].execute("PRAGMA synchronous").fetchone() == (2,)
    assert await texts(store, run) == ["a"]
    await store.close()


def test_a_batch_is_small_and_comes_back_as_it_was() -> None:
    chunks = [word_chunk(f"word{number} ") for number in range(32)]
    assert unpack(pack(chunks)) == chunks
    assert len(pack(chunks)) < 32 * 20
    for odd in ([], [""], ["\x00", "é\ud7ff", "x" * 10]):
        assert unpack(pack(odd)) == odd
    for damaged in (b"", b"z\x00", b"j{}", b"j[1]", b"jx"):
        with pytest.raises(ValueError):
            unpack(damaged)
