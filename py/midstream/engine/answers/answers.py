"""The answers that are being written, by this tab or another one.

Within a conversation they are written in its order: the request for an answer is made when the
answers before it have ended, since they belong to its history.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from midstream.engine.answers.answer import Answer
from midstream.engine.answers.answer_events import AnswerEvents, View
from midstream.engine.answers.prompt_queue import PromptQueue, comes_before, position_of
from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.ports.host import Host, Message, notice_of
from midstream.engine.ports.jobs import Jobs
from midstream.engine.store.branches import moved_behind
from midstream.engine.store.rendering import history_of, rows_of
from midstream.engine.transport.endpoint_client import EndpointClient, Question
from midstream.errors import StoreError
from midstream.journal import Change, Record, text


class Answers:
    """Owns the answers from their start to their end."""

    def __init__(self, host: Host, view: View, jobs: Jobs, elsewhere: Callable[[str], None]) -> None:
        """`elsewhere`: called with a conversation in which another tab or device writes."""
        self._host = host
        self._jobs = jobs
        self._answers: dict[str, Answer] = {}
        self._writing: dict[str, asyncio.Task[None]] = {}
        self._queue = PromptQueue(self._answers)
        self._events = AnswerEvents(host, view, jobs, self._queue, elsewhere)
        self._online = True

    def __iter__(self) -> Iterator[Answer]:
        return iter(list(self._answers.values()))

    def get(self, message: str) -> Answer | None:
        return self._answers.get(message)

    def of(self, conversation: str) -> list[Answer]:
        return [answer for answer in self if answer.record["conversation"] == conversation]

    def status(self, answer: Answer) -> Message:
        """With its position in the queue."""
        return self._queue.status(answer)

    # Beginning and ending

    def write(self, record: Record, *, recalled: bool) -> None:
        """Begins with a new answer, or goes on with one that another page has begun."""
        if record["id"] in self._answers:
            return
        endpoint = Endpoint.from_record(record["runs"][-1]["endpoint"])
        answer = Answer(
            self._host,
            record,
            EndpointClient(self._host, endpoint, lambda: self._question(record)),
            self._events,
            recalled=recalled,
            before=self._before(record),
            online=self._online,
        )
        self._answers[record["id"]] = answer
        writing = self._writing[record["id"]] = self._jobs.spawn(self._write_to_end(answer))
        # A task that is cancelled before its first step runs no `finally`.
        writing.add_done_callback(lambda _: self._end(answer))

    async def _write_to_end(self, answer: Answer) -> None:
        try:
            await answer.write()
        finally:
            self._end(answer)

    def _before(self, record: Record) -> list[Answer]:
        return [each for each in self if comes_before(each.record, record) and not each.behind]

    def waits(self, record: Record) -> bool:
        """Whether an answer before it is being written."""
        return bool(self._before(record))

    def _end(self, answer: Answer) -> None:
        if self._answers.get(answer.id) is not answer:
            return
        answer.jobs.cancel()
        del self._answers[answer.id], self._writing[answer.id]
        answer.ended.set()
        self._events.end(answer.record)
        for each in self.of(answer.record["conversation"]):
            if each.behind:
                each.wake()

    async def drop(self, message: str) -> bool:
        """Lets go of a queued answer; False when its prompt has been sent."""
        answer = self._answers.get(message)
        if answer is None or not await answer.take_back():
            return False
        await self.abandon(message)
        return True

    async def abandon(self, message: str) -> None:
        """Lets go of an answer without an end: nothing more of it is stored."""
        if task := self._writing.get(message):
            task.cancel()
            await asyncio.wait([task])

    async def _question(self, record: Record) -> Question:
        """The content of the request for the newest run of an answer."""
        store = self._host.store
        messages = await history_of(store, record)
        if len(record["runs"]) == 1:
            return Question(messages)
        newest = len(record["runs"]) - 1
        rows = [row for row in await rows_of(store, record["id"]) if row.run < newest]
        return Question(messages, text(rows), "".join(row.reasoning for row in rows))

    async def resume_all(self) -> list[Any]:
        """Goes on with every answer that an earlier page was writing. Returns the records that are
        of another version, or damaged: these are left as they are."""
        failed: list[Any] = []
        try:
            unfinished = await self._without_held(await self._host.store.unfinished())
        except StoreError as error:
            self._host.post(notice_of(error))
            return failed
        for record in sorted(unfinished, key=position_of):
            try:
                self.write(record, recalled=True)
            except (LookupError, TypeError, ValueError) as error:
                failed.append(record)
                self._host.post(notice_of(error))
        return failed

    async def move_behind(self, conversation: str) -> None:
        """Another device has added to the conversation: the prompts here that are not sent yet follow
        its messages, in the order in which the gateway will have all of them."""
        unsent = [each for each in self.of(conversation) if each.state == "queued"]
        messages = await self._host.store.messages(conversation)
        if not moved_behind(messages, [each.record for each in unsent]):
            return
        unsent = [each for each in unsent if await each.take_back()]
        change = Change(durability="strict")
        for message, fields in moved_behind(messages, [each.record for each in unsent]).items():
            change.amend("messages", message, fields)
            if answer := self.get(message):
                answer.record["position"] = fields["position"]
        await self._host.store.commit(change)

    async def _without_held(self, unfinished: list[Record]) -> list[Record]:
        """Without the prompts of deleted conversations: those are not sent, and wait for an undo."""
        waiting = {record["conversation"] for record in unfinished if record["state"] == "queued"}
        if not waiting:
            return unfinished
        deleted = {one["id"] for one in await self._host.store.conversations() if one.get("deleted")}
        held = waiting & deleted
        return [r for r in unfinished if r["state"] != "queued" or r["conversation"] not in held]

    # Actions of the person, changes around the page, messages of other tabs

    async def stop(self, message: str) -> None:
        if answer := self._answers.get(message):
            answer.stop()

    def network(self, online: bool) -> None:
        self._online = online
        for answer in self:
            answer.network(online)

    def wake(self) -> None:
        for answer in self:
            answer.wake()

    async def flush(self) -> None:
        await asyncio.gather(*(answer.flush() for answer in self))

    def receive(self, message: Message) -> None:
        """A patch or a status that the tab which writes an answer has posted to its own screen."""
        answer = self._answers.get(str(message["message"]))
        if answer and answer.receive(message):
            self._events.post(answer.record, message)
