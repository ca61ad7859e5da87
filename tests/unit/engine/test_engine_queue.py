"""Prompts that cannot be sent yet, before a real gateway that is not there at first; what another device finds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from midstream.engine import device_watch
from midstream.engine.answers.answer import Answer
from midstream.journal import MemoryStore
from tests.support.gate import Model
from tests.support.httpnet import HttpNet, HttpResponse
from tests.support.processes import Serve, free_port, replay, serve
from tests.unit.engine.support import Locks, Page, new_page, press, send, text_of, until

pytestmark = pytest.mark.full_run(reason="a model's server and a gateway start for each test")
WORDS = "".join(f"word{number} and *more*\n\n" for number in range(30))
GATEWAY = {"endpoints": [{"name": "Gateway", "kind": "gateway", "url": "v1", "model": "replay"}]}
PLAIN = {"name": "Plain", "kind": "openai", "model": "replay"}


class Place:
    """A port at which a gateway may or may not be listening."""

    def __init__(self, directory: Path, model: Model) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.model = model
        (directory / "index.html").write_text("<!doctype html><title>screen</title>")
        self._options = ["--upstream", model.url, "--store", f"sqlite:{directory / 'log.db'}"]
        self._options += ["--dist", str(directory), "--port", str(self.port)]

    @contextmanager
    def open(self) -> Iterator[Serve]:
        with serve(*self._options) as running:
            yield running

    def asked(self) -> int:
        return len(self.model.log.events("open"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "answer.md").write_text(WORDS)
    with replay(tmp_path / "answer.md", rate=400, chunk=4) as upstream, ExitStack() as exit:
        model = Model(upstream, exit)
        model.gate.open()
        yield Place(tmp_path, model)


def run(place: Place, scenario: Callable[[Page, MemoryStore, HttpNet], Awaitable[None]]) -> None:
    async def with_page() -> None:
        net, store = HttpNet(place.url), MemoryStore()
        page = await new_page(store, Locks(), net, config=GATEWAY)
        try:
            await scenario(page, store, net)
        finally:
            await page.vanish()
            await net.close()

    asyncio.run(with_page())


def status(page: Page, answer: str) -> dict[str, Any]:
    return [m for m in page.messages if m["type"] == "status" and m["message"] == answer][-1]


class WithOutbox(HttpNet):
    """A net with a service worker's outbox: what is put into it, by key."""

    def __init__(self, base: str) -> None:
        super().__init__(base)
        self.outbox: dict[str, dict[str, Any]] = {}

    async def open(self, method: str, url: str, headers: Mapping[str, str], body: str | None = None) -> HttpResponse:
        if method == "PUT" and url.startswith("outbox/"):
            self.outbox[url.removeprefix("outbox/")] = json.loads(body or "")
            return HttpResponse(httpx.Response(201))
        return await super().open(method, url, headers, body)


async def conversation_of(store: MemoryStore) -> str:
    return str((await store.conversations())[0]["id"])


async def look(page: Page) -> None:
    await page.engine.handle({"type": "open", "conversation": None, "painted": {}})


