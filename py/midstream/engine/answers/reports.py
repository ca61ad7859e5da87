"""What answers tell, on its way to the screen and into the list."""

from __future__ import annotations

from contextlib import suppress

from midstream.engine.current_view import CurrentView
from midstream.engine.ports.host import Host, Message
from midstream.engine.ports.jobs import Jobs
from midstream.engine.store.records import FINAL_STATES
from midstream.errors import StoreError
from midstream.journal import Change, Record


class Reports:
    def __init__(self, host: Host, view: CurrentView, jobs: Jobs) -> None:
        self._host = host
        self._view = view
        self._jobs = jobs
        self._queued: set[str] = set()  # questions that the screen was told to be waiting

    def told(self, record: Record, message: Message) -> None:
        """What an answer tells the screen goes on when it is shown: in another conversation, or in
        another version of this one, it is only written."""
        shown = self._view.shows(record)
        if shown or message["type"] == "notice":
            self._host.post(message)
        if message["type"] == "patch" and shown:
            self._view.last_patch[record["id"]] = message["n"]
            self._view.colours.patch(message)
        if message["type"] == "status":
            self._say_queued(record, message["state"] == "queued")
            self._view.connection()

    def _say_queued(self, record: Record, queued: bool) -> None:
        """The question of a queued answer is queued too."""
        question = record.get("question", "")
        if queued == (question in self._queued):
            return
        (self._queued.add if queued else self._queued.discard)(question)
        if self._view.shows(record):
            state = "queued" if queued else "complete"
            self._host.post({"type": "status", "message": question, "state": state})
        self._jobs.spawn(self._view.list())

    def over(self, record: Record) -> None:
        self._queued.discard(record.get("question", ""))
        self._view.connection()
        self._jobs.spawn(self._note_end(record))

    async def _note_end(self, record: Record) -> None:
        """The list says how the last answer ended, and that nobody has looked at it."""
        key = record["conversation"]
        if record["state"] in FINAL_STATES:
            cut = record["state"] in ("interrupted", "failed")
            unseen = True if key != self._view.conversation else None
            last = {"last": "interrupted" if cut else "complete", "unseen": unseen}
            with suppress(StoreError):  # said already, where it matters
                await self._host.store.commit(Change().amend("conversations", key, last))
        await self._view.list()
