"""Trouble with the store while a run is written.

Full disks, outages, lost replies, writers that come back.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from midstream.errors import StoreError
from midstream.gateway.config import Limits
from midstream.gateway.http.requests import OWNER
from midstream.gateway.runs.readers import Readers
from midstream.gateway.store.interface import LEASE, PAGE, Page
from midstream.gateway.store.memory import MemoryRunStore
from midstream.gateway.store.packing import pack, unpack
from midstream.gateway.store.presence import Presence
from midstream.gateway.store.sqlite import SQLiteRunStore
from midstream.gateway.store.wakeups import Wakeups
from midstream.gateway.upstream.http_client import HttpUpstream
from tests.gateway.live import FINISH, PlayedUpstream, in_process, live, text_of, word_chunk
from tests.gateway.support import created, eventually, texts, write
from tests.support.proxy import Proxy

pytestmark = [pytest.mark.anyio, pytest.mark.full_run(reason="waits for leases, outages and slow readers")]


class FlakyStore(MemoryRunStore):
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
    store = MemoryRunStore()
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

SECOND_VERSION = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    conversation TEXT,
    key TEXT,
    fingerprint TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt TEXT NOT NULL,
    stream INTEGER NOT NULL,
    state TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    head INTEGER NOT NULL,
    lease REAL NOT NULL,
    attended REAL NOT NULL,
    cancelling INTEGER NOT NULL,
    created REAL NOT NULL,
    started REAL NOT NULL,
    updated REAL NOT NULL,
    purged INTEGER NOT NULL,
    request BLOB,
    writer TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX runs_key ON runs (owner, key) WHERE key IS NOT NULL;
CREATE INDEX runs_conversation ON runs (owner, conversation, created);
CREATE INDEX runs_live ON runs (lease) WHERE state = 'live';
CREATE TABLE segments (
    run TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    payloads BLOB NOT NULL,
    PRIMARY KEY (run, first)
) WITHOUT ROWID
"""
SECOND_VERSION_RUN = "?, 'me', 'c', null, 'f', 'm', ?, 1, 'completed', 1, 3, 9, 9, 0, 9, 9, 9, 0, ?, ''"


async def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    store = SQLiteRunStore(tmp_path / "log.db")
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
        await SQLiteRunStore(path).open()


async def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    store = SQLiteRunStore(path)
    await store.open()
    run = await created(store, lease=time.time() + LEASE)
    await store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE runs DROP COLUMN writer")
        connection.execute("ALTER TABLE runs ADD COLUMN request BLOB")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    beside = Presence(tmp_path / "log.db-alive")  # not alone: whose run it is, nobody knows
    with beside.enter():
        pass
    await store.open()
    assert await store.get(run.id) == run
    assert await store.stale(time.time()) == []
    assert await store.stale(time.time() + 2 * LEASE) == [run]
    await store.close()
    beside.leave()


async def test_the_requests_that_the_second_version_kept_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    path.write_bytes(b"")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        for statement in SECOND_VERSION.split(";"):
            connection.execute(statement)
        for size, run in enumerate(("0" * 32, "1" * 32), 1):  # in its row, and on pages of its own
            request = b"an old secret " * size * size * 300
            values = [run, "the question", request]
            connection.execute(f"INSERT INTO runs VALUES ({SECOND_VERSION_RUN})", values)
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    before = path.read_bytes()
    store = SQLiteRunStore(path)
    await store.open()
    old = await store.get("0" * 32)
    assert old is not None
    assert (old.prompt, old.state, old.head) == ("the question", "completed", 3)
    await created(store)
    await store.close()
    after = path.read_bytes()
    assert b"an old secret" in before
    assert b"an old secret" not in after
    assert b"the question" in after
    assert len(after) < len(before)


async def test_the_marks_of_the_dead_are_tidied_away(tmp_path: Path) -> None:
    (tmp_path / "log.db-alive-0123456789abcdef").touch()
    (tmp_path / "log.db-other").touch()
    first, second = SQLiteRunStore(tmp_path / "log.db"), SQLiteRunStore(tmp_path / "log.db")
    await first.open()
    await second.open()
    marks = [path for path in tmp_path.iterdir() if "-alive-" in path.name]
    assert len(marks) == 2
    await first.close()
    await second.close()
    assert {path.name for path in tmp_path.iterdir()} == {
        "log.db",
        "log.db-alive",
        "log.db-other",
    }


