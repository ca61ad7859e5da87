"""The engine without a browser: its demo endpoint or a real gateway, a store in memory, and pages that
vanish.

A *page* is one Engine over a store that outlives it. `Page.vanish` drops it as a reload does: no
goodbye, no last flush.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from midstream.engine.answers import flusher
from midstream.engine.app import Engine
from midstream.engine.ports.host import Host, Message, Net
from midstream.journal import MemoryStore, Row, text
from midstream.markdown import Parser
from midstream.markdown.html import render
from midstream.patch import Op, Tree, opened, unpack
from midstream.providers import demo
from tests.support.patience import PATIENCE_MS
from tests.support.port import message_faults

DEMO = {"endpoints": [{"name": "Demo", "kind": "demo"}]}
FAULTS: list[str] = []  # of what engines have posted; conftest.py looks at it after each test
PROMPT = "a list and a table, please"


def quicken(monkeypatch: pytest.MonkeyPatch, rate: float) -> None:
    """A demo of `rate` tokens per second, and flushes that do not wait for frames."""
    monkeypatch.setattr(demo, "RATE", rate)
    monkeypatch.setattr(flusher, "FLUSH_S", 0.002)


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

    def __init__(
        self,
        store: MemoryStore,
        locks: Locks,
        net: Net | None = None,
        tabs: list[Page] | None = None,
    ) -> None:
        """`tabs`: all pages of the browser, which hear each other."""
        self.store = store
        self.gone = False
        self.tabs = [] if tabs is None else tabs
        self.tabs.append(self)
        self.messages: list[Message] = []
        self._hearing: list[asyncio.Future[None]] = []
        self.trees: dict[str, Tree] = {}
        self.painted: dict[str, int] = {}
        self.newest: Counter[str] = Counter()  # the id of the newest element, by message
        self.unsaved: list[int] = []  # patches that were shown before they were stored
        ids = (f"id-{id(self)}-{n}" for n in itertools.count())
        host = Host(
            store=store,
            net=net,  # type: ignore[arg-type]
            post=self._post,
            now=asyncio.get_running_loop().time,
            new_id=lambda: next(ids),
            lock=locks,
            broadcast=self._broadcast,
        )
        self.engine = Engine(host)

    def _post(self, message: Message) -> None:
        FAULTS.extend(message_faults(json.loads(json.dumps(message))))
        self.messages.append(message)
        if message["type"] == "patch":
            self._paint(message)

    def _broadcast(self, message: Message) -> None:
        """In another turn of the event loop, as a BroadcastChannel does."""
        for tab in self.tabs:
            if tab is not self:
                asyncio.get_running_loop().call_soon(tab._hear, json.dumps(message))

    def _hear(self, said: str) -> None:
        if not self.gone:
            intent = {"type": "tab", "said": json.loads(said)}
            self._hearing.append(asyncio.ensure_future(self.engine.handle(intent)))

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
        self.gone = True
        tasks = [*self.engine._jobs.tasks, *self.engine._watch.jobs.tasks]
        tasks += [task for answer in self.engine._answers for task in answer.jobs.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not condition():
            await asyncio.sleep(0.001)


async def send(page: Page, words: str = PROMPT, conversation: str | None = None) -> str:
    """Sends a prompt; the id of the answer."""
    await page.engine.handle({"type": "send", "conversation": conversation, "message": f"q-{words}", "text": words})
    turns = [m["turn"] for m in page.messages if m["type"] == "turn"]
    return str(turns[-1]["message"])


async def press(page: Page, button: str, message: str) -> None:
    await page.engine.handle({"type": button, "message": message})


async def new_page(
    store: MemoryStore,
    locks: Locks,
    net: Net | None = None,
    tabs: list[Page] | None = None,
    config: dict[str, Any] = DEMO,
) -> Page:
    page = Page(store, locks, net, tabs)
    await page.engine.start()
    page.engine.configure(config)
    return page


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(scenario())  # type: ignore[arg-type]


def whole(prompt: str = PROMPT) -> str:
    return "".join(demo.tokens(prompt))


def drawn(source: str) -> Any:
    parser = Parser()
    return Tree().apply(parser.feed(source) + parser.finish())


def same_tree(a: Any, b: Any) -> bool:
    return render(a, "safe") == render(b, "safe")


async def text_of(store: MemoryStore, message: str) -> str:
    return text(Row.from_record(row) for row in await store.rows(message))
