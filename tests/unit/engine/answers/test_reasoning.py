"""What a model thinks before it answers, and the source: stored, and told to the screen beside the ops."""

from __future__ import annotations

import asyncio

import pytest

from midstream.engine.answers.answer_journal import AnswerJournal
from midstream.engine.answers.status import status_of
from midstream.engine.ports.host import Message
from midstream.engine.store.rendering import patches, rows_of
from midstream.events import Delta
from midstream.journal import Change, MemoryStore, Record, text
from midstream.markdown import VERSION
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


TAGGED = {
    "a pair": (["<th", "ink>", "Hm, ", "so.</", "think>\n", "\nTides ", "rise."], "Hm, so.", "Tides rise."),
    "closed only": (["Hm, ", "so.\n", "</thi", "nk>", "\n\nTides ", "rise."], "Hm, so.", "Tides rise."),
    "open": (["<think>", "Hm, so"], "Hm, so", ""),
    "none": (["<", "b", "> Tides ", "rise."], "", "<b> Tides rise."),
    "a mark alone": (["<"], "", "<"),
}


@pytest.mark.parametrize("reload", [0, 1, 2, 3, 4, 5, 9], ids="reload after {}".format)
@pytest.mark.parametrize("name", TAGGED)
def test_reasoning_in_the_text_is_told_apart_over_reloads(name: str, reload: int) -> None:
    """The screen and the next page have the same of it, before and after the end."""
    pieces, thought, words = TAGGED[name]

    async def scenario() -> None:
        store, reader = MemoryStore(), Reader()
        record = new_record() | {"parser": VERSION}
        await store.commit(Change().put("messages", record))
        journal = AnswerJournal(host_of(store), record)
        for n, piece in enumerate(pieces, 1):
            if n == reload:
                journal = AnswerJournal(host_of(store), record)
                assert not await journal.recall()
                reader = Reader()
                for patch in patches(record, journal.rows, 0):
                    reader.paint(patch)
            _, made = await journal.append([Deliver(n, (Delta(piece),))])
            reader.paint(made)
            stored = await rows_of(store, "a1")
            assert ("".join(row.reasoning for row in stored), text(stored)) == (reader.thought, reader.source)
            assert stored[-1].last == n
        if last := await journal.end():
            reader.paint(last)
        assert (reader.thought.strip(), reader.source.strip()) == (thought, words)
        (whole,) = await rows_of(store, "a1")
        assert (whole.reasoning.strip(), whole.text.strip()) == (thought, words)
        assert (whole.tokens, whole.last, whole.held, whole.inside) == (len(pieces), len(pieces), "", False)

    asyncio.run(scenario())
