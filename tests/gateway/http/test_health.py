"""/healthz: ok only when an answer could be stored now. With disks, limits and servers that really are full."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from midstream.gateway.store.factory import make_store
from midstream.gateway.store.interface import RunStore
from midstream.gateway.store.memory import MemoryRunStore
from midstream.gateway.store.sqlite import SQLiteRunStore
from tests.gateway.live import Gateway, in_process

pytestmark = pytest.mark.anyio


async def test_asking_leaves_nothing_behind(store: RunStore, store_spec: str, request: pytest.FixtureRequest) -> None:
    async with in_process(store=store) as gateway:
        for _ in range(3):
            assert (await gateway.client.get("/healthz")).json() == {"status": "ok"}
        if store_spec.startswith("sqlite:"):
            path = Path(store_spec.removeprefix("sqlite:"))
            assert [file.name for file in path.parent.iterdir() if "check" in file.name] == []
            with contextlib.closing(sqlite3.connect(path)) as db:
                assert db.execute("SELECT count(*) FROM segments").fetchone() == (0,)
        if store_spec.startswith("unix:"):
            with redis.Redis(unix_socket_path=str(request.getfixturevalue("redis_socket"))) as client:
                assert client.keys("*check*") == []


async def test_those_who_ask_at_once_share_one_look() -> None:
    class Slow(MemoryRunStore):
        looks = 0
        going_on = asyncio.Event()

        async def check(self) -> None:
            self.looks += 1
            await self.going_on.wait()

    store = Slow()
    async with in_process(store=store) as gateway:
        asking = [asyncio.create_task(gateway.client.get("/healthz")) for _ in range(20)]
        while not store.looks:
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        store.going_on.set()
        assert {response.status_code for response in await asyncio.gather(*asking)} == {200}
        assert store.looks == 1


async def unhealthy(gateway: Gateway, words: str, *private: object) -> None:
    """Both for who watches it and for who asks a question: 503, in words, without a place."""
    for response in (await gateway.client.get("/healthz"), await gateway.post(text="x" * 300_000)):
        assert response.status_code == 503
        message = response.json()["error"]["message"]
        assert words in message
        assert "/" not in message
        assert not [place for place in private if str(place) in response.text]
    assert gateway.upstream.requests == []


async def healthy_again(gateway: Gateway) -> None:
    assert (await gateway.client.get("/healthz")).status_code == 200


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this user may mount nothing; the test with RLIMIT_FSIZE below needs no right")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


async def test_a_disk_without_room(small_disk: Path) -> None:
    async with in_process(store=SQLiteRunStore(small_disk / "log.db")) as gateway:
        await healthy_again(gateway)
        filler = small_disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        await unhealthy(gateway, "its disk is full", small_disk, "log.db")
        filler.unlink()
        await healthy_again(gateway)


async def test_files_that_may_not_grow(tmp_path: Path) -> None:
    """RLIMIT_FSIZE: no disk is full here, but no file may become longer."""
    async with in_process(store=SQLiteRunStore(tmp_path / "log.db")) as gateway:
        await healthy_again(gateway)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, hard))
        try:
            response = await gateway.client.get("/healthz")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert response.status_code == 503
        assert "disk is full" in response.json()["error"]["message"]
        assert str(tmp_path) not in response.text
        await healthy_again(gateway)


@pytest.mark.parametrize(
    ("harm", "cure", "words"),
    [
        ("max_page_count = 1", "max_page_count = 1000000", "its disk is full"),
        ("query_only = ON", "query_only = OFF", "it is read-only"),
    ],
)
async def test_a_log_that_takes_nothing(tmp_path: Path, harm: str, cure: str, words: str) -> None:
    """SQLite's own limits (`max_page_count`, `query_only`): the disk itself is well."""
    store = SQLiteRunStore(tmp_path / "log.db")
    async with in_process(store=store) as gateway:
        store._connections["write"].execute(f"PRAGMA {harm}")
        await unhealthy(gateway, words, tmp_path)
        store._connections["write"].execute(f"PRAGMA {cure}")
        await healthy_again(gateway)


def full(client: redis.Redis) -> Callable[[], object]:
    client.config_set("maxmemory", 1)
    return lambda: client.config_set("maxmemory", 0)


def read_only(client: redis.Redis) -> Callable[[], object]:
    client.replicaof("127.0.0.1", "1")  # nobody is there
    return lambda: client.replicaof("NO", "ONE")


@pytest.mark.parametrize(("harm", "words"), [(full, "it is full"), (read_only, "it is read-only")])
async def test_a_redis_that_takes_nothing(
    redis_url: str, redis_socket: Path, harm: Callable[[redis.Redis], Callable[[], object]], words: str
) -> None:
    async with in_process(store=make_store(redis_url)) as gateway:
        with redis.Redis(unix_socket_path=str(redis_socket)) as client:
            cure = harm(client)
            try:
                await unhealthy(gateway, words, redis_socket)
            finally:
                cure()
        await healthy_again(gateway)


async def test_an_error_without_known_words_shows_none(tmp_path: Path) -> None:
    store = SQLiteRunStore(tmp_path / "log.db")
    async with in_process(store=store) as gateway:
        store._connections["write"].execute("DROP TABLE segments")
        response = await gateway.client.get("/healthz")
    assert response.status_code == 503
    assert response.json()["error"]["message"].startswith("The server cannot use its log of answers.")
    assert "segments" not in response.text