def test_a_prompt_is_queued_though_no_status_is_reported(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report has no effect: all of them may be dropped."""
    monkeypatch.setattr(Answer, "_report", lambda self, again=False: None)

    async def scenario() -> None:
        net, store = WithOutbox(place.url), MemoryStore()
        page = await new_page(store, Locks(), net, config=GATEWAY)
        answer = await send(page, "one")
        await until(lambda: net.outbox)
        record = await store.message(answer) or {}
        assert page.every_state(answer) == [] and record["state"] == "queued"
        ((key, entry),) = net.outbox.items()
        assert key == record["runs"][0]["key"] == entry["headers"]["idempotency-key"]
        assert json.loads(entry["body"])["messages"] == [{"role": "user", "content": "one"}]
        await page.vanish()
        await net.close()

    asyncio.run(scenario())


def test_two_prompts_wait_and_are_sent_in_their_order_once_each(place: Place) -> None:
    async def scenario(page: Page, store: MemoryStore, net: HttpNet) -> None:
        first = await send(page, "one")
        await until(lambda: page.last(first) == "queued")
        second = await send(page, "two", await conversation_of(store))
        await until(lambda: page.last(second) == "queued")
        assert status(page, first)["queue"] == [1, 2]
        assert status(page, second)["queue"] == [2, 2]
        for answer in (first, second):  # so the next page says that both wait, before its engine is there
            assert (await store.message(answer) or {})["state"] == "queued"
        assert page.lists()[-1] == "queued"
        with place.open():
            await press(page, "retry", first)
            await until(lambda: page.last(first) == "complete")
            assert status(page, second).get("queue") in ([1, 1], None)
            await until(lambda: page.last(second) == "complete")
        assert await text_of(store, first) == await text_of(store, second) == WORDS
        assert place.asked() == 2

    run(place, scenario)


def test_a_queued_prompt_outlives_the_page(place: Place) -> None:
    async def scenario(page: Page, store: MemoryStore, net: HttpNet) -> None:
        answer = await send(page, "one")
        await until(lambda: page.last(answer) == "queued")
        await page.vanish()
        later = await new_page(store, Locks(), net, config=GATEWAY)
        await look(later)
        await until(lambda: later.last(answer) == "queued")
        with place.open():
            await press(later, "retry", answer)
            await until(lambda: later.last(answer) == "complete")
        assert await text_of(store, answer) == WORDS

    run(place, scenario)


@pytest.mark.parametrize("button", ["edit", "remove"])
def test_a_queued_prompt_can_be_taken_back(place: Place, button: str) -> None:
    async def scenario(page: Page, store: MemoryStore, net: HttpNet) -> None:
        answer = await send(page, "one")
        await until(lambda: page.last(answer) == "queued")
        question = (await store.message(answer) or {})["question"]
        await press(page, button, answer)
        removed = [m for m in page.messages if m["type"] == "removed"]
        assert set(removed[0]["messages"]) == {question, answer}
        drafts = [m["text"] for m in page.messages if m["type"] == "draft"]
        assert drafts == (["one"] if button == "edit" else [])
        assert await store.message(answer) is None and await store.conversations() == []
        with place.open():
            page.engine._answers.wake()
        assert place.asked() == 0 and not list(page.engine._answers)

    run(place, scenario)


def test_what_has_been_sent_cannot_be_taken_back(place: Place) -> None:
    async def scenario(page: Page, store: MemoryStore, net: HttpNet) -> None:
        place.model.gate.allow(20)
        with place.open():
            answer = await send(page, "one")
            await until(lambda: page.last(answer) == "streaming")
            await press(page, "remove", answer)
            assert page.notices() == ["already-sent"]
            place.model.gate.open()
            await until(lambda: page.last(answer) == "complete")
        assert await text_of(store, answer) == WORDS

    run(place, scenario)


def test_the_model_of_last_time_is_asked_for_when_nobody_can_be_asked(place: Place) -> None:
    """A request has to be whole to be sent without us. Here no model is configured."""
    gateway = {"endpoints": [{"name": "Gateway", "kind": "gateway", "url": "v1"}]}

    async def scenario(page: Page, store: MemoryStore, net: HttpNet) -> None:
        with place.open():
            page.engine.configure(gateway)
            while not await store.setting("model v1"):
                await asyncio.sleep(0.01)
        answer = await send(page, "one")
        await until(lambda: page.last(answer) == "queued")
        while "model" not in (await store.message(answer) or {})["runs"][0]:
            await asyncio.sleep(0.01)
        with place.open():
            await press(page, "retry", answer)
            await until(lambda: page.last(answer) == "complete")
        assert await text_of(store, answer) == WORDS

    run(place, scenario)


def test_a_stop_that_cannot_be_sent_is_kept_over_a_reload(place: Place) -> None:
    async def scenario(page: Page, store: MemoryStore, net: HttpNet) -> None:
        place.model.gate.allow(20)
        with place.open() as running:
            answer = await send(page, "one")
            await until(lambda: page.last(answer) == "streaming")
            running.stop()
        await until(lambda: page.last(answer) == "reconnecting")
        await press(page, "stop", answer)
        await until(lambda: status(page, answer)["stopping"])
        run = (await store.message(answer) or {})["runs"][-1]
        assert run["stop"] is True
        await page.vanish()
        later = await new_page(store, Locks(), net, config=GATEWAY)
        await look(later)
        await until(lambda: later.last(answer) == "reconnecting")
        assert status(later, answer)["stopping"]

    run(place, scenario)


def test_a_second_device_finds_the_running_answer_and_stops_it(place: Place) -> None:
    async def scenario(page: Page, store: MemoryStore, net: HttpNet) -> None:
        place.model.gate.allow(20)
        with place.open():
            answer = await send(page, "one")
            await until(lambda: page.last(answer) == "streaming")
            conversation = await conversation_of(store)
            other_store = MemoryStore()
            other = await new_page(other_store, Locks(), net, config=GATEWAY)
            await until(lambda: other.lists() == ["streaming"])
            opening = {"type": "open", "conversation": conversation, "painted": {}}
            await other.engine.handle(opening)
            await until(lambda: other.last(answer) == "streaming")
            await press(other, "stop", answer)
            await until(lambda: page.last(answer) == other.last(answer) == "stopped")
            assert await text_of(store, answer) == await text_of(other_store, answer) != ""
            turns = [m for m in other.messages if m["type"] == "conversation"][-1]["turns"]
            assert [turn.get("text") for turn in turns] == ["one", None]

    run(place, scenario)


def test_a_conversation_of_another_device_comes_when_the_gateway_answers(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_watch, "WATCH_S", 0.05)
    monkeypatch.setattr(device_watch, "LONGEST_S", 0.1)

    async def scenario(page: Page, store: MemoryStore, net: HttpNet) -> None:
        with place.open():
            answer = await send(page, "one")
            await until(lambda: page.last(answer) == "complete")
        talk = await conversation_of(store)
        other = await new_page(MemoryStore(), Locks(), net, config=GATEWAY)
        await other.engine.handle({"type": "open", "conversation": talk, "painted": {}})
        await until(lambda: other.notices() == ["unreached-conversation"])
        with place.open():
            await until(lambda: other.last(answer) == "complete")
        assert await text_of(other.store, answer) == WORDS
        await other.vanish()

    run(place, scenario)


def test_a_prompt_that_was_surely_not_sent_waits_until_a_plain_endpoint_is_there(
    place: Place,
) -> None:
    async def scenario(page: Page, store: MemoryStore, net: HttpNet) -> None:
        page.engine.configure({"endpoints": [PLAIN | {"url": f"{place.url}v1"}]})
        await page.engine.handle({"type": "network", "online": False})
        answer = await send(page, "one")
        await until(lambda: page.last(answer) == "queued")
        await page.engine.handle({"type": "network", "online": True})
        await press(page, "retry", answer)
        assert page.last(answer) == "queued"
        with place.open():
            await press(page, "retry", answer)
            await until(lambda: page.last(answer) == "complete")
        assert place.asked() == 1
        assert await text_of(store, answer) == WORDS

    run(place, scenario)


def test_a_prompt_that_is_being_sent_is_not_queued_any_more(place: Place) -> None:
    """Should the page go now, the next one must not send it again."""

    async def scenario(page: Page, store: MemoryStore, net: HttpNet) -> None:
        page.engine.configure({"endpoints": [PLAIN | {"url": f"{place.url}v1"}]})
        await page.engine.handle({"type": "network", "online": False})
        answer = await send(page, "one")
        await until(lambda: page.last(answer) == "queued")
        stored: list[str] = []
        ask = net.open

        async def watched(method: str, url: str, *more: Any) -> Any:
            if url.endswith("/chat/completions"):
                stored.append((await store.message(answer) or {})["state"])
            return await ask(method, url, *more)

        net.open = watched  # type: ignore[assignment, method-assign]
        await page.engine.handle({"type": "network", "online": True})
        with place.open():
            await press(page, "retry", answer)
            await until(lambda: page.last(answer) == "complete")
        assert stored == ["sending"]

    run(place, scenario)


def test_a_plain_endpoint_that_was_asked_is_asked_again_only_by_the_person(place: Place) -> None:
    async def scenario(page: Page, store: MemoryStore, net: HttpNet) -> None:
        page.engine.configure({"endpoints": [PLAIN | {"url": f"{place.url}v1"}]})
        answer = await send(page, "one")
        await until(lambda: page.last(answer) == "failed")
        page.engine.configure({"endpoints": [PLAIN | {"url": place.model.url}]})
        await press(page, "retry", answer)
        again = str([m["turn"] for m in page.messages if m["type"] == "turn"][-1]["message"])
        await until(lambda: page.last(again) == "complete")
        assert place.asked() == 1

    run(place, scenario)


def test_the_prompts_of_a_deleted_conversation_are_not_sent(place: Place) -> None:
    async def scenario(page: Page, store: MemoryStore, net: HttpNet) -> None:
        first = await send(page, "one")
        await until(lambda: page.last(first) == "queued")
        talk = await conversation_of(store)
        second = await send(page, "two", talk)
        await page.engine.handle({"type": "delete", "conversation": talk})
        with place.open():
            await page.engine.handle({"type": "network", "online": True})
            other = await send(page, "three")
            await until(lambda: page.last(other) == "complete")
            assert place.asked() == 1
            await page.engine.handle({"type": "undelete", "conversation": talk})
            await page.engine.handle({"type": "open", "conversation": talk, "painted": {}})
            for answer in (first, second):
                await until(partial(lambda each: page.last(each) == "complete", answer))
        assert place.asked() == 3
        assert await text_of(store, first) == await text_of(store, second) == WORDS

    run(place, scenario)
