"""Looks for words in all conversations: in their titles, and in all that was said in them.

There is no index: it would have to be kept with every flush, and again for every change of how words
are looked for. All texts are read in pieces, as they are stored, so at most one piece is in memory;
decision 0021 has the figures.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from ..errors import StoreError
from ..journal import Record
from .folding import Part, fold, marked, place, snippet
from .host import Host, Message
from .records import alive
from .shown import Shown

RESULTS = 50
WORDS = 8
WORD_CHARACTERS = 100


@dataclass(slots=True)
class Found:
    """What is known of a conversation so far."""

    record: Record
    words: int = 0  # bits: those that occur in it
    best: int = 0  # how many of them occur in the message that is shown of it
    position: float = 0
    message: str = ""
    snippet: list[Part] | None = None


class Search:
    """One search at a time: the next one ends it."""

    def __init__(self, host: Host, shown: Shown) -> None:
        self._host = host
        self._shown = shown
        self._task: asyncio.Task[None] | None = None

    async def search(self, intent: Message) -> None:
        if self._task:
            self._task.cancel()
        words = words_of(str(intent["text"]))
        self._task = asyncio.ensure_future(self._answer(words, intent["n"])) if words else None

    async def _answer(self, words: list[str], n: Any) -> None:
        try:
            found = await self._look(words)
        except StoreError as error:
            self._host.post({"type": "found", "n": n, "failed": error.line()})
            return
        found.sort(key=lambda one: float(one.record["updated"]), reverse=True)
        items = [_item(one, words) for one in found[:RESULTS]]
        self._host.post({"type": "found", "n": n, "items": items, "more": len(found) > RESULTS})

    async def _look(self, words: list[str]) -> list[Found]:
        records = alive(await self._host.store.conversations())
        every = {record["id"]: Found(record) for record in records}
        for item in self._shown.elsewhere:
            every.setdefault(item["id"], Found(item))
        for found in every.values():
            found.words = _occurring(fold(str(found.record["title"])), words)
        async for conversation, message, position, text in self._texts():
            if conversation in every:
                _meet(every[conversation], message, position, text, words)
        return [found for found in every.values() if found.words == (1 << len(words)) - 1]

    async def _texts(self) -> AsyncIterator[tuple[str, str, float, str]]:
        """(conversation, message, position, text) of everything that was said."""
        answers: dict[str, tuple[str, float]] = {}
        fields = ("id", "conversation", "author", "position", "text")
        async for piece in self._host.store.read_all("messages", fields):
            for record in piece:
                match record:
                    case {
                        "id": str(key),
                        "conversation": str(talk),
                        "position": int() | float() as n,
                    }:
                        if isinstance(text := record.get("text"), str):
                            yield talk, key, n, text
                        else:
                            answers[key] = (talk, n)
            await asyncio.sleep(0)
        message, rows = "", [""]
        async for piece in self._host.store.read_all("journal", ("message", "n", "text")):
            for row in piece:
                if row.get("message") != message:
                    if message in answers:
                        yield answers[message][0], message, answers[message][1], "".join(rows)
                    message, rows = str(row.get("message")), []
                if isinstance(row.get("text"), str):
                    rows.append(row["text"])
            await asyncio.sleep(0)
        if message in answers:
            yield answers[message][0], message, answers[message][1], "".join(rows)


def words_of(text: str) -> list[str]:
    words = dict.fromkeys(fold(text).split())
    return [word[:WORD_CHARACTERS] for word in words][:WORDS]


def _occurring(folded: str, words: list[str]) -> int:
    return sum(1 << n for n, word in enumerate(words) if word in folded)


def _meet(found: Found, message: str, position: float, text: str, words: list[str]) -> None:
    """Of a conversation the message is shown that has most of the words, the first such one."""
    folded = fold(text)
    bits = _occurring(folded, words)
    found.words |= bits
    count = bits.bit_count()
    if count > found.best or (count and count == found.best and position < found.position):
        first = min(at for word in words if (at := folded.find(word)) >= 0)
        found.best, found.position, found.message = count, position, message
        found.snippet = snippet(text, place(text, first), words)


def _item(found: Found, words: list[str]) -> Message:
    record = found.record
    return {
        "id": record["id"],
        "title": marked(str(record["title"]), words),
        "message": found.message,
        "snippet": found.snippet or [],
    }
