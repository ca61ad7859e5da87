"""What a person has read of an answer stays on screen when it goes on, wherever it was cut."""

from __future__ import annotations

import asyncio
import re
from itertools import count

import pytest

from midstream.engine.answers.answer_journal import AnswerJournal
from midstream.engine.ports.host import Host, Message
from midstream.errors import StoreError
from midstream.events import Delta
from midstream.journal import Change, MemoryStore, Record, text
from midstream.markdown import VERSION
from midstream.patch import Node, Tree, opened, unpack
from midstream.session import Deliver
from tests.unit.engine.support import drawn, same_tree

ANSWER = """w1 w2 **w3 w4** w5

| w6 | w7 |
|:--|--:|
| w8 | w9 |

1. w10
2. w11 [w12](https://x.test/y) end

```python
w14
```

w15
===

w16 $w17$ end
"""


def words(tree: Tree) -> set[str]:
    return set(re.findall(r"w\d+", _text(tree.root)))


def whole_words(tree: Tree) -> set[str]:
    """Without the last one, which may have been cut."""
    return set(re.findall(r"w\d+(?=\D)", _text(tree.root).strip()))


def _text(node: Node | str) -> str:
    return node if isinstance(node, str) else "\n".join(map(_text, node.children))


class Screen:
    def __init__(self) -> None:
        self.tree = Tree()
        self.newest = 0

    def paint(self, patch: Message | None) -> None:
        if patch is None:
            return
        if patch.get("reset"):
            self.tree, self.newest = Tree(), 0
        ops = unpack(patch["packed"], self.newest)
        self.tree.apply(ops)
        self.newest += opened(ops)


def host_of(store: MemoryStore) -> Host:
    clock = count()
    return Host(
        store=store,
        net=None,  # type: ignore[arg-type]
        post=lambda message: None,
        now=lambda: float(next(clock)),
        new_id=lambda: "id",
        lock=lambda name: asyncio.Lock(),
    )


def new_record() -> Record:
    return {"id": "answer", "conversation": "c", "position": 1, "runs": [{"seq": 0}]}


def delivered(pieces: list[str], first: int = 1) -> list[Deliver]:
    return [Deliver(n, (Delta(text=piece),)) for n, piece in enumerate(pieces, first)]


class Story:
    """One answer, its store and the screen that shows it."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        self.screen = Screen()
        self.record: Record = {"id": "answer", "conversation": "c", "position": 1, "runs": []}

    def journal(self) -> AnswerJournal:
        return AnswerJournal(host_of(self.store), self.record)

    async def begin(self, said: str) -> None:
        """The first run, which ends after `said`."""
        self.record["runs"].append({"seq": 1})
        journal = self.journal()
        self.screen.paint((await journal.append(delivered([said])))[1])
        await self.end(journal)

    async def end(self, journal: AnswerJournal) -> None:
        self.screen.paint(await journal.end())
        self.record = journal.record | {"parser": VERSION}

    async def go_on(self) -> AnswerJournal:
        self.record["runs"].append({"seq": 0})
        journal = self.journal()
        assert not await journal.recall()
        return journal

    async def painted_anew(self) -> Tree:
        """What a reload shows before the engine is there."""
        tree = Tree()
        for row in await self.store.rows("answer"):
            tree.apply(row["ops"])
        return tree


async def said(story: Story, pieces: list[str]) -> None:
    """The second run says them. No word that was read is missing from any frame, nor after a reload."""
    read = whole_words(story.screen.tree)
    journal = await story.go_on()
    pending: list[Deliver] = []
    for n, one in enumerate(delivered(pieces), 1):
        pending.append(one)
        taken = journal.row_size(pending, final=n == len(pieces))
        if taken:
            story.screen.paint((await journal.append(pending[:taken]))[1])
            pending = pending[taken:]
        assert read <= words(story.screen.tree)
        if n < len(pieces):
            assert read <= words(await story.painted_anew())
    await story.end(journal)
    assert read <= words(story.screen.tree)


ONE_BY_ONE = pytest.param(1, marks=pytest.mark.full_run(reason="the longest way of each cut"))


@pytest.mark.parametrize("size", [ONE_BY_ONE, 3, 1000])
def test_no_word_goes_when_the_answer_goes_on(size: int) -> None:
    async def scenario(cut: int) -> None:
        story = Story()
        await story.begin(ANSWER[:cut])
        rest = ANSWER[cut:]
        await said(story, [rest[at : at + size] for at in range(0, len(rest), size)])
        assert same_tree(story.screen.tree, drawn(ANSWER)), cut
        assert same_tree(await story.painted_anew(), drawn(ANSWER)), cut

    for cut in range(1, len(ANSWER)):
        asyncio.run(scenario(cut))


@pytest.mark.parametrize("more", ["", " |", " |\n|:-"])
def test_no_word_goes_when_the_next_run_ends_at_once(more: str) -> None:
    async def scenario() -> None:
        story = Story()
        await story.begin("w1\n\n| w2 | w3 | w")
        await said(story, [more] if more else [])
        assert same_tree(story.screen.tree, drawn("w1\n\n| w2 | w3 | w" + more))
        assert same_tree(await story.painted_anew(), drawn("w1\n\n| w2 | w3 | w" + more))

    asyncio.run(scenario())


class Full(MemoryStore):
    """A storage that refuses as long as it is `full`."""

    full = False

    async def commit(self, change: Change) -> None:
        if self.full:
            raise StoreError("full")
        await super().commit(change)


def test_a_full_storage_keeps_the_closed_text_until_it_takes_all_of_the_open_one() -> None:
    async def scenario() -> None:
        store = Full()
        story = Story(store)
        await story.begin("w1 w2\n\nw3")
        journal = await story.go_on()
        store.full = True
        assert journal.row_size(delivered([" w4"]), final=False)
        await journal.append(delivered([" w4"]))
        assert journal.unstored == 1
        assert same_tree(await story.painted_anew(), drawn("w1 w2\n\nw3"))
        store.full = False
        for n in range(2, 9):  # each flush asks for the time once, and so one second passes
            await journal.append(delivered([f" w{n + 3}"], n))
        assert journal.unstored == 0
        rows = await store.rows("answer")
        assert text([*journal.rows]) == "".join(row["text"] for row in rows)
        assert text([*journal.rows]) == "w1 w2\n\nw3 w4 w5 w6 w7 w8 w9 w10 w11"

    asyncio.run(scenario())
