"""What a model thinks before it answers, and the source: stored, and told to the screen beside the ops."""

from __future__ import annotations

import asyncio

from midstream.engine.answers.answer_journal import AnswerJournal
from midstream.engine.answers.status import status_of
from midstream.engine.ports.host import Message
from midstream.engine.store.rendering import patches, rows_of
from midstream.events import Delta
from midstream.journal import MemoryStore, Record
from midstream.session import Deliver
from tests.unit.engine.answers.test_answer_journal import host_of

THOUGHTS = ["First ", "the moon", ", then the sun."]
WORDS = ["Tides ", "rise."]


def new_record() -> Record:
    runs = [{"seq": 0, "began": 1, "endpoint": {"name": "x"}}]
    return {"id": "a1", "conversation": "c", "position": 1, "runs": runs, "state": "streaming"}


def deliveries() -> list[Deliver]:
    deltas = [Delta(reasoning=each) for each in THOUGHTS] + [Delta(text=each) for each in WORDS]
    return [Deliver(n, (delta,)) for n, delta in enumerate(deltas, 1)]


class Reader:
    """What a screen makes of the patches."""

    def __init__(self) -> None:
        self.thought = self.source = ""

    def paint(self, patch: Message | None) -> None:
        assert patch is not None
        if patch.get("reset"):
            self.thought = self.source = ""
        self.thought += patch.get("thought", "")
        self.source += patch.get("source", "")


async def journal_of(store: MemoryStore, reader: Reader, end: bool) -> AnswerJournal:
    journal = AnswerJournal(host_of(store), new_record())
    for each in deliveries():
        _, patch = await journal.append([each])
        reader.paint(patch)
    if end:
        reader.paint(await journal.end())
    return journal


def test_patches_bring_thoughts_and_source_once() -> None:
    reader = Reader()
    asyncio.run(journal_of(MemoryStore(), reader, end=True))
    assert (reader.thought, reader.source) == ("".join(THOUGHTS), "".join(WORDS))


def test_a_later_page_gets_them_too_before_and_after_the_end() -> None:
    async def play(end: bool) -> Reader:
        store, again = MemoryStore(), Reader()
        await journal_of(store, Reader(), end)
        for patch in patches(new_record(), await rows_of(store, "a1"), 0):
            again.paint(patch)
        return again

    for end in (False, True):
        again = asyncio.run(play(end))
        assert (again.thought, again.source) == ("".join(THOUGHTS), "".join(WORDS))


def test_how_long_it_thought_is_kept_from_the_first_word_on() -> None:
    store = MemoryStore()
    journal = asyncio.run(journal_of(store, Reader(), end=False))
    thought = journal.record["thought"]
    assert thought["tokens"] == len(THOUGHTS) and thought["seconds"] >= 0
    # Stored with the word itself: a page that goes now does not lose it.
    assert asyncio.run(store.message("a1"))["thought"] == thought  # type: ignore[index]
    assert status_of(journal.record, journal.rows)["thought"] == thought


def test_an_answer_without_thoughts_says_nothing_of_them() -> None:
    async def play() -> AnswerJournal:
        journal = AnswerJournal(host_of(MemoryStore()), new_record())
        await journal.append([Deliver(1, (Delta(text="At once."),))])
        return journal

    journal = asyncio.run(play())
    assert "thought" not in journal.record
    assert "thought" not in status_of(journal.record, journal.rows)
