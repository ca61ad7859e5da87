"""Other versions of questions and answers: what is stored, shown and sent of them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from midstream.engine.devices.device_sync import _ChangeBuilder
from midstream.engine.devices.gateway_client import _run
from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.store.records import run_key
from midstream.engine.store.rendering import branch_of, history_of
from midstream.engine.transfer import archive, import_file, importer
from midstream.engine.transfer.documents import LABELS, markdown_of
from midstream.engine.transfer.webpage import web_page
from midstream.journal import MemoryStore, Record
from tests.support.httpnet import HttpNet
from tests.unit.engine.support import (
    Locks,
    Page,
    drawn,
    new_page,
    press,
    quicken,
    run,
    same_tree,
    text_of,
    until,
    whole,
)

pytestmark = pytest.mark.full_run(reason="whole conversations at the demo's pace")

GATEWAY = {"endpoints": [{"name": "Gateway", "kind": "gateway", "url": "v1", "model": "m"}]}


class Nobody(HttpNet):
    """A network in which nobody answers."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9/")


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch, 2000.0)


async def asked(page: Page, words: str, **more: Any) -> str:
    """Sends a prompt and waits for the end of its answer; the answer's id."""
    answer = await begun(page, words, **more)
    await until(lambda: page.last(answer) == "complete")
    await until(lambda: not list(page.engine._answers))
    return answer


async def begun(page: Page, words: str, **more: Any) -> str:
    found = await page.store.conversations()
    conversation = found[0]["id"] if found else None
    intent = {"type": "send", "conversation": conversation, "message": f"q-{words}", "text": words}
    await page.engine.handle(intent | more)
    return str(turns(page)[-1]["message"])


def turns(page: Page) -> list[dict[str, Any]]:
    return [message["turn"] for message in page.messages if message["type"] == "turn"]


async def again(page: Page, answer: str) -> str:
    await press(page, "regenerate", answer)
    return str(turns(page)[-1]["message"])


async def shown(store: MemoryStore) -> list[str]:
    """What anybody who opens the conversation sees, and so what the screen paints first."""
    (conversation,) = await store.conversations()
    return [record["id"] for record, _ in await branch_of(store, conversation)]


async def record_of(store: MemoryStore, message: str) -> Record:
    record = await store.message(message)
    assert record is not None
    return record


async def said_before(store: MemoryStore, answer: str) -> list[str]:
    return [message["content"] for message in await history_of(store, await record_of(store, answer))]


async def step(page: Page, message: str, by: int) -> None:
    await page.engine.handle({"type": "version", "message": message, "step": by})


def test_an_edited_question_is_another_version_with_an_answer_of_its_own() -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        first = await asked(page, "one")
        second = await asked(page, "two")
        edited = await asked(page, "other", edits="q-one")
        assert await shown(page.store) == ["q-other", edited]
        assert await said_before(page.store, edited) == ["other"]
        question = next(turn for turn in turns(page) if turn["message"] == "q-other")
        assert question["versions"] == [2, 2]
        told = next(m for m in page.messages if m["type"] == "turn" and m["turn"] is question)
        assert told["after"] == ""  # the screen takes away what stood there
        await step(page, "q-other", -1)
        assert await shown(page.store) == ["q-one", first, "q-two", second]  # nothing was lost
        assert await text_of(page.store, second) == whole("two")

    run(scenario)


def test_what_is_sent_follows_the_version_that_is_shown() -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        first = await asked(page, "one")
        second = await again(page, first)
        await until(lambda: page.last(second) == "complete")
        await step(page, second, -1)
        third = await asked(page, "and then?")
        assert await shown(page.store) == ["q-one", first, "q-and then?", third]
        assert await said_before(page.store, third) == ["one", whole("one"), "and then?"]
        # Another tab has switched meanwhile, and this one has not heard of it yet.
        fourth = await asked(page, "and here?", after=second)
        assert await shown(page.store) == ["q-one", second, "q-and here?", fourth]
        # A prompt of a page that went before it saw its first answer follows the question's answer.
        fifth = await asked(page, "so", after="q-and here?")
        assert await shown(page.store) == ["q-one", second, "q-and here?", fourth, "q-so", fifth]

    run(scenario)


