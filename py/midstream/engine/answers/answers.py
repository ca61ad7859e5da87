"""The answers that are being written, by this tab or another one, and the order in which those of a
conversation are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from midstream.engine.answers.answer import Answer
from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.ports.host import Host, Message, notice_of
from midstream.engine.store.rendering import history_of, rows_of
from midstream.engine.transport.upstream import EndpointClient, Question
from midstream.errors import StoreError
from midstream.journal import Record, text

Post = Callable[[Record, Message], None]


class Answers:
    """Owns the answers from their start to their end. `post` gets what they tell the screen;
    `ended` is called when one is over, in whatever way."""

    def __init__(self, host: Host, post: Post, ended: Callable[[Record], None]) -> None:
        self._host = host
        self._post = post
        self._ended = ended
        self._answers: dict[str, Answer] = {}
        self._writing: dict[str, asyncio.Task[None]] = {}
        self._online = True
        self._waiting = 0  # the queue's length, as it was told last

    def __iter__(self) -> Iterator[Answer]:
        return iter(list(self._answers.values()))

    def get(self, message: str) -> Answer | None:
        return self._answers.get(message)

    def of(self, conversation: str) -> list[Answer]:
        return [answer for answer in self if answer.record["conversation"] == conversation]

    # Beginning and ending

    def write(self, record: Record, *, recalled: bool) -> None:
        """Begins with a new answer, or goes on with one that another page has begun. An answer is
        asked for when those before it in its conversation are there: they belong to its history."""
        if record["id"] in self._answers:
            return
        host = replace(self._host, post=lambda message: self._told(record, message))
        endpoint = Endpoint.from_record(record["runs"][-1]["endpoint"])
        upstream = EndpointClient(host, endpoint, lambda: self._question(record))
        before = [a for a in self.of(record["conversation"]) if _comes_before(a.record, record)]
        answer = Answer(
            host, record, upstream, recalled=recalled, before=before, online=self._online
        )
        self._answers[record["id"]] = answer
        task = asyncio.ensure_future(self._write_to_end(answer))
        self._writing[record["id"]] = task
        task.add_done_callback(self._finished)

    async def _write_to_end(self, answer: Answer) -> None:
        try:
            await answer.write()
        finally:
            answer.abandon()
            del self._answers[answer.id], self._writing[answer.id]
            answer.ended.set()
            self._ended(answer.record)
            self._count_queue()

    def _finished(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._host.post(notice_of(error))

    async def drop(self, message: str) -> bool:
        """Lets go of a queued answer; False when its prompt has been sent."""
        answer = self._answers.get(message)
        if answer is None or not await answer.take_back():
            return False
        task = self._writing[message]
        task.cancel()
        await asyncio.wait([task])
        return True

    async def abandon(self, message: str) -> None:
        """Lets go of an answer without an end: nothing more of it is stored."""
        if task := self._writing.get(message):
            task.cancel()
            await asyncio.wait([task])

    async def _question(self, record: Record) -> Question:
        """What the newest run of an answer is asked for."""
        store = self._host.store
        messages = await history_of(store, record)
        if len(record["runs"]) == 1:
            return Question(messages)
        newest = len(record["runs"]) - 1
        rows = [row for row in await rows_of(store, record["id"]) if row.run < newest]
        return Question(messages, text(rows), "".join(row.reasoning for row in rows))

    # What concerns all of them

    def network(self, online: bool) -> None:
        self._online = online
        for answer in self:
            answer.network(online)

    def wake(self) -> None:
        for answer in self:
            answer.wake()

    async def flush(self) -> None:
        await asyncio.gather(*(answer.flush() for answer in self))

    # The queue, and other tabs

    def status(self, answer: Answer) -> Message:
        status = answer.status()
        if status["state"] == "queued":
            waiting = self._queue()
            status["queue"] = [waiting.index(answer) + 1, len(waiting)]
            before = [a for a in self.of(answer.record["conversation"]) if a.state != "queued"]
            if any(_comes_before(each.record, answer.record) for each in before):
                status["waits"] = True  # another version is being written: there is a connection
        return status

    def _queue(self) -> list[Answer]:
        waiting = [answer for answer in self if answer.state == "queued"]
        return sorted(waiting, key=lambda answer: float(answer.record["created"]))

    def _count_queue(self) -> None:
        """Tells each that waits how many do, when that has changed."""
        waiting = self._queue()
        if len(waiting) == self._waiting:
            return
        self._waiting = len(waiting)
        for answer in waiting:
            status = {"type": "status", "message": answer.id, **self.status(answer)}
            self._post(answer.record, status)

    def _told(self, record: Record, message: Message) -> None:
        if message["type"] == "status" and message["state"] == "queued":
            message |= self.status(self._answers[record["id"]])
        self._post(record, message)
        if message["type"] == "status":
            self._count_queue()
        if message["type"] in ("patch", "status"):
            self._host.broadcast({"conversation": record["conversation"], "answer": message})

    def hear(self, message: Message) -> None:
        """What the tab that writes an answer tells its own screen."""
        answer = self._answers.get(str(message["message"]))
        if answer and answer.hear(message):
            self._post(answer.record, message)

    async def stop(self, message: str) -> None:
        if answer := self._answers.get(message):
            answer.stop()

    async def resume_all(self) -> list[Any]:
        """Goes on with every answer that an earlier page was writing. Gives the records that could
        not be: of another version, or damaged."""
        failed: list[Any] = []
        try:
            unfinished = await self._host.store.unfinished()
        except StoreError as error:
            self._host.post(notice_of(error))
            return failed
        for record in sorted(unfinished, key=_place):
            try:
                self.write(record, recalled=True)
            except (LookupError, TypeError, ValueError) as error:
                failed.append(record)
                self._host.post(notice_of(error))
        return failed


def _place(record: Record) -> tuple[str, int]:
    return str(record["conversation"]), int(record["position"])


def _comes_before(one: Record, other: Record) -> bool:
    return _place(one) < _place(other)
