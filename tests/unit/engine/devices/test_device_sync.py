"""What a second device makes of the gateway's list: engine/devices/device_sync.py before a real gateway.

A *device* is a store of its own; the gateway is the only thing that two of them share.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from midstream import sse
from midstream.engine import conversation_intents
from midstream.engine.app import Engine
from midstream.engine.devices.device_sync import DeviceSync, listed, missing
from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.ports.host import Host, Message
from midstream.journal import Change, MemoryStore, Record, Row, text
from midstream.markdown import Parser
from tests.support.gate import Gate, Model
from tests.support.httpnet import HttpNet
from tests.support.processes import replay, serve
from tests.unit.engine.support import until

WORDS = "".join(f"word{number} of *many*\n\n" for number in range(40))
pytestmark = pytest.mark.full_run(reason="a model's server and a gateway start beside it")
GATEWAY = Endpoint("Gateway", "gateway", "v1", "replay")
NOW = 4_000_000_000_000  # ahead of every clock here
names = (f"talk-{number}" for number in itertools.count())


@dataclass(frozen=True)
class Place:
    url: str
    gate: Gate


class Net(HttpNet):
    """To a gateway whose model can be held."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.url)
        self.gate = place.gate


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("roaming")
    (directory / "answer.md").write_text(WORDS)
    (directory / "index.html").write_text("<!doctype html><title>screen</title>")
    with replay(directory / "answer.md", rate=600, chunk=4) as upstream, ExitStack() as exit:
        model = Model(upstream, exit)
        model.gate.open()
        options = ["--upstream", model.url, "--store", f"sqlite:{directory / 'log.db'}"]
        with serve(*options, "--dist", str(directory)) as running:
            yield Place(running.url, model.gate)


def run(scenario: Callable[[Net], Awaitable[None]], gateway: Place) -> None:
    async def with_net() -> None:
        net = Net(gateway)
        try:
            await scenario(net)
        finally:
            await net.close()

    asyncio.run(with_net())


async def post(net: Net, conversation: str, key: str | None, words: str, read: int = 3) -> str:
    """One run, begun by a device or program of which only this request is known; its id. `read`:
    how many events are read before it is cancelled; the model writes few more until then."""
    net.gate.allow(read + 10)
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": words}]}
    headers = {"content-type": "application/json", "midstream-conversation": conversation}
    headers |= {"idempotency-key": key} if key else {}
    response = await net.open("POST", "v1/chat/completions", headers, json.dumps(body))
    assert response.status == 200, await response.read()
    decoder, seen, name = sse.Decoder(), 0, response.headers["midstream-run"]
    while seen < read and (chunk := await response.read()):
        seen += len(decoder.feed(chunk))
    response.close()
    (await net.open("POST", f"v1/runs/{name}/cancel", {})).close()
    net.gate.open()
    return name


async def said(net: Net, name: str) -> str:
    response = await net.open("GET", f"v1/runs/{name}", {})
    body = b""
    while chunk := await response.read():
        body += chunk
    return str(json.loads(body)["text"])


async def take_over(net: Net, conversation: str, store: MemoryStore) -> Change | None:
    change = await missing(net, GATEWAY, conversation, store, NOW)
    if change:
        await store.commit(change)
    return change


class Device:
    """An engine with a store of its own."""

    def __init__(self, net: Net, store: MemoryStore) -> None:
        self.store = store
        self.messages: list[Message] = []
        ids = (f"{id(self)}-{number}" for number in itertools.count())
        locks: dict[str, asyncio.Lock] = {}

        @asynccontextmanager
        async def lock(name: str) -> AsyncIterator[None]:
            async with locks.setdefault(name, asyncio.Lock()):
                yield

        host = Host(store, net, self.messages.append, time.time, lambda: next(ids), lock)
        self.engine = Engine(host)

    async def begin(self) -> None:
        await self.engine.start()
        entry = {"name": "Gateway", "kind": "gateway", "url": "v1", "model": "replay"}
        self.engine.configure({"endpoints": [entry]})

    async def answers(self, conversation: str) -> list[Record]:
        records = await self.store.messages(conversation)
        return [record for record in records if record["author"] == "assistant"]

    async def until(self, conversation: str, condition: Callable[[Record], object]) -> Record:
        """The newest answer, once `condition` holds of it."""
        async with asyncio.timeout(30):
            while not condition((await self.answers(conversation))[-1]):
                await asyncio.sleep(0.005)
        return (await self.answers(conversation))[-1]

    async def text(self, answer: Record) -> str:
        return text(map(Row.from_record, await self.store.rows(answer["id"])))