async def test_a_damaged_segment_is_an_error_not_a_hole(tmp_path: Path) -> None:
    store = SQLiteRunStore(tmp_path / "log.db")
    async with in_process(store=store) as gateway:
        run = await created(store, owner=OWNER)
        await write(store, run, "a", "b", end="completed")
        store._connections["write"].execute("UPDATE segments SET payloads = x'7a00'")
        response = await gateway.client.get(f"/v1/runs/{run.id}")
        assert response.status_code == 503
        assert "damaged" in response.json()["error"]["message"]


async def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    store = SQLiteRunStore(tmp_path / "folder" / "log.db")
    await store.open()
    run = await created(store)
    await write(store, run, "a")
    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "folder").iterdir()}
    assert (tmp_path / "folder").stat().st_mode & 0o077 == 0
    await store.close()
    assert set(modes.values()) == {0}


async def test_who_is_alone_ends_the_leases_of_the_dead(tmp_path: Path) -> None:
    first = SQLiteRunStore(tmp_path / "log.db")
    await first.open()
    run = await created(first)
    beside = SQLiteRunStore(tmp_path / "log.db")
    await beside.open()
    assert await beside.stale(time.time()) == []
    await first.close()
    await beside.close()
    alone = SQLiteRunStore(tmp_path / "log.db")
    await alone.open()
    assert [stale.id for stale in await alone.stale(time.time())] == [run.id]
    await alone.close()


async def test_a_power_cut_safe_log_works_too(tmp_path: Path) -> None:
    store = SQLiteRunStore(tmp_path / "log.db", full_sync=True)
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
    for odd in ([], [""], ["\x00", "é\ud800", "x" * 10]):
        assert unpack(pack(odd)) == odd
    for damaged in (b"", b"z\x00", b"j{}", b"j[1]", b"jx"):
        with pytest.raises(ValueError):
            unpack(damaged)


class DeafStore(MemoryRunStore):
    """Never wakes anybody."""

    def __init__(self) -> None:
        super().__init__()
        self._wakeups = Wakeups()
        self._wakeups.notify = lambda topic: None  # type: ignore[method-assign]


async def test_a_lost_wake_up_costs_time_not_text() -> None:
    async with (
        live(store=DeafStore(), limits={"heartbeat": 0.1}) as gateway,
        gateway.following() as stream,
    ):
        answer = gateway.upstream.answers[0]
        answer.say("a ")
        assert text_of(await stream.take(1)) == "a "
        answer.say("b ")
        answer.finish()
        assert text_of(await stream.rest()) == "b "


class SlowReadStore(MemoryRunStore):
    """Takes a moment for each read, as a store behind a thread or a network does."""

    reads = 0

    async def read(self, run_id: str, after: int, limit: int = PAGE) -> Page | None:
        self.reads += 1
        page = await super().read(run_id, after, limit)
        await asyncio.sleep(0.002)
        return page


async def test_every_reader_is_woken_while_another_asks_the_store() -> None:
    store = SlowReadStore()
    async with live(store=store) as gateway, gateway.following() as poster:
        answer = gateway.upstream.answers[0]
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(gateway.following(poster.run)) for _ in range(8)]
            store.reads = 0
            for number in range(30):
                answer.say(f"{number} ")
                for stream in streams:  # at once: a heartbeat, which asks again, is 10 s away
                    (message,) = await asyncio.wait_for(stream.take(1), 5)
                    assert text_of([message]) == f"{number} "
            assert store.reads < 30 * 4  # not one for each reader
        answer.finish()
        await poster.rest()


