"""The reports of the answers, on their way to this tab's screen, to the list of conversations and to
the engines of the other tabs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from midstream.engine.answers.answer import Answer
from midstream.engine.answers.prompt_queue import PromptQueue
from midstream.engine.ports.host import Host, Message
from midstream.engine.ports.jobs import Jobs
from midstream.engine.store.records import FINAL_STATES
from midstream.errors import StoreError
from midstream.journal import Change, Record


class View(Protocol):
    """This tab's screen (`current_view.py`); `connection` and `list` post their messages."""

    conversation: str | None

    def shows(self, record: Record) -> bool: ...

    def post_patch(self, patch: Message) -> None: ...

    def connection(self) -> None: ...

    async def list(self) -> None: ...


class AnswerEvents:
    """An answer of another conversation, or another version in this one, is written without the
    screen: its patches and statuses go to the other tabs only."""

    def __init__(
        self, host: Host, view: View, jobs: Jobs, queue: PromptQueue, elsewhere: Callable[[str], None]
    ) -> None:
        """`elsewhere`: called with a conversation in which another tab or device writes."""
        self._host = host
        self._view = view
        self._jobs = jobs
        self._queue = queue
        self._elsewhere = elsewhere
        self._queued: set[str] = set()  # questions that the screen shows as waiting

    # Of answers that this tab writes, or waits to write

    def patch(self, record: Record, patch: Message) -> None:
        self._post_patch(record, patch)
        self._broadcast(record, patch)

    def status(self, answer: Answer) -> None:
        status = self._post_status_of(answer)
        self._post_queue()
        self._broadcast(answer.record, status)

    def behind(self, record: Record) -> None:
        self._elsewhere(str(record["conversation"]))

    def end(self, record: Record) -> None:
        """The answer has left the list of those being written, ended or not."""
        self._queued.discard(record.get("question", ""))
        self._view.connection()
        self._jobs.spawn(self._store_end(record))
        self._post_queue()

    def _broadcast(self, record: Record, message: Message) -> None:
        self._host.broadcast({"conversation": record["conversation"], "answer": message})

    # Of answers that another tab writes

    def post(self, record: Record, message: Message) -> None:
        """A patch or a status that another tab has broadcast."""
        if message["type"] == "patch":
            self._post_patch(record, message)
        else:
            self._post_status(record, message)

    # To this tab's screen

    def _post_patch(self, record: Record, patch: Message) -> None:
        if self._view.shows(record):
            self._view.post_patch(patch)

    def _post_status_of(self, answer: Answer) -> Message:
        status = {"type": "status", "message": answer.id, **self._queue.status(answer)}
        self._post_status(answer.record, status)
        return status

    def _post_status(self, record: Record, status: Message) -> None:
        if self._view.shows(record):
            self._host.post(status)
        self._post_question(record, status["state"] == "queued")
        self._view.connection()

    def _post_queue(self) -> None:
        """The status of each prompt that waits, when their number has changed."""
        for answer in self._queue.changed():
            self._post_status_of(answer)

    def _post_question(self, record: Record, queued: bool) -> None:
        """The question of a queued answer is queued too."""
        question = record.get("question", "")
        if queued == (question in self._queued):
            return
        (self._queued.add if queued else self._queued.discard)(question)
        if self._view.shows(record):
            state = "queued" if queued else "complete"
            self._host.post({"type": "status", "message": question, "state": state})
        self._jobs.spawn(self._view.list())

    # The list

    async def _store_end(self, record: Record) -> None:
        """The list says how the last answer ended, and whether the person has seen that."""
        key = record["conversation"]
        if record["state"] in FINAL_STATES:
            cut = record["state"] in ("interrupted", "failed")
            unseen = True if key != self._view.conversation else None
            last = {"last": "interrupted" if cut else "complete", "unseen": unseen}
            with suppress(StoreError):  # the answer's own status reports it already
                await self._host.store.commit(Change().amend("conversations", key, last))
        await self._view.list()
