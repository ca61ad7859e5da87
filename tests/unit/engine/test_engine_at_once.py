"""Two tabs, or two devices, write in one conversation at the same time: nothing fails, one follows the other, and each
shows what the other has asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from midstream.engine import device_watch
from midstream.engine.store.branches import moved_behind
from midstream.engine.store.rendering import branch_of, history_of
from midstream.journal import MemoryStore, Record
from tests.support.gate import Model
from tests.support.httpnet import HttpNet
from tests.support.processes import replay, serve
from tests.unit.engine.support import Locks, Page, new_page, press, quicken, send, until

GATEWAY = {"endpoints": [{"name": "Gateway", "kind": "gateway", "url": "v1", "model": "replay"}]}
WORDS = "".join(f"word{number} and *more*\n\n" for number in range(30))


def ask(page: Page, words: str, conversation: str, after: str) -> asyncio.Future[None]:
    intent = {"type": "send", "conversation": conversation, "message": f"q-{words}", "text": words, "after": after}
    return asyncio.ensure_future(page.engine.handle(intent))


async def line(store: MemoryStore) -> list[str]:
    """What anybody who opens the conversation sees: the texts of the questions."""
    (conversation,) = await store.conversations()
    return [record["text"] for record, _ in await branch_of(store, conversation) if "text" in record]


def shown(page: Page) -> list[str]:
    """The questions on the screen: of the last `conversation`, and of the turns since."""
    questions: list[str] = []
    for message in page.messages:
        if message["type"] == "conversation":
            questions = [turn["text"] for turn in message["turns"] if "text" in turn]
        elif message["type"] == "turn" and "text" in message["turn"]:
            questions.append(message["turn"]["text"])
    return questions


def answers_to(store: MemoryStore, words: str) -> Record:
    every = store._stores["messages"].values()
    return next((record for record in every if record.get("question") == f"q-{words}"), {"state": ""})


def status(page: Page, answer: str) -> dict[str, Any]:
    return [m for m in page.messages if m["type"] == "status" and m["message"] == answer][-1]


async def look(page: Page, conversation: str) -> None:
    await page.engine.handle({"type": "open", "conversation": conversation, "painted": {}})


async def talk_of(store: MemoryStore) -> str:
    return str((await store.conversations())[0]["id"])


def test_two_tabs_send_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch, 1000)

    async def scenario() -> None:
        store, tabs, locks = MemoryStore(), [], Locks()  # type: ignore[var-annotated]
        first = await new_page(store, locks, tabs=tabs)
        answer = await send(first, "one")
        await until(lambda: first.last(answer) == "complete")
        talk = await talk_of(store)
        second = await new_page(store, locks, tabs=tabs)
        await look(second, talk)
        await asyncio.gather(ask(first, "two", talk, answer), ask(second, "three", talk, answer))
        assert "queued" in [answers_to(store, words)["state"] for words in ("two", "three")]
        for words in ("two", "three"):
            await until(partial(lambda each: answers_to(store, each)["state"] == "complete", words))
        questions = await line(store)
        assert sorted(questions) == ["one", "three", "two"]  # one line, and no versions of each other
        await until(lambda: shown(first) == shown(second) == questions)
        last = answers_to(store, questions[-1])
        assert len(await history_of(store, last)) == 5

    asyncio.run(scenario())


class Home:
    """A gateway, and devices with stores of their own before it."""

    def __init__(self, url: str, model: Model) -> None:
        self.model = model
        self.net = HttpNet(url)

    async def device(self) -> Page:
        return await new_page(MemoryStore(), Locks(), self.net, config=GATEWAY)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[str, Model]]:
    (tmp_path / "answer.md").write_text(WORDS)
    (tmp_path / "index.html").write_text("<!doctype html><title>screen</title>")
    with replay(tmp_path / "answer.md", rate=400, chunk=4) as upstream, ExitStack() as exit:
        model = Model(upstream, exit)
        model.gate.open()
        store = f"sqlite:{tmp_path / 'log.db'}"
        with serve("--upstream", model.url, "--store", store, "--dist", str(tmp_path)) as running:
            yield running.url, model


@pytest.mark.full_run(reason="a model's server and a gateway start")
def test_two_devices_send_at_once(home: tuple[str, Model], monkeypatch: pytest.MonkeyPatch) -> None:
    """The second prompt waits, behind the first; each device shows the other's without being asked."""
    monkeypatch.setattr(device_watch, "WATCH_S", 0.05)

    async def scenario() -> None:
        both = Home(*home)
        first, second = await both.device(), await both.device()
        answer = await send(first, "one")
        await until(lambda: first.last(answer) == "complete")
        talk = await talk_of(first.store)
        await look(second, talk)
        await until(lambda: second.last(answer) == "complete")
        both.model.gate.allow(20)
        await ask(first, "two", talk, answer)
        two = str(answers_to(first.store, "two")["id"])
        await until(lambda: first.last(two) == "streaming")
        second.engine._watch.visible = False  # it has not looked yet
        await ask(second, "three", talk, answer)
        three = str(answers_to(second.store, "three")["id"])
        await until(lambda: second.last(three) == "queued" and second.last(two) == "streaming")
        await until(lambda: status(second, three).get("waits"))
        assert shown(second) == ["one", "two", "three"]
        assert answers_to(second.store, "three")["state"] == "queued"  # over a reload too
        await press(second, "edit", three)
        assert [m["text"] for m in second.messages if m["type"] == "draft"] == ["three"]
        await ask(second, "four", talk, two)
        four = str(answers_to(second.store, "four")["id"])
        both.model.gate.open()
        await until(lambda: second.last(four) == "complete")
        assert len(await history_of(second.store, answers_to(second.store, "four"))) == 5
        await until(lambda: first.last(four) == "complete")
        assert await line(first.store) == await line(second.store) == ["one", "two", "four"]
        assert shown(first) == ["one", "two", "four"]
        for device in (first, second):
            await device.vanish()
        await both.net.close()

    asyncio.run(scenario())


# The places of prompts that are not sent yet


def message(id: str, position: int, **more: str) -> Record:
    return {"id": id, "position": position, "author": "assistant" if "question" in more else "user", **more}


OLD = [message("q0", 0, parent=""), message("a0", 1, question="q0")]
UNSENT = [message("q1", 2, parent="a0"), message("a1", 3, question="q1")]
NEXT = [message("q2", 4, parent="a1"), message("a2", 5, question="q2")]


def test_unsent_prompts_go_behind_what_has_come() -> None:
    came = [message("x", 6), message("y", 7, question="x")]
    moved = moved_behind([*OLD, *UNSENT, *NEXT, *came], [UNSENT[1], NEXT[1]])
    assert moved == {
        "q1": {"parent": "y", "position": 8},
        "a1": {"position": 9},
        "q2": {"position": 10},
        "a2": {"position": 11},
    }


def test_they_stay_where_nothing_has_come() -> None:
    assert moved_behind([*OLD, *UNSENT, *NEXT], [UNSENT[1], NEXT[1]]) == {}
    assert moved_behind([*OLD, *UNSENT, *NEXT], []) == {}


def test_another_version_of_a_question_stays_one() -> None:
    edited = [message("q1", 2, parent=""), message("a1", 3, question="q1")]
    came = [message("x", 4, parent="a0"), message("y", 5, question="x")]
    moved = moved_behind([*OLD, *edited, *came], [edited[1]])
    assert moved == {"q1": {"position": 6}, "a1": {"position": 7}}
