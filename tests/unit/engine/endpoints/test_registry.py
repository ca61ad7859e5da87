"""Endpoints of one's own and their keys; what is in the way of one that does not work."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from midstream.engine.app import Engine
from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.endpoints.http_errors import unreachable
from midstream.engine.endpoints.keyed_net import KeyedNet
from midstream.engine.endpoints.probe import probe
from midstream.engine.ports.host import Host, Message
from midstream.engine.ports.keys import Keys
from midstream.engine.transfer import archive
from midstream.journal import MemoryStore
from tests.support.httpnet import HttpNet
from tests.support.processes import free_port
from tests.support.servers.answering import server

GIVEN = {
    "endpoints": [
        {"name": "Gateway", "kind": "gateway", "url": ""},
        {"name": "Demo", "kind": "demo"},
    ],
    "default": "Gateway",
}
MINE = {"name": "Mine", "url": "https://mine.test/v1/", "model": "m", "kind": "openai"}
BASE = "https://mine.test/v1"


class Refusing:
    """A browser that says only that a request failed."""

    def __init__(self, *, reached: bool = False, forbidden: bool = False) -> None:
        self.reached, self.forbidden = reached, forbidden

    def absolute(self, url: str) -> str:
        return url

    async def reach(self, url: str) -> None:
        if not self.reached:
            raise unreachable(url, "Failed to fetch")

    async def denied(self) -> bool:
        return self.forbidden

    async def open(self, method: str, url: str, *_: Any) -> Any:
        raise unreachable(url, "Failed to fetch")


class Desk:
    """An engine and what it tells its screen."""

    def __init__(self, store: MemoryStore) -> None:
        self.said: list[Message] = []
        self.keys = Keys()
        self.host = Host(
            store=store,
            net=Refusing(),
            post=self.said.append,
            now=lambda: 1.0,
            new_id=lambda: "id",
            lock=lambda name: asyncio.Lock(),
            keys=self.keys,
        )
        self.engine = Engine(self.host)

    async def begin(self, **session: str) -> Desk:
        await self.engine.start()
        await self.engine.handle({"type": "keys", "keys": session})
        self.engine.configure(GIVEN)
        return self

    async def does(self, type: str, **intent: Any) -> Desk:
        await self.engine.handle({"type": f"endpoint-{type}", **intent})
        return self

    @property
    def listed(self) -> Message:
        return [message for message in self.said if message["type"] == "endpoints"][-1]

    @property
    def chosen(self) -> str:
        return str([message for message in self.said if message["type"] == "endpoint"][-1]["name"])


def run(scenario: Callable[[MemoryStore], Awaitable[None]]) -> None:
    async def whole() -> None:
        await scenario(MemoryStore())

    asyncio.run(whole())


def test_an_added_endpoint_is_chosen_and_there_after_a_reload() -> None:
    async def scenario(store: MemoryStore) -> None:
        desk = await Desk(store).begin()
        assert desk.chosen == "Gateway"
        await desk.does("add", endpoint=MINE)
        assert desk.chosen == desk.listed["chosen"] == "Mine"
        again = await Desk(store).begin()
        assert again.chosen == "Mine"
        assert [item["name"] for item in again.listed["items"]] == ["Gateway", "Demo", "Mine"]
        assert [item["own"] for item in again.listed["items"]] == [False, False, True]
        await again.does("choose", name="Demo")
        assert (await Desk(store).begin()).chosen == "Demo"
        await again.does("choose", name="Mine")
        await again.does("remove", name="Mine")
        assert (await Desk(store).begin()).chosen == "Gateway"

    run(scenario)


@pytest.mark.parametrize("keep", ["session", "device"])
def test_a_key_goes_to_its_endpoint_and_nowhere_else(keep: str) -> None:
    async def scenario(store: MemoryStore) -> None:
        desk = await Desk(store).begin()
        secret = "sk-a-secret-of-mine-0042"
        await desk.does("add", endpoint=MINE, key=secret, keep=keep)
        bearer = {"authorization": f"Bearer {secret}"}
        assert desk.keys.headers(f"{BASE}/chat/completions") == bearer
        for url in (
            "https://mine.test/v2/models",
            "https://mine.test.evil/v1/x",
            "https://mine.test/v10",
            "v1/models",
        ):
            assert desk.keys.headers(url) == {}
        item = desk.listed["items"][-1]
        assert (item["key"], item["keep"]) == ("…0042", keep)
        assert secret not in json.dumps(desk.said)
        assert secret not in archive.encode(await archive.everything(store))
        again = await Desk(store).begin()
        assert again.keys.headers(f"{BASE}/models") == (bearer if keep == "device" else {})
        told = await Desk(store).begin(**{BASE: secret})
        assert told.keys.headers(f"{BASE}/models") == bearer
        await told.does("remove", name="Mine")
        assert told.keys.headers(f"{BASE}/models") == {}
        assert secret not in json.dumps(list(store._stores["settings"].values()))

    run(scenario)


def test_a_key_that_moves_to_the_tab_leaves_the_device() -> None:
    async def scenario(store: MemoryStore) -> None:
        desk = await Desk(store).begin()
        await desk.does("add", endpoint=MINE, key="secret", keep="device")
        await desk.does("add", endpoint=MINE, key="secret", keep="session")
        assert "secret" not in json.dumps(list(store._stores["settings"].values()))
        assert desk.listed["items"][-1]["key"] == "…"  # too short to show any of it

    run(scenario)


@pytest.mark.parametrize(
    "endpoint",
    [
        {},
        {"name": "x"},
        {"url": BASE},
        {"name": "x" * 3000, "url": BASE},
        "https://mine.test",
        None,
    ],
)
def test_what_is_no_endpoint_is_not_added(endpoint: Any) -> None:
    async def scenario(store: MemoryStore) -> None:
        desk = await Desk(store).begin()
        await desk.does("add", endpoint=endpoint)
        assert desk.said[-1]["type"] == "notice"
        assert (await Desk(store).begin()).chosen == "Gateway"

    run(scenario)


def test_a_name_of_the_host_s_stays_its_own() -> None:
    async def scenario(store: MemoryStore) -> None:
        desk = await Desk(store).begin()
        await desk.does("add", endpoint=MINE | {"name": "Demo"})
        assert desk.chosen == "Demo (2)"

    run(scenario)


@pytest.mark.parametrize("record", [None, {"own": 5}, {"own": [None, 7, {"name": 1}], "chosen": ["x"]}])
def test_a_damaged_record_of_them_is_no_reason_to_stop(record: Any) -> None:
    async def scenario(store: MemoryStore) -> None:
        if record:
            store._stores["settings"]["endpoints"] = {"id": "endpoints", **record}
        assert (await Desk(store).begin()).chosen == "Gateway"

    run(scenario)


# The key on the wire, and what a test finds


@asynccontextmanager
async def closing(net: HttpNet) -> AsyncIterator[HttpNet]:
    yield net
    await net.close()


def test_requests_carry_the_key_once_the_screen_has_told_it() -> None:
    seen: list[str | None] = []

    async def scenario(url: str) -> None:
        keys = Keys()
        async with closing(HttpNet(url)) as net:
            asking = asyncio.ensure_future(KeyedNet(net, keys).open("GET", f"{url}/models", {}))
            await asyncio.sleep(0)
            keys.receive({url: "secret"})
            response = await asking
            assert json.loads(await response.read()) == {}

    with server(200, {}, seen) as url:
        asyncio.run(scenario(url))
    assert seen == ["Bearer secret"]


MODELS = {"data": [{"id": "small"}, {"id": "large"}]}


@pytest.mark.parametrize(
    ("status", "body", "model", "code"),
    [
        (200, MODELS, "", "ok"),
        (200, MODELS, "large", "ok"),
        (200, MODELS, "huge", "model"),
        (200, {"data": []}, "", "models"),
        (200, b"<!doctype html>", "", "models"),
        (401, {"error": {"message": "no such key"}}, "", "key"),
        (403, {"error": "not you"}, "", "key"),
        (404, b"not found", "", "path"),
        (503, {"error": {"message": "starting"}}, "", "status"),
    ],
)
def test_the_verdict_on_an_answer(status: int, body: Any, model: str, code: str) -> None:
    seen: list[str | None] = []

    async def scenario(url: str) -> None:
        endpoint = Endpoint("-", "openai", url, model)
        async with closing(HttpNet(url)) as net:
            verdict = await probe(endpoint, "secret", net, online=False)
        assert verdict.code == code
        assert verdict.host == url.split("/")[2]
        if code in ("ok", "model"):
            assert verdict.models == ["small", "large"]
        if code == "key":
            assert verdict.status == status
        if status != 200:
            assert verdict.problem and verdict.problem["quote"] in json.dumps(str(body))

    with server(status, body, seen) as url:
        asyncio.run(scenario(url))
    assert seen == ["Bearer secret"]


@pytest.mark.parametrize(
    ("url", "online", "reached", "forbidden", "code"),
    [
        ("mine", True, False, False, "url"),
        ("ftp://mine.test/v1", True, False, False, "url"),
        ("https://me:secret@mine.test/v1", True, False, False, "url"),
        ("http://192.168.1.7:11434/v1", True, False, False, "insecure"),
        ("https://mine.test/v1", False, False, False, "offline"),
        ("https://mine.test/v1", True, False, True, "permission"),
        ("https://mine.test/v1", True, False, False, "nobody"),
        ("https://mine.test/v1", True, True, False, "cors"),
        ("http://localhost:1/v1", False, False, False, "nobody"),
    ],
)
def test_the_verdict_where_nothing_can_be_read(
    url: str, online: bool, reached: bool, forbidden: bool, code: str
) -> None:
    async def scenario() -> None:
        net = Refusing(reached=reached, forbidden=forbidden)
        verdict = await probe(Endpoint("-", "openai", url), "", net, online=online)
        assert verdict.code == code

    asyncio.run(scenario())


def test_nobody_listens() -> None:
    async def scenario() -> None:
        url = f"http://127.0.0.1:{free_port()}/v1"
        async with closing(HttpNet(url)) as net:
            verdict = await probe(Endpoint("-", "openai", url), "", net, online=True)
            assert verdict.code == "nobody"

    asyncio.run(scenario())