def shape(record: Record) -> tuple[Any, ...]:
    asked = record.get("text"), record.get("question")
    keys = [(entry["key"], entry["run"]) for entry in record["runs"]]
    return record["id"], record["position"], record["author"], *asked, keys


@pytest.mark.parametrize("ended", [False, True])
def test_a_second_device_has_the_same_conversation_word_for_word(gateway: Place, ended: bool) -> None:
    async def scenario(net: Net) -> None:
        first = Device(net, MemoryStore())
        await first.begin()
        await first.engine.handle({"type": "send", "message": f"q-{ended}", "text": "Tell me."})
        (talk,) = [record["id"] for record in await first.store.conversations()]
        wanted = "complete" if ended else "streaming"
        await first.until(talk, lambda record: record["state"] == wanted and record["runs"][0]["run"])

        item = (await listed(net, "v1"))[0]
        assert (item["id"], item["title"], item["server"]) == (talk, "Tell me.", True)
        assert item["state"] == wanted
        second = Device(net, MemoryStore())
        await take_over(net, talk, second.store)
        assert list(map(shape, await second.store.messages(talk))) == list(map(shape, await first.store.messages(talk)))
        await second.begin()
        for device in (first, second):
            answer = await device.until(talk, lambda record: record["state"] == "complete")
            assert await device.text(answer) == WORDS
        assert await take_over(net, talk, second.store) is None
        assert await take_over(net, talk, first.store) is None

    run(scenario, gateway)


def test_questions_and_other_answers_come_in_their_order(gateway: Place) -> None:
    async def scenario(net: Net) -> None:
        talk = next(names)
        for key, words in [("q1.a1.0", "One?"), ("q2.a2.0", "Two?"), ("q1.a3.0", "One?")]:
            await post(net, talk, f"{talk}{key.replace('.', f'.{talk}', 1)}", words)
        store = MemoryStore()
        change = await take_over(net, talk, store)
        assert change is not None and change.durability == "strict"
        records = await store.messages(talk)
        assert [(record["id"].removeprefix(talk), record["position"]) for record in records] == [
            ("q1", 0),
            ("a1", 1),
            ("q2", 2),
            ("a2", 3),
            ("a3", 4),
        ]
        assert [record.get("question", "").removeprefix(talk) for record in records] == [
            "",
            "q1",
            "",
            "q2",
            "q1",
        ]
        assert [record.get("text") for record in records[::2][:2]] == ["One?", "Two?"]
        assert {record["state"] for record in records} == {"complete", "streaming"}
        conversation = await store.conversation(talk)
        assert conversation is not None
        assert (conversation["title"], conversation["updated"]) == ("One?", records[4]["created"])

    run(scenario, gateway)


def test_what_this_device_has_stays_as_it_is_and_the_rest_comes_behind(gateway: Place) -> None:
    async def scenario(net: Net) -> None:
        talk, store = next(names), MemoryStore()
        await post(net, talk, f"{talk}q.{talk}a.0", "Mine?")
        await take_over(net, talk, store)
        (question, answer) = await store.messages(talk)
        await store.commit(Change().put("messages", question | {"position": 7, "text": "mine"}))
        await post(net, talk, f"{talk}r.{talk}b.0", "Theirs?")
        change = await take_over(net, talk, store)
        assert change is not None
        records = await store.messages(talk)
        assert [(record["position"], record.get("text")) for record in records] == [
            (1, None),
            (7, "mine"),
            (8, "Theirs?"),
            (9, None),
        ]
        assert records[0] == answer

    run(scenario, gateway)


# -- answers that were continued


