"""The engine without a browser: its demo endpoint, a store in memory, and pages that vanish.

A *page* is one Engine over a store that outlives it. `Page.vanish` drops it as a reload does: no
goodbye, no last flush.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from midstream.engine import answer as answer_module
from midstream.engine import transcript, written
from midstream.engine.app import Engine, decode
from midstream.engine.endpoints import endpoints
from midstream.engine.host import Host, Message
from midstream.errors import StoreError
from midstream.journal import Change, MemoryStore, Row, text, unbroken
from midstream.markdown import Parser
from midstream.patch import Op, Tree, opened, unpack
from midstream.providers import demo

DEMO = {"endpoints": [{"name": "Demo", "kind": "demo"}]}
PROMPT = "a list and a table, please"


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "RATE", 2000.0)
    monkeypatch.setattr(answer_module, "FLUSH_S", 0.002)


class Locks:
    """Web Locks in memory: one holder for each name over all pages."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def __call__(self, name: str) -> AsyncIterator[None]:
        async with self._locks.setdefault(name, asyncio.Lock()):
            yield


class Page:
    """One life of the page: its engine, and a screen that paints what it is sent."""

    def __init__(self, store: MemoryStore, locks: Locks) -> None:
        self.store = store
        self.messages: list[Message] = []
        self.trees: dict[str, Tree] = {}
        self.painted: dict[str, int] = {}
        self.newest: Counter[str] = Counter()  # the id of the newest element, by message
        self.unsaved: list[int] = []  # patches that were shown before they were stored
        ids = (f"id-{id(self)}-{n}" for n in itertools.count())
        host = Host(
            store=store,
            net=None,  # type: ignore[arg-type]
            post=self._post,
            now=asyncio.get_running_loop().time,
            new_id=lambda: next(ids),
            lock=locks,
        )
        self.engine = Engine(host)

    def _post(self, message: Message) -> None:
        self.messages.append(message)
        if message["type"] == "patch":
            self._paint(message)

    def _paint(self, patch: Message) -> None:
        key, n = patch["message"], patch["n"]
        if patch.get("reset"):
            self.trees[key] = Tree()
            self.newest[key] = 0
        elif n <= self.painted.get(key, 0):
            return
        else:
            assert n == self.painted.get(key, 0) + 1, "a hole in the patches"
        self._apply(key, unpack(patch["packed"], self.newest[key]))
        self.painted[key] = n
        if n > max((row["n"] for row in self.store._stores["journal"].values()), default=0):
            self.unsaved.append(n)

    def _apply(self, key: str, ops: list[Op]) -> None:
        self.trees.setdefault(key, Tree()).apply(ops)
        self.newest[key] += opened(ops)

    async def paint_saved(self, conversation: str) -> None:
        """What the screen does before Python is up."""
        for record in await self.store.messages(conversation):
            for row in await self.store.rows(record["id"]):
                self._apply(record["id"], row["ops"])
                self.painted[record["id"]] = row["n"]

    def every_state(self, message: str) -> list[str]:
        statuses = [m for m in self.messages if m["type"] == "status"]
        return [status["state"] for status in statuses if status["message"] == message]

    def last(self, message: str) -> str:
        return (self.every_state(message) or [""])[-1]

    def states(self, message: str) -> list[str]:
        return [state for state, _ in itertools.groupby(self.every_state(message))]

    def lists(self) -> list[str]:
        """The state of the newest conversation in each list that was posted."""
        every = [m["items"] for m in self.messages if m["type"] == "conversations"]
        return [items[0]["state"] for items in every if items]

    def notices(self) -> list[str]:
        return [m["code"] for m in self.messages if m["type"] == "notice"]

    async def vanish(self) -> None:
        answers = self.engine._answers
        tasks = [*self.engine._tasks, *answers._writing.values()]
        tasks += [task for answer in answers for task in answer._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


async def send(page: Page, words: str = PROMPT, conversation: str | None = None) -> str:
    """Sends a prompt; the id of the answer."""
    await page.engine.handle(
        {"type": "send", "conversation": conversation, "message": f"q-{words}", "text": words}
    )
    turns = [m["turn"] for m in page.messages if m["type"] == "turn"]
    return str(turns[-1]["message"])


async def new_page(store: MemoryStore, locks: Locks) -> Page:
    page = Page(store, locks)
    await page.engine.start()
    page.engine.configure(DEMO)
    return page


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(scenario())  # type: ignore[arg-type]


def whole(prompt: str = PROMPT) -> str:
    return "".join(demo.tokens(prompt))


def drawn(source: str) -> Any:
    parser = Parser()
    return Tree().apply(parser.feed(source) + parser.finish())


def same_tree(a: Any, b: Any) -> bool:
    from midstream.markdown.html import render

    return render(a, "safe") == render(b, "safe")


async def text_of(store: MemoryStore, message: str) -> str:
    return text(Row.from_record(row) for row in await store.rows(message))


def test_an_answer_from_the_prompt_to_its_end() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        answer = await send(page)
        await until(lambda: page.last(answer) == "complete")
        assert await text_of(store, answer) == whole()
        assert same_tree(page.trees[answer], drawn(whole()))
        assert page.unsaved == []
        assert page.states(answer) == ["sending", "waiting", "streaming", "complete"]
        await until(lambda: page.lists()[-1] == "complete")
        assert page.lists() == ["streaming", "complete"]
        (row,) = await store.rows(answer)
        assert row["whole"]
        record = await store.message(answer)
        assert record is not None and record["state"] == "complete"
        assert record["tokens"] == len(list(demo.tokens(PROMPT)))

    run(scenario)


@pytest.mark.parametrize("reloads", [[1], [17], [60], [3, 4, 80], [120, 121, 122, 123]])
def test_reloads_lose_nothing_and_repeat_nothing(reloads: list[int]) -> None:
    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        page = await new_page(store, locks)
        answer = await send(page)
        conversation = (await store.conversations())[0]["id"]
        for at in reloads:
            await until(lambda at=at: len(store._stores["journal"]) and _stored(store) >= at)
            await page.vanish()
            page = Page(store, locks)
            await page.paint_saved(conversation)
            painted = dict(page.painted)
            await page.engine.start()
            page.engine.configure(DEMO)
            await page.engine.handle({"type": "open", "conversation": None, "painted": painted})
        await until(lambda: page.last(answer) == "complete")
        assert await text_of(store, answer) == whole()
        assert same_tree(page.trees[answer], drawn(whole()))
        assert not [m for m in page.messages if m["type"] == "patch" and m.get("reset")], (
            "what was painted from storage was thrown away"
        )

    run(scenario)


def _stored(store: MemoryStore) -> int:
    return max(row["last"] for row in store._stores["journal"].values())


def test_a_page_that_vanishes_between_the_last_flush_and_the_end_finds_the_end() -> None:
    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        page = await new_page(store, locks)
        commit = store.commit

        async def never_end(change: Change) -> None:
            if change.drop_rows:
                await asyncio.Event().wait()
            await commit(change)

        store.commit = never_end  # type: ignore[method-assign]
        answer = await send(page)
        await until(lambda: any(row["ended"] for row in store._stores["journal"].values()))
        await page.vanish()
        store.commit = commit  # type: ignore[method-assign]
        page = await new_page(store, locks)
        await page.engine.handle({"type": "open", "conversation": None, "painted": {}})
        await until(lambda: page.last(answer) == "complete")
        assert await text_of(store, answer) == whole()

    run(scenario)


def test_stop_ends_the_answer_and_keeps_its_text() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        answer = await send(page)
        await until(lambda: page.last(answer) == "streaming")
        await page.engine.handle({"type": "stop", "message": answer})
        await until(lambda: page.last(answer) == "stopped")
        written = await text_of(store, answer)
        assert written and whole().startswith(written) and written != whole()

    run(scenario)


def test_two_tabs_one_writer() -> None:
    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        first = await new_page(store, locks)
        answer = await send(first)
        await until(lambda: first.last(answer) == "streaming")
        second = await new_page(store, locks)
        await second.engine.handle({"type": "open", "conversation": None, "painted": {}})
        await first.vanish()
        await until(lambda: second.last(answer) == "complete")
        assert await text_of(store, answer) == whole()
        assert same_tree(second.trees[answer], drawn(whole()))

    run(scenario)


def test_a_prompt_that_is_repeated_is_sent_once() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        await send(page)
        await send(page)
        (conversation,) = await store.conversations()
        assert len(await store.messages(conversation["id"])) == 2
        opened = [m for m in page.messages if m["type"] == "conversation"]
        assert [m["id"] for m in opened] == [conversation["id"]], "the repetition is confirmed"
        await page.vanish()

    run(scenario)


def test_a_full_disk_is_said_and_the_answer_goes_on() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        answer = await send(page)
        await until(lambda: page.last(answer) == "streaming")

        async def full(change: Change) -> None:
            raise StoreError("the disk is full")

        store.commit = full  # type: ignore[method-assign]
        await until(lambda: page.last(answer) == "complete")
        assert page.notices() == ["not-saved"]
        assert same_tree(page.trees[answer], drawn(whole()))
        status = [m for m in page.messages if m["type"] == "status"][-1]
        assert status["saved"] == _stored(store) < status["seq"]

    run(scenario)


def test_what_a_full_disk_refused_is_stored_when_there_is_room_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(written, "RETRY_S", 0.01)

    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        answer = await send(page)
        await until(lambda: page.last(answer) == "streaming")
        commit = store.commit

        async def full(change: Change) -> None:
            raise StoreError("the disk is full", code="full")

        store.commit = full  # type: ignore[method-assign]
        await until(lambda: page.notices() == ["full"])
        store.commit = commit  # type: ignore[method-assign]
        await until(lambda: page.notices() == ["full", "saved-again"])
        await page.vanish()
        assert await text_of(store, answer) != ""
        rows = unbroken(Row.from_record(row) for row in await store.rows(answer))
        assert rows[-1].last == _stored(store)  # no hole where it was refused

    run(scenario)


def test_another_version_of_the_parser_draws_the_answer_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        page = await new_page(store, locks)
        answer = await send(page)
        await until(lambda: page.last(answer) == "complete")
        conversation = (await store.conversations())[0]["id"]
        for module in (transcript, answer_module, written):
            monkeypatch.setattr(module, "VERSION", 10**6)
        page = Page(store, locks)
        await page.paint_saved(conversation)
        await page.engine.start()
        painted = dict(page.painted)
        await page.engine.handle({"type": "open", "conversation": conversation, "painted": painted})
        assert [m for m in page.messages if m["type"] == "patch" and m.get("reset")]
        assert same_tree(page.trees[answer], drawn(whole()))
        record = await store.message(answer)
        assert record is not None and record["parser"] == 10**6

    run(scenario)


def test_an_ended_answer_that_is_painted_is_not_sent_again() -> None:
    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        page = await new_page(store, locks)
        answer = await send(page)
        await until(lambda: page.last(answer) == "complete")
        page = Page(store, locks)
        conversation = (await store.conversations())[0]["id"]
        await page.paint_saved(conversation)
        await page.engine.start()
        await page.engine.handle(
            {"type": "open", "conversation": conversation, "painted": dict(page.painted)}
        )
        assert not [m for m in page.messages if m["type"] == "patch"]
        (opened,) = [m for m in page.messages if m["type"] == "conversation"]
        assert [turn["author"] for turn in opened["turns"]] == ["user", "assistant"]

    run(scenario)


def test_regenerate_adds_an_answer_and_keeps_the_first() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        first = await send(page)
        await until(lambda: page.last(first) == "complete")
        await page.engine.handle({"type": "regenerate", "message": first})
        second = str([m["turn"] for m in page.messages if m["type"] == "turn"][-1]["message"])
        await until(lambda: page.last(second) == "complete")
        assert first != second
        assert await text_of(store, first) == await text_of(store, second) == whole()
        record = await store.message(second)
        assert record is not None
        assert await transcript.history_of(store, record) == [{"role": "user", "content": PROMPT}]

    run(scenario)


def test_a_conversation_goes_on_with_what_was_said() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        first = await send(page)
        await until(lambda: page.last(first) == "complete")
        conversation = (await store.conversations())[0]["id"]
        second = await send(page, "and then?", conversation)
        record = await store.message(second)
        assert record is not None
        assert await transcript.history_of(store, record) == [
            {"role": "user", "content": PROMPT},
            {"role": "assistant", "content": whole()},
            {"role": "user", "content": "and then?"},
        ]
        await page.vanish()

    run(scenario)


def test_save_and_copy_give_the_source_in_the_middle_of_the_stream() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        answer = await send(page)
        await until(lambda: page.last(answer) == "streaming")
        await page.engine.handle({"type": "save", "message": answer, "format": "markdown"})
        await page.engine.handle({"type": "copy", "message": answer})
        (download,) = [m for m in page.messages if m["type"] == "download"]
        (clipboard,) = [m for m in page.messages if m["type"] == "clipboard"]
        assert "partial" in download["text"].splitlines()[0]
        assert clipboard["text"] and whole().startswith(clipboard["text"])
        await page.vanish()

    run(scenario)


@pytest.mark.parametrize(
    "intent",
    [{"type": "dance"}, {"type": "send"}, {"type": "copy", "message": "nobody"}, {"type": "stop"}],
)
def test_an_impossible_intent_is_said_and_breaks_nothing(intent: Message) -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        await page.engine.handle(intent)
        assert page.notices() == ["failed"]
        answer = await send(page)
        await until(lambda: page.last(answer) == "complete")

    run(scenario)


def test_an_unknown_conversation_is_said() -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        await page.engine.handle({"type": "open", "conversation": "gone", "painted": {}})
        await until(lambda: page.notices() == ["unknown-conversation"])

    run(scenario)


@pytest.mark.parametrize("batch", ["", "{}", "[1]", '[{"kind": "x"}]', "nonsense"])
def test_a_batch_that_is_no_batch_is_refused(batch: str) -> None:
    with pytest.raises(ValueError):
        decode(batch)


def test_the_default_endpoint_comes_first_and_unusable_ones_are_left_out() -> None:
    config = {
        "endpoints": [
            {"name": "a", "kind": "openai", "url": "http://127.0.0.1:1/v1"},
            {"name": "b", "kind": "gateway", "unknown": 1},
            {"kind": "gateway"},
            {"name": "c", "kind": "telepathy"},
            "nonsense",
        ],
        "default": "b",
    }
    assert [endpoint.name for endpoint in endpoints(config)] == ["b", "a"]
    assert [endpoint.kind for endpoint in endpoints({})] == ["demo"]
