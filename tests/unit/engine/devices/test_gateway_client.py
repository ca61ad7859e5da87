"""A gateway that is not there, or says what makes no sense, as device_sync.py asks it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import pytest

from midstream.engine.devices import gateway_client
from midstream.engine.devices.device_sync import listed, missing
from midstream.engine.endpoints.endpoints import Endpoint
from midstream.errors import UpstreamError
from midstream.journal import MemoryStore, Record
from tests.support.httpnet import HttpNet

GATEWAY = Endpoint("Gateway", "gateway", "v1", "replay")
NOW = 4_000_000_000_000


def test_a_gateway_that_is_not_there_is_said() -> None:
    async def scenario() -> None:
        net = HttpNet("http://127.0.0.1:9")
        for asked in (listed(net, "v1"), missing(net, GATEWAY, "c", MemoryStore(), NOW)):
            with pytest.raises(UpstreamError):
                await asked
        await net.close()

    asyncio.run(scenario())


class Foreign:
    """A server that says something else: a Net that answers every request alike."""

    def __init__(self, body: bytes, status: int = 200) -> None:
        self.status = status
        self.headers: Mapping[str, str] = {}
        self._body = body

    async def open(self, method: str, url: str, headers: Mapping[str, str], body: str | None = None) -> Foreign:
        return self

    async def read(self) -> bytes:
        piece, self._body = self._body[:1000], self._body[1000:]
        return piece

    def close(self) -> None: ...

    def absolute(self, url: str) -> str:
        return url

    async def reach(self, url: str) -> None: ...

    async def denied(self) -> bool:
        return False


class Endless(Foreign):
    """A list of so many runs, in pages; one of None never ends."""

    def __init__(self, count: int | None) -> None:
        super().__init__(b"")
        self.count = count
        self.asked: list[str] = []

    async def open(self, method: str, url: str, headers: Mapping[str, str], body: str | None = None) -> Foreign:
        self.asked.append(url)
        first = int(url.partition("&after=")[2] or "-1", 16) + 1
        end = first + gateway_client.RUNS_AT_ONCE
        runs = [ENTRY | {"id": f"{n:032x}"} for n in range(first, end if self.count is None else min(end, self.count))]
        return Foreign(json.dumps({"runs": runs, "has_more": self.count is None or end < self.count}).encode())


@pytest.mark.parametrize(("count", "found", "requests"), [(0, 0, 1), (50, 50, 1), (120, 120, 3), (None, 5000, 100)])
def test_a_long_list_is_read_in_pages_but_not_for_ever(count: int | None, found: int, requests: int) -> None:
    net = Endless(count)
    runs = asyncio.run(gateway_client.runs(net, "v1", "c", NOW))
    assert [run.id for run in runs] == [f"{n:032x}" for n in range(found)]
    assert len(net.asked) == requests


ENTRY: Record = {"id": "0" * 32, "key": "q.a.0", "prompt": "", "model": "", "created": 1.0}
ENTRY |= {"updated": 2.0, "state": "live", "head": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html>",
        b"[" * 100_000,
        b"[]",
        b"null",
        b'{"data": {}, "runs": 3}',
        b'{"data": [3], "runs": [3]}',
        b'{"data": [{}], "runs": [{}]}',
        json.dumps(
            {
                "data": [{"id": "../x", "title": "", "updated": 1, "active": None}],
                "runs": [ENTRY | {"id": "../x"}],
            }
        ).encode(),
        json.dumps(
            {
                "data": [{"id": "x", "title": 3, "updated": 1, "active": None}],
                "runs": [ENTRY | {"prompt": ["x"]}],
            }
        ).encode(),
        json.dumps(
            {
                "data": [{"id": "x", "title": "", "updated": 1e400, "active": None}],
                "runs": [ENTRY | {"created": "soon"}],
            }
        ).encode(),
        json.dumps(
            {
                "data": [{"id": "x", "title": "", "updated": float("nan"), "active": None}],
                "runs": [ENTRY | {"updated": float("nan"), "state": "completed"}],
            }
        ).encode(),
        b'{"data": [' + b" " * 30_000 + b'], "runs": []}',
    ],
)
def test_what_makes_no_sense_is_refused_in_words(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_client, "BODY_BYTES", 20_000 if b"    " in body else 1 << 20)

    async def scenario() -> None:
        store = MemoryStore()
        for asked in (
            listed(Foreign(body), "v1"),
            missing(Foreign(body), GATEWAY, "c", store, NOW),
        ):
            with pytest.raises(UpstreamError) as refused:
                await asked
            assert "gateway" in str(refused.value)
        assert await store.conversations() == []

    asyncio.run(scenario())


def test_an_error_of_the_gateway_is_repeated() -> None:
    async def scenario() -> None:
        body = b'{"error": {"message": "The run log is full."}}'
        with pytest.raises(UpstreamError, match="The run log is full"):
            await listed(Foreign(body, 503), "v1")
        with pytest.raises(UpstreamError, match=r"refused \(500\)"):
            await missing(Foreign(b"oops", 500), GATEWAY, "c", MemoryStore(), NOW)

    asyncio.run(scenario())


@pytest.mark.parametrize("state", ["live", "completed"])
def test_an_answer_counts_its_time_from_its_beginning(state: str) -> None:
    async def scenario() -> None:
        body = json.dumps({"runs": [ENTRY | {"state": state, "created": 5.0, "updated": 7.5}]})
        store = MemoryStore()
        change = await missing(Foreign(body.encode()), GATEWAY, "c", store, NOW)
        assert change is not None
        await store.commit(change)
        (question, answer) = await store.messages("c")
        assert question["created"] == answer["created"] == 5000
        if state == "live":
            assert (answer["runs"][0]["began"], answer["runs"][0]["before"]) == (5000, 0)
        assert answer.get("seconds") == (None if state == "live" else 2.5)

    asyncio.run(scenario())