def test_an_answer_that_was_continued_has_its_earlier_runs_as_rows(gateway: Place) -> None:
    async def scenario(net: Net) -> None:
        talk, store = next(names), MemoryStore()
        runs = [
            await post(net, talk, f"{talk}q.{talk}a.0", "Well?", read=30),
            await post(net, talk, f"{talk}q.{talk}a.1", "Well?", read=10_000),
            await post(net, talk, f"{talk}q.{talk}a.2", "Well?"),
        ]
        heard = [await said(net, name) for name in runs[:2]]
        await take_over(net, talk, store)
        record = (await store.messages(talk))[1]
        assert [entry["run"] for entry in record["runs"]] == runs
        rows = [Row.from_record(row) for row in await store.rows(record["id"])]
        assert [(row.n, row.run, row.first) for row in rows] == [(1, 0, 1), (2, 1, 1)]
        assert rows[1].ended == "completed"
        # The second run began again at the beginning: what it repeated is not there twice.
        assert rows[0].text == heard[0] != ""
        assert text(rows) == heard[1] == WORDS
        first, second, _ = record["runs"]
        assert (first["seq"], second["seq"]) == (rows[0].last, rows[1].last)
        assert second["seam"]["skipped"] == len(heard[0])
        assert second["seam"]["at"] == rows[0].tokens
        assert abs(sum(row.tokens for row in rows) - len(WORDS) / 4) < 4
        assert record["seconds"] > 0
        parser = Parser()
        assert [row.ops for row in rows] == [parser.feed(row.text) if row.text else [] for row in rows]
        assert rows[0].tokens > 0

    run(scenario, gateway)


def test_a_continued_answer_is_whole_on_a_second_device(gateway: Place) -> None:
    async def scenario(net: Net) -> None:
        talk, device = next(names), Device(net, MemoryStore())
        for n, read in enumerate((20, 40, 10_000)):
            await post(net, talk, f"{talk}q.{talk}a.{n}", "Well?", read)
        await take_over(net, talk, device.store)
        await device.begin()
        answer = await device.until(talk, lambda record: record["state"] == "complete")
        assert await device.text(answer) == WORDS

    run(scenario, gateway)


def test_an_answer_that_ended_here_goes_on_with_what_was_continued_elsewhere(
    gateway: Place,
) -> None:
    async def scenario(net: Net) -> None:
        talk, store = next(names), MemoryStore()
        first = await post(net, talk, f"{talk}q.{talk}a.0", "Well?", read=20)
        await take_over(net, talk, store)
        device = Device(net, store)
        await device.begin()
        answer = await device.until(talk, lambda record: record["state"] == "stopped")
        assert await device.text(answer) == await said(net, first)

        for n, read in ((1, 40), (2, 10_000)):
            await post(net, talk, f"{talk}q.{talk}a.{n}", "Well?", read)
        await take_over(net, talk, store)
        again = Device(net, store)
        await again.begin()
        answer = await again.until(talk, lambda record: record["state"] == "complete")
        assert len(answer["runs"]) == 3
        assert await again.text(answer) == WORDS
        assert ["seam" in entry for entry in answer["runs"]] == [False, True, True]

    run(scenario, gateway)


def test_a_run_that_is_no_longer_kept_leaves_its_place(gateway: Place) -> None:
    async def scenario(net: Net) -> None:
        talk, store = next(names), MemoryStore()
        first = await post(net, talk, f"{talk}q.{talk}a.0", "Well?", read=5)
        await post(net, talk, f"{talk}q.{talk}a.1", "Well?")
        (await net.open("DELETE", f"v1/runs/{first}", {})).close()
        await take_over(net, talk, store)
        record = (await store.messages(talk))[1]
        assert [entry["key"][-1] for entry in record["runs"]] == ["0", "1"]
        assert record["runs"][0]["run"] is None
        (row,) = await store.rows(record["id"])
        assert (row["run"], row["first"], row["last"], row["text"]) == (0, 1, 0, "")

    run(scenario, gateway)


