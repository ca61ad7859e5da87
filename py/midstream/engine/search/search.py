"""Looks for words in all conversations: in their titles, and in all that was said in them.

There is no index: it would have to be kept with every flush, and made anew for every change of how
words are looked for. All texts are read, in pieces; what was read of ended answers is kept folded, up
to a limit, so the next letters cost no reading.
Decision 0021 has the figures.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from midstream.engine.current_view import Shown
from midstream.engine.ports.host import Host, Message, notice_of, said_of
from midstream.engine.search.folding import fold, marked, snippet, spans
from midstream.engine.store.records import FINAL_STATES, alive
from midstream.engine.store.rendering import rows_of
from midstream.errors import StoreError
from midstream.journal import Record, text

RESULTS = 50
WORDS = 8
WORD_CHARACTERS = 100
KEPT_CHARACTERS = 32 * 2**20  # of folded answers in memory
FEW = 40  # answers that are read one by one; more are read with all others
_FIELDS = ("id", "conversation", "author", "position", "text", "state", "tokens", "seconds", "runs")


@dataclass(slots=True)
class Found:
    """What is known of a conversation so far."""

    record: Record
    words: int = 0  # bits: those that occur in it
    best: int = 0  # how many of them occur in the message that is shown of it
    position: float = 0
    message: str = ""


@dataclass(slots=True)
class Asked:
    """An answer that is to be looked at."""

    found: Found
    position: float
    stamp: object  # another one when its text may be another; None while it is being written


class Search:
    """One search at a time: the next one ends it."""

    def __init__(self, host: Host, shown: Shown) -> None:
        self._host = host
        self._shown = shown
        self._task: asyncio.Task[None] | None = None
        self._kept: dict[str, tuple[object, str]] = {}  # by answer: its stamp, its folded text
        self._size = 0  # of those texts

    async def search(self, intent: Message) -> None:
        if self._task:
            self._task.cancel()
        words = words_of(str(intent["text"]))
        self._task = asyncio.ensure_future(self._answer(words, intent["n"])) if words else None
        if self._task:
            self._task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._host.post(notice_of(error))

    async def _answer(self, words: list[str], n: Any) -> None:
        """Posts what titles and questions give at once, and all of it in the end."""
        try:
            every = await self._titles(words)
            answers = await self._questions(every, words)
            await self._post(every, words, n, done=False)
            await self._answers(answers, words)
            await self._post(every, words, n, done=True)
        except StoreError as error:
            failed = said_of(error)
            self._host.post({"type": "found", "n": n, "failed": failed.pop("detail")} | failed)

    async def _post(self, every: dict[str, Found], words: list[str], n: Any, *, done: bool) -> None:
        whole = (1 << len(words)) - 1
        found = [one for one in every.values() if one.words == whole]
        found.sort(key=lambda one: float(one.record["updated"]), reverse=True)
        items = [await self._item(one, words) for one in found[:RESULTS]]
        message = {"n": n, "items": items, "more": len(found) > RESULTS, "done": done}
        self._host.post({"type": "found", **message})

    async def _item(self, found: Found, words: list[str]) -> Message:
        item: Message = {
            "id": found.record["id"],
            "title": marked(str(found.record["title"]), words),
            "message": found.message,
            "snippet": [],
            "spellings": [],
        }
        record = await self._host.store.message(found.message) if found.message else None
        if record:
            said = record.get("text") or text(await rows_of(self._host.store, found.message))
            found_at = spans(said, words)
            item["snippet"] = snippet(said, found_at[0][0] if found_at else 0, words)
            # As the words are written there: the screen looks for these, and folds nothing itself.
            item["spellings"] = sorted({said[start:end] for start, end in found_at})
        return item

    async def _titles(self, words: list[str]) -> dict[str, Found]:
        records = alive(await self._host.store.conversations())
        every = {record["id"]: Found(record) for record in records}
        for item in self._shown.elsewhere:
            every.setdefault(item["id"], Found(item))
        for found in every.values():
            found.words = _occurring(fold(str(found.record["title"])), words)
        return every

    async def _questions(self, every: dict[str, Found], words: list[str]) -> dict[str, Asked]:
        """Looks at what the person has said; gives the answers."""
        answers: dict[str, Asked] = {}
        async for piece in self._host.store.read_all("messages", _FIELDS):
            for record in piece:
                match record:
                    case {
                        "id": str(key),
                        "conversation": str(talk),
                        "position": int() | float() as n,
                    }:
                        if talk not in every:
                            continue
                        if isinstance(said := record.get("text"), str):
                            _meet(every[talk], key, n, fold(said), words)
                        else:
                            answers[key] = Asked(every[talk], n, _stamp(record))
            await asyncio.sleep(0)
        return answers

    async def _answers(self, answers: dict[str, Asked], words: list[str]) -> None:
        known = {key: kept for key, kept in self._kept.items() if key in answers}
        self._kept = {key: kept for key, kept in known.items() if kept[0] == answers[key].stamp}
        self._size = sum(len(folded) for _, folded in self._kept.values())
        for key, (_, folded) in self._kept.items():
            _meet(answers[key].found, key, answers[key].position, folded, words)
        await asyncio.sleep(0)
        unknown = answers.keys() - self._kept.keys()
        if len(unknown) > FEW:
            await self._read_all({key: answers[key] for key in unknown}, words)
            return
        for key in unknown:
            self._read(key, answers[key], text(await rows_of(self._host.store, key)), words)

    async def _read_all(self, answers: dict[str, Asked], words: list[str]) -> None:
        """The rows of an answer follow each other; a word may begin in one and end in the next."""
        message, texts = "", [""]
        async for piece in self._host.store.read_all("journal", ("message", "n", "text")):
            for row in piece:
                if row.get("message") != message:
                    if message in answers:
                        self._read(message, answers[message], "".join(texts), words)
                    message, texts = str(row.get("message")), []
                if isinstance(row.get("text"), str):
                    texts.append(row["text"])
            await asyncio.sleep(0)
        if message in answers:
            self._read(message, answers[message], "".join(texts), words)

    def _read(self, key: str, asked: Asked, said: str, words: list[str]) -> None:
        folded = fold(said)
        _meet(asked.found, key, asked.position, folded, words)
        if asked.stamp and self._size + len(folded) <= KEPT_CHARACTERS:
            self._kept[key] = (asked.stamp, folded)
            self._size += len(folded)


def words_of(text: str) -> list[str]:
    words = dict.fromkeys(fold(text).split())
    return [word[:WORD_CHARACTERS] for word in words][:WORDS]


def _occurring(folded: str, words: list[str]) -> int:
    return sum(1 << n for n, word in enumerate(words) if word in folded)


def _stamp(record: Record) -> object:
    """An ended answer has the same text as long as it is not continued."""
    if record.get("state") not in FINAL_STATES or not isinstance(record.get("runs"), list):
        return None
    return record["state"], len(record["runs"]), record.get("tokens"), record.get("seconds")


def _meet(found: Found, message: str, position: float, folded: str, words: list[str]) -> None:
    """Of a conversation the message is shown that has most of the words, the first such one."""
    bits = _occurring(folded, words)
    found.words |= bits
    count = bits.bit_count()
    if count > found.best or (count and count == found.best and position < found.position):
        found.best, found.position, found.message = count, position, message