def test_an_answer_that_is_not_shown_goes_on_and_can_be_shown_while_it_grows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        first = await asked(page, "one")
        quicken(monkeypatch, 200.0)
        second = await again(page, first)
        await until(lambda: page.painted.get(second, 0) > 2)
        await step(page, second, -1)
        assert await shown(page.store) == ["q-one", first]
        before = len(page.messages)
        rows = len(await page.store.rows(second))
        while len(await page.store.rows(second)) < rows + 3:
            await asyncio.sleep(0.005)
        said = [m for m in page.messages[before:] if m["type"] in ("patch", "status")]
        assert said == []  # of what is not shown the screen is told nothing
        assert page.lists()[-1] == "streaming"
        page.painted.pop(second)  # its article has gone
        await step(page, first, 1)
        shows = [m for m in page.messages if m["type"] == "conversation"][-1]
        assert shows["at"] == second and [t["message"] for t in shows["turns"]] == ["q-one", second]
        assert shows["turns"][1]["versions"] == [2, 2]
        for patch in shows["patches"]:
            page._paint(patch)
        await until(lambda: page.last(second) == "complete")
        assert same_tree(page.trees[second], drawn(whole("one")))
        assert await text_of(page.store, second) == whole("one")

    run(scenario)


def test_a_prompt_beside_an_answer_that_is_being_written_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        first = await asked(page, "one")
        quicken(monkeypatch, 400.0)
        second = await again(page, first)
        await until(lambda: page.painted.get(second, 0) > 2)
        await step(page, second, -1)
        third = await begun(page, "and then?")
        said = [m for m in page.messages if m["type"] == "status" and m["message"] == third]
        turn = next(turn for turn in turns(page) if turn["message"] == third)
        assert [turn["status"], *said][-1]["waits"]
        await until(lambda: page.last(third) == "complete")
        assert await text_of(page.store, second) == whole("one")
        assert await said_before(page.store, third) == ["one", whole("one"), "and then?"]

    run(scenario)


def test_a_reload_in_the_middle_of_a_version_goes_on_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        locks, store = Locks(), MemoryStore()
        page = await new_page(store, locks)
        await asked(page, "one")
        quicken(monkeypatch, 200.0)
        edited = await begun(page, "other", edits="q-one")
        await until(lambda: page.painted.get(edited, 0) > 2)
        await page.vanish()
        quicken(monkeypatch, 2000.0)
        later = await new_page(store, locks)
        assert await shown(store) == ["q-other", edited]
        await later.paint_saved((await store.conversations())[0]["id"])
        await later.engine.handle({"type": "open", "conversation": None, "painted": later.painted})
        await until(lambda: later.last(edited) == "complete")
        assert same_tree(later.trees[edited], drawn(whole("other")))

    run(scenario)


def test_another_tab_follows_and_loses_nothing() -> None:
    async def scenario() -> None:
        store, locks, tabs = MemoryStore(), Locks(), list[Page]()
        page = await new_page(store, locks, tabs=tabs)
        first = await asked(page, "one")
        other = await new_page(store, locks, tabs=tabs)
        await other.engine.handle({"type": "open", "conversation": None, "painted": {}})
        second = await again(page, first)
        await until(lambda: other.last(second) == "complete")
        assert same_tree(other.trees[second], drawn(whole("one")))
        await step(page, second, -1)
        await until(lambda: others(other) == ["q-one", first])

    def others(tab: Page) -> list[str]:
        shown = [message for message in tab.messages if message["type"] == "conversation"][-1]
        return [turn["message"] for turn in shown["turns"]]

    run(scenario)


def test_a_version_that_waits_and_is_taken_back_leaves_the_one_before() -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks(), Nobody())
        first = await asked(page, "one")
        second = await asked(page, "two")
        page.engine.configure(GATEWAY)
        edited = await begun(page, "other", edits="q-one")
        await until(lambda: page.last(edited) == "queued")
        await press(page, "edit", edited)
        assert await shown(page.store) == ["q-one", first, "q-two", second]
        said = [m for m in page.messages if m["type"] in ("removed", "conversation", "draft")][-3:]
        assert [m["type"] for m in said] == ["removed", "conversation", "draft"]
        assert [t["message"] for t in said[1]["turns"]] == ["q-one", first, "q-two", second]
        assert said[2]["text"] == "other"

    run(scenario)