@pytest.mark.parametrize("state", ["streaming", "interrupted", "stopped"])
def test_a_record_is_extended_only_when_this_device_has_ended_it(gateway: Place, state: str) -> None:
    async def scenario(net: Net) -> None:
        talk, store = next(names), MemoryStore()
        await post(net, talk, f"{talk}q.{talk}a.0", "Well?", read=5)
        await take_over(net, talk, store)
        record = (await store.messages(talk))[1]
        here = {"state": state, "error": {"message": "cut"}}
        row = Row(record["id"], 1, 0, 1, 6, "words here", whole=True).record()
        await store.commit(Change().put("messages", record | here).put("journal", row))
        later = await post(net, talk, f"{talk}q.{talk}a.1", "Well?")
        change = await missing(net, GATEWAY, talk, store, NOW)
        assert (await store.messages(talk))[1]["runs"] == record["runs"]  # not before the commit
        if state == "streaming":
            assert change is None
            return
        await take_over(net, talk, store)
        found = (await store.messages(talk))[1]
        assert (found["state"], found["runs"][1]["run"]) == ("streaming", later)
        assert found["runs"][0] == record["runs"][0]
        assert "error" not in found
        assert [row["text"] for row in await store.rows(record["id"])] == ["words here"]

    run(scenario, gateway)


def test_a_prompt_whose_answer_never_reached_this_device_finds_it(gateway: Place) -> None:
    """The request arrived, the answer's headers did not, and the page gave up."""

    async def scenario(net: Net) -> None:
        talk, store = next(names), MemoryStore()
        name = await post(net, talk, f"{talk}q.{talk}a.0", "Well?")
        await take_over(net, talk, store)
        record = (await store.messages(talk))[1]
        record["runs"][0]["run"] = None
        await store.commit(Change().put("messages", record | {"state": "failed"}))
        await take_over(net, talk, store)
        found = (await store.messages(talk))[1]
        assert (found["state"], found["runs"]) == (
            "streaming",
            [record["runs"][0] | {"run": name}],
        )

    run(scenario, gateway)


# -- other programs


def test_other_programs_runs_are_questions_and_answers_of_their_own(gateway: Place) -> None:
    async def scenario(net: Net) -> None:
        talk, store = next(names), MemoryStore()
        runs = [
            await post(net, talk, None, "No key?"),
            await post(net, talk, f"{talk}!odd/key", "Odd key?"),
            await post(net, talk, f"{talk}x.{talk}x.0", "The same name twice?"),
        ]
        await take_over(net, talk, store)
        records = await store.messages(talk)
        assert [record["id"] for record in records] == [
            f"{name}-{kind}" for name in runs for kind in ("question", "answer")
        ]
        assert [record["runs"][0]["run"] for record in records[1::2]] == runs
        assert await take_over(net, talk, store) is None

    run(scenario, gateway)


def test_a_key_cannot_reach_into_another_conversation(gateway: Place) -> None:
    async def scenario(net: Net) -> None:
        talk, other, store = next(names), next(names), MemoryStore()
        await post(net, talk, f"{talk}q.{talk}a.0", "Mine?")
        await take_over(net, talk, store)
        before = await store.messages(talk)
        names_of_mine = [
            f"{talk}q.{talk}a.1",  # an answer there
            f"{talk}a.{other}b.0",  # an answer as a question
            f"{other}q.{talk}q.0",  # a question as an answer
        ]
        runs = [await post(net, other, key, "Yours?") for key in names_of_mine]
        await take_over(net, other, store)
        assert await store.messages(talk) == before
        answers = [record for record in await store.messages(other) if record["runs"]]
        assert [record["id"] for record in answers] == [f"{name}-answer" for name in runs]

    run(scenario, gateway)


# -- what goes wrong


@pytest.mark.parametrize("lost", [["conversations"], ["conversations", "question"]])
def test_what_a_browser_has_lost_a_part_of_is_whole_again(gateway: Place, lost: list[str]) -> None:
    """As when it has deleted everything in mid-answer, and only the answer and its rows were written after that."""

    async def scenario(net: Net) -> None:
        talk, store = next(names), MemoryStore()
        await post(net, talk, f"{talk}-q.{talk}-a.0", "Still there?")
        first = Device(net, store)
        await first.begin()
        await first.engine.handle({"type": "open", "conversation": talk, "painted": {}})
        await until(lambda: f"{talk}-a" in store._stores["messages"])
        await first.until(talk, lambda record: record["state"] == "stopped")
        store._stores["conversations"].clear()
        if "question" in lost:
            del store._stores["messages"][f"{talk}-q"]
        second = Device(net, store)
        await second.begin()
        await second.engine.handle({"type": "open", "conversation": talk, "painted": {}})
        await until(lambda: any(m.get("id") == talk for m in second.messages if m["type"] == "conversation"))
        opened = [m for m in second.messages if m["type"] == "conversation"][-1]
        assert [turn.get("text") for turn in opened["turns"]] == ["Still there?", None]
        assert store._stores["conversations"][talk]["title"] == "Still there?"
        assert await second.text((await second.answers(talk))[0]) != ""

    run(scenario, gateway)