class HeldStore(MemoryRunStore):
    """Its reads wait for `gate`; `asking` is the task that waits."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.asking: asyncio.Task[object] | None = None

    def forget(self) -> None:
        self.asking = None

    def asks(self) -> bool:
        return self.asking is not None

    async def read(self, run_id: str, after: int, limit: int = PAGE) -> Page | None:
        self.asking = asyncio.current_task()
        await self.gate.wait()
        return await super().read(run_id, after, limit)


async def test_a_reader_that_leaves_while_it_asks_takes_no_wake_up_along() -> None:
    store = HeldStore()
    readers = Readers(store, Limits())
    run = await created(store)
    await write(store, run, "a")
    seen: dict[str, list[str]] = {"one": [], "two": []}

    async def follow(name: str) -> None:
        async for page in readers.pages(run.id, 0):
            assert page is not None
            seen[name] += [entry.payload for entry in page.entries]

    tasks = {name: asyncio.create_task(follow(name)) for name in seen}

    async def everybody_waits() -> bool:
        return all(texts == ["a"] for texts in seen.values()) and len(readers._waiting) == 2

    await eventually(everybody_waits, "first entry")
    store.gate.clear()
    store.forget()
    await write(store, run, "b", end="completed")

    async def asked() -> bool:
        return store.asks()

    await eventually(asked, "question")
    gone = store.asking
    assert gone is not None
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    store.gate.set()
    (stayed,) = [name for name, task in tasks.items() if task is not gone]
    await asyncio.wait_for(tasks[stayed], 5)
    assert seen[stayed] == ["a", "b"]


async def test_no_more_streams_than_allowed() -> None:
    async with (
        live(limits={"readers": 2}) as gateway,
        gateway.following() as stream,
        gateway.following(stream.run),
    ):
        response = await gateway.client.get(f"/v1/runs/{stream.run}/events")
        assert response.status_code == 429
        assert response.json()["error"]["code"] == "too_many_readers"


async def test_our_own_mistakes_are_logged_without_what_somebody_wrote(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    upstream = PlayedUpstream()
    upstream.script(RuntimeError("canary"))
    async with in_process(store=MemoryRunStore(), upstream=upstream) as gateway:
        response = await gateway.post(text="canary")
        assert response.status_code == 500
        assert "canary" not in response.text
    assert "RuntimeError" in caplog.text
    assert "canary" not in caplog.text


# -- the way to the upstream breaks


@pytest.fixture
async def far_upstream() -> AsyncIterator[tuple[Proxy, PlayedUpstream]]:
    """A gateway behind a proxy, as the upstream of another."""
    async with live(hosts=("127.0.0.1",), limits={"first_word": 0.0}) as far:
        with Proxy(far.client.base_url.port or 0) as proxy:
            yield proxy, far.upstream


@pytest.mark.parametrize(
    ("trouble", "state", "words"),
    [
        ("abort", "interrupted", "closed the connection in the middle"),
        ("stall", "interrupted", "sent nothing for"),
    ],
)
async def test_an_upstream_that_is_lost_in_the_middle(
    far_upstream: tuple[Proxy, PlayedUpstream], trouble: str, state: str, words: str
) -> None:
    proxy, played = far_upstream
    limits = Limits(silence=0.5)
    upstream = HttpUpstream(f"{proxy.url}v1", limits=limits)
    async with live(upstream=upstream, limits={"first_word": 1.0}) as gateway:
        posting = asyncio.create_task(gateway.post())

        async def begun() -> bool:
            return bool(played.answers)

        await eventually(begun, "request")
        played.answers[0].say("kept ")

        async def forwarded() -> bool:
            return b"kept" in proxy.tail

        await eventually(forwarded, "first word")
        getattr(proxy, trouble)()
        response = await posting
        found = await gateway.snapshot(response.headers["midstream-run"])
        proxy.resume()
    assert (found["state"], found["text"]) == (state, "kept ")
    assert words in found["error"]["message"]


async def test_an_upstream_that_refuses_connections(
    far_upstream: tuple[Proxy, PlayedUpstream],
) -> None:
    proxy, played = far_upstream
    proxy.refuse()
    far = HttpUpstream(f"{proxy.url}v1")
    # What comes too late for a status is a terminal event, and a busy machine takes its time.
    async with in_process(upstream=far, limits={"first_word": 10.0}) as gateway:
        response = await gateway.post(key="k")
        assert response.status_code == 502
        assert "cannot be reached" in response.json()["error"]["message"]
        proxy.accept()
        played.script(word_chunk("a"), FINISH, None)
        assert (await gateway.post(key="k")).status_code == 200


# -- the sweeper


async def test_a_living_writer_in_this_process_is_never_swept() -> None:
    """Its lease may be over when the machine has slept."""
    store = MemoryRunStore()
    async with live(store=store) as gateway, gateway.following() as stream:
        await store.renew(stream.run, 1, time.time() - 100)
        other = await created(store, owner=OWNER, lease=time.time() - 100)
        found = await gateway.ended(other.id)
        assert found["state"] == "interrupted"
        assert (await gateway.snapshot(stream.run))["state"] == "live"
        gateway.upstream.answers[0].finish()
        await stream.rest()
