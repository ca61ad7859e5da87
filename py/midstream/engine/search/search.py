"""Search for terms in all conversations: in their titles, their questions and their answers.

There is no index: every flush would have to write it, and every change of the folding would make it
useless. A search reads all texts, in pieces. The folded texts of ended answers stay in memory, up to a
limit, so the next letter needs no reading. Decision 0021 has the figures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from midstream.engine.ports.host import Host, Message, detail_of
from midstream.engine.ports.jobs import Jobs
from midstream.engine.search.folding import fold, marked, snippet, spans
from midstream.engine.store.records import FINAL_STATES, alive
from midstream.engine.store.rendering import rows_of
from midstream.errors import StoreError
from midstream.journal import Record, text

RESULTS = 50
TERMS = 8
TERM_CHARACTERS = 100
FOLDED_CHARACTERS = 32 * 2**20  # of folded answers in memory
FEW = 40  # answers that are read one by one; more are read with all others
_FIELDS = ("id", "conversation", "author", "position", "text", "state", "tokens", "seconds", "runs")


@dataclass(slots=True)
class Candidate:
    """A conversation, with the terms that it is known to hold so far."""

    record: Record
    terms: int = 0  # bits: the terms that occur in it
    best: int = 0  # how many of them occur in `message`
    position: float = 0
    message: str = ""  # the one that the result shows


@dataclass(slots=True)
class UnreadAnswer:
    """An answer whose text is still to be searched."""

    candidate: Candidate
    position: float
    stamp: object  # changes with the text; None while it is being written


class Search:
    """One search at a time: the next one ends it."""

    def __init__(self, host: Host, jobs: Jobs, gateway_items: Callable[[], list[Record]]) -> None:
        """`gateway_items`: of the list: conversations that only the gateway may have."""
        self._host = host
        self._jobs = jobs
        self._gateway_items = gateway_items
        self._task: asyncio.Task[None] | None = None
        self._folded: dict[str, tuple[object, str]] = {}  # by answer: its stamp, its folded text
        self._size = 0  # of those texts

    async def search(self, intent: Message) -> None:
        if self._task:
            self._task.cancel()
        terms = terms_of(str(intent["text"]))
        self._task = self._jobs.spawn(self._run(terms, intent["n"])) if terms else None

    async def _run(self, terms: list[str], n: Any) -> None:
        """Posts the results of titles and questions at once, and all results in the end."""
        try:
            every = await self._titles(terms)
            answers = await self._questions(every, terms)
            await self._post(every, terms, n, done=False)
            await self._answers(answers, terms)
            await self._post(every, terms, n, done=True)
        except StoreError as error:
            failed = detail_of(error)
            self._host.post({"type": "found", "n": n, "failed": failed.pop("detail")} | failed)

    async def _post(self, every: dict[str, Candidate], terms: list[str], n: Any, *, done: bool) -> None:
        whole = (1 << len(terms)) - 1
        results = [one for one in every.values() if one.terms == whole]
        results.sort(key=lambda one: float(one.record["updated"]), reverse=True)
        items = [await self._item(one, terms) for one in results[:RESULTS]]
        message = {"n": n, "items": items, "more": len(results) > RESULTS, "done": done}
        self._host.post({"type": "found", **message})

    async def _item(self, result: Candidate, terms: list[str]) -> Message:
        item: Message = {
            "id": result.record["id"],
            "title": marked(str(result.record["title"]), terms),
            "message": result.message,
            "snippet": [],
            "spellings": [],
        }
        record = await self._host.store.message(result.message) if result.message else None
        if record:
            whole = record.get("text") or text(await rows_of(self._host.store, result.message))
            positions = spans(whole, terms)
            item["snippet"] = snippet(whole, positions[0][0] if positions else 0, terms)
            # As the message spells the terms: the screen marks these, and folds nothing itself.
            item["spellings"] = sorted({whole[start:end] for start, end in positions})
        return item

    async def _titles(self, terms: list[str]) -> dict[str, Candidate]:
        records = alive(await self._host.store.conversations())
        every = {record["id"]: Candidate(record) for record in records}
        for item in self._gateway_items():
            every.setdefault(item["id"], Candidate(item))
        for candidate in every.values():
            candidate.terms = _occurring(fold(str(candidate.record["title"])), terms)
        return every

    async def _questions(self, every: dict[str, Candidate], terms: list[str]) -> dict[str, UnreadAnswer]:
        """Searches the questions; gives the answers."""
        answers: dict[str, UnreadAnswer] = {}
        async for piece in self._host.store.read_all("messages", _FIELDS):
            for record in piece:
                match record:
                    case {
                        "id": str(key),
                        "conversation": str(conversation),
                        "position": int() | float() as n,
                    }:
                        if not (candidate := every.get(conversation)):
                            continue
                        if isinstance(question := record.get("text"), str):
                            _note(candidate, key, n, fold(question), terms)
                        else:
                            answers[key] = UnreadAnswer(candidate, n, _stamp(record))
            await asyncio.sleep(0)
        return answers

    async def _answers(self, answers: dict[str, UnreadAnswer], terms: list[str]) -> None:
        held = {key: entry for key, entry in self._folded.items() if key in answers}
        self._folded = {key: entry for key, entry in held.items() if entry[0] == answers[key].stamp}
        self._size = sum(len(folded) for _, folded in self._folded.values())
        for key, (_, folded) in self._folded.items():
            _note(answers[key].candidate, key, answers[key].position, folded, terms)
        await asyncio.sleep(0)
        unknown = answers.keys() - self._folded.keys()
        if len(unknown) > FEW:
            await self._read_all({key: answers[key] for key in unknown}, terms)
            return
        for key in unknown:
            self._search(key, answers[key], text(await rows_of(self._host.store, key)), terms)

    async def _read_all(self, answers: dict[str, UnreadAnswer], terms: list[str]) -> None:
        """The rows of an answer follow each other; a term may begin in one and end in the next."""
        message, texts = "", [""]
        async for piece in self._host.store.read_all("journal", ("message", "n", "text")):
            for row in piece:
                if row.get("message") != message:
                    if message in answers:
                        self._search(message, answers[message], "".join(texts), terms)
                    message, texts = str(row.get("message")), []
                if isinstance(row.get("text"), str):
                    texts.append(row["text"])
            await asyncio.sleep(0)
        if message in answers:
            self._search(message, answers[message], "".join(texts), terms)

    def _search(self, key: str, answer: UnreadAnswer, whole: str, terms: list[str]) -> None:
        folded = fold(whole)
        _note(answer.candidate, key, answer.position, folded, terms)
        if answer.stamp and self._size + len(folded) <= FOLDED_CHARACTERS:
            self._folded[key] = (answer.stamp, folded)
            self._size += len(folded)


def terms_of(text: str) -> list[str]:
    terms = dict.fromkeys(fold(text).split())
    return [term[:TERM_CHARACTERS] for term in terms][:TERMS]


def _occurring(folded: str, terms: list[str]) -> int:
    return sum(1 << n for n, term in enumerate(terms) if term in folded)


def _stamp(record: Record) -> object:
    """An ended answer has the same text as long as it is not continued."""
    if record.get("state") not in FINAL_STATES or not isinstance(record.get("runs"), list):
        return None
    return record["state"], len(record["runs"]), record.get("tokens"), record.get("seconds")


def _note(candidate: Candidate, message: str, position: float, folded: str, terms: list[str]) -> None:
    """Notes the terms of a message. The result shows the message with most of them, the first one
    of several."""
    bits = _occurring(folded, terms)
    candidate.terms |= bits
    count, best = bits.bit_count(), candidate.best
    if count > best or (count and count == best and position < candidate.position):
        candidate.best, candidate.position, candidate.message = count, position, message