def test_an_unknown_conversation_is_nothing(gateway: Place) -> None:
    async def scenario(net: Net) -> None:
        for name in ("nobody-has-it", "..", "a/b", ""):
            assert await missing(net, GATEWAY, name, MemoryStore(), NOW) is None

    run(scenario, gateway)


def test_what_is_deleted_does_not_come_back(gateway: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by the list, not by its address, not after a reload, and not on another device either."""
    monkeypatch.setattr(conversation_intents, "UNDO_S", 0.3)

    def shown(device: Device) -> list[str]:
        lists = [m["items"] for m in device.messages if m["type"] == "conversations"]
        return [item["id"] for item in [[], *lists][-1]]

    async def scenario(net: Net) -> None:
        talk, store = next(names), MemoryStore()
        run_id = await post(net, talk, f"{talk}-q.{talk}-a.0", "Forget me")
        device = Device(net, store)
        await device.begin()
        await until(lambda: talk in shown(device))
        await device.engine.handle({"type": "delete", "conversation": talk})  # never opened here
        assert talk not in shown(device)
        await device.engine.handle({"type": "undelete", "conversation": talk})
        assert talk in shown(device)
        await device.engine.handle({"type": "open", "conversation": talk, "painted": {}})
        await until(lambda: len(store._stores["messages"]) == 2)
        await device.until(talk, lambda record: record["state"] == "stopped")
        await device.engine.handle({"type": "delete", "conversation": talk})
        await device.engine.handle({"type": "open", "conversation": talk, "painted": {}})
        await until(lambda: store._stores["conversations"][talk].get("gone"))
        await until(lambda: not store._stores["conversations"][talk].get("owed"))
        assert await store.messages(talk) == []
        assert not any("Forget" in str(one) for one in store._stores["conversations"].values())
        response = await net.open("GET", f"v1/runs/{run_id}", {})
        response.close()
        assert response.status == 410
        for reloaded in (Device(net, store), Device(net, MemoryStore())):
            await reloaded.begin()
            await until(partial(_ends_with, reloaded.messages, "conversations"))
            await reloaded.engine.handle({"type": "open", "conversation": talk, "painted": {}})
            await reloaded.engine.handle({"type": "network", "online": True})
            assert talk not in shown(reloaded)
            assert await reloaded.store.messages(talk) == []

    run(scenario, gateway)


async def nothing(*_: object) -> bool:
    return False


def test_a_gateway_that_is_away_deletes_later(gateway: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation_intents, "UNDO_S", 0.01)

    async def scenario(net: Net) -> None:
        talk, store = next(names), MemoryStore()
        name = await post(net, talk, f"{talk}-q.{talk}-a.0", "Forget me")
        await take_over(net, talk, store)
        device = Device(net, store)  # begun without a gateway: nobody to tell
        await device.engine.handle({"type": "delete", "conversation": talk})
        await until(lambda: store._stores["conversations"][talk].get("owed"))
        assert (await net.open("GET", f"v1/runs/{name}", {})).status == 200
        # Its list can be had, but it deletes nothing yet: opened by its address it does not come back.
        with monkeypatch.context() as failing:
            failing.setattr(DeviceSync, "delete", nothing)
            between = Device(net, store)
            await between.begin()
            await between.engine.handle({"type": "open", "conversation": talk, "painted": {}})
            await until(lambda: not between.engine._jobs.tasks)
            assert await store.messages(talk) == []
        again = Device(net, store)
        await again.begin()
        await until(lambda: not store._stores["conversations"][talk].get("owed"))
        assert (await net.open("GET", f"v1/runs/{name}", {})).status == 410

    run(scenario, gateway)


def _ends_with(messages: list[Message], kind: str) -> bool:
    return bool(messages[-1]["type"] == kind)