def test_files_have_the_version_that_is_shown_and_ours_has_all() -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        await asked(page, "one")
        await asked(page, "other", edits="q-one")
        await step(page, "q-other", -1)
        (conversation,) = await page.store.conversations()
        for written in (
            await markdown_of(page.store, conversation, LABELS, 0),
            await web_page(page.store, conversation, LABELS),
        ):
            assert "one" in written and "other" not in written
        file = archive.encode(await archive.everything(page.store))
        store = MemoryStore()
        assert await importer.add_all(store, await import_file.decode(file)) == 1
        assert await shown(store) == await shown(page.store)
        assert {m["id"] for m in await store.messages(conversation["id"])} == {
            m["id"] for m in await page.store.messages(conversation["id"])
        }
        assert (await record_of(store, "q-other"))["parent"] == ""

    run(scenario)


def test_what_a_file_says_of_parents_is_checked() -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        await asked(page, "one")
        data = await archive.everything(page.store)
        question = data["conversations"][0]["messages"][0]
        for odd in ("nobody", question["id"]):
            question["parent"], data["conversations"][0]["leaf"] = odd, "nobody"
            store = MemoryStore()
            await importer.add_all(store, json.loads(json.dumps(data)))
            assert "parent" not in await record_of(store, "q-one")
            assert "leaf" not in (await store.conversations())[0]
            assert len(await shown(store)) == 2

    run(scenario)


# Another device


@pytest.mark.parametrize("parent", [None, "", "a1"])
def test_the_key_says_what_another_device_would_not_know(parent: str | None) -> None:
    entry = {"id": "0" * 32, "prompt": "p", "model": "m", "created": 1.0, "updated": 2.0, "head": 9}
    entry |= {"state": "completed", "key": run_key("q2", "a2", 0, parent)}
    found = _run(entry, 10_000)
    assert (found.question, found.answer, found.n, found.parent) == ("q2", "a2", 0, parent)


def test_a_line_needs_no_more_in_its_keys_than_ever() -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        first = await asked(page, "one")
        second = await asked(page, "two")
        third = await again(page, second)
        edited = await asked(page, "other", edits="q-two")
        last = await asked(page, "more")
        keys = [(await record_of(page.store, a))["runs"][0]["key"] for a in (first, second, third, edited, last)]
        parts = [key.split(".")[3:] for key in keys]
        assert parts == [[], [], [], [first], []]

    run(scenario)


def test_another_device_makes_the_same_versions_of_the_runs() -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        first = await asked(page, "one")
        await asked(page, "two")
        await asked(page, "other", edits="q-one")
        await step(page, "q-other", -1)
        await asked(page, "new", edits="q-two")
        await again(page, first)
        await until(lambda: not list(page.engine._answers))
        (conversation,) = await page.store.conversations()
        here = await page.store.messages(conversation["id"])
        runs = []
        for n, record in enumerate(m for m in here if m["runs"]):
            entry = {"id": f"{n:032x}", "prompt": "p", "model": "m", "created": 1.0, "updated": 2.0}
            entry |= {"state": "completed", "head": 9, "key": record["runs"][0]["key"]}
            runs.append(_run(entry, 10_000))
        store = MemoryStore()
        gateway = Endpoint("Gateway", "gateway", "v1", "m")
        change = await _ChangeBuilder(None, gateway, conversation["id"], store).change(runs)  # type: ignore[arg-type]
        assert change
        await store.commit(change)
        for record in here:
            there = {"id": conversation["id"], "leaf": record["id"]}
            assert await branch_of(store, there) == await same(store, await branch_of(page.store, there))

    async def same(store: MemoryStore, line: list[Any]) -> list[Any]:
        return [(await record_of(store, record["id"]), place) for record, place in line]

    run(scenario)
