"""The run of an answer while this tab follows it: carries out the intents of its session.

The session decides (session.py). The driver opens and closes the connection, waits, queues the
prompt, sends the stop, and notes in the answer's record what the next page has to know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from midstream.engine.answers.answer_journal import AnswerJournal
from midstream.engine.answers.flusher import Flusher
from midstream.engine.ports.host import Host
from midstream.engine.ports.jobs import Jobs
from midstream.engine.transport.endpoint_client import Connection, EndpointClient
from midstream.errors import UpstreamError
from midstream.journal import cursor, ended, epoch, finish_reason
from midstream.problems import problem
from midstream.providers import openai
from midstream.providers.body import ChatBody
from midstream.session import (
    MAYBE_SENT,
    Behind,
    Cancel,
    Close,
    Closed,
    Deliver,
    Intent,
    Open,
    Queue,
    Session,
    State,
    Wait,
)

NOT_RESUMABLE = problem("not_resumable")
UNSURE = problem("page_closed")


class RunDriver:
    """Owns the session and its connection. `changed` is called when the state may be another, `behind`
    when another tab or device writes in the conversation."""

    def __init__(
        self,
        host: Host,
        journal: AnswerJournal,
        client: EndpointClient,
        flusher: Flusher,
        jobs: Jobs,
        changed: Callable[[], None],
        behind: Callable[[], None],
    ) -> None:
        self.session = _session_of(journal, client)
        self._host = host
        self._journal = journal
        self._client = client
        self._flusher = flusher
        self._jobs = jobs
        self._changed = changed
        self._behind = behind
        self._reader: asyncio.Task[None] | None = None  # of the one connection that is wanted

    def start(self, *, recalled: bool, online: bool) -> None:
        """`recalled`: another page has begun the run."""
        self.session.online = online
        self._act(self._start(recalled))

    def _start(self, recalled: bool) -> list[Intent]:
        session, rows = self.session, self._journal.rows
        if state := ended(rows, self._journal.run):
            # the page went between the last flush and the end's own transaction
            return session.recall_end(state)
        unsent = self._journal.record["state"] == "queued" or not recalled
        if unsent or session.resumable:
            return session.start(self._host.now())
        if rows:
            return session.recall_end("interrupted", NOT_RESUMABLE)
        return session.recall_end("failed", UNSURE, MAYBE_SENT)

    def stop(self) -> None:
        """The stop is stored until it has been carried out: a reload must not forget it."""
        reached = self.session.state in (State.LIVE, State.CATCHING_UP)
        self._act(self.session.stop(self._host.now()))
        if self.session.stopping:
            self._journal.record["runs"][-1]["stop"] = True
            self._jobs.spawn(self._store_stop(queue=not reached))

    def network(self, online: bool) -> None:
        self._act(self.session.network(online, self._host.now()))

    def wake(self) -> None:
        self._act(self.session.wake(self._host.now()))

    def tick(self) -> None:
        self._act(self.session.tick(self._host.now()))

    # Intents of the session

    def _act(self, intents: list[Intent]) -> None:
        for intent in intents:
            match intent:
                case Open():
                    self._disconnect()
                    self._reader = self._jobs.spawn(self._read(intent))
                case Close():
                    self._disconnect()
                case Wait(seconds):
                    self._jobs.spawn(self._tick_after(seconds))
                case Queue():
                    self._jobs.spawn(self._queue())
                case Behind():
                    self._jobs.spawn(self._note_behind())
                case Cancel():
                    self._jobs.spawn(self._client.stop(self._journal.record))
                case Deliver():
                    self._flusher.add(intent)
                case Closed():
                    self._disconnect()
                    self._flusher.close(intent)
        self._changed()

    async def _read(self, position: Open) -> None:
        task = asyncio.current_task()
        # A reader that disconnects from within its own call cannot cancel itself: `wanted` ends it.
        connection = Connection(
            self.session,
            self._act,
            wanted=lambda: self._reader is task,
            before_request=self._note_request,
            accepted=self._note_run,
        )
        await self._client.follow(self._journal.record, position, connection)

    def _disconnect(self) -> None:
        reader, self._reader = self._reader, None
        if reader and reader is not asyncio.current_task():
            reader.cancel()

    async def _tick_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.tick()

    # The record, stored strictly: the next page goes by it

    async def _note_request(self) -> None:
        """A page that finds a prompt queued may send it, so it must not be queued any more."""
        if self._journal.record["state"] == "queued":
            self._journal.record["state"] = "sending"
            await self._journal.store_record()

    async def _note_run(self, run: str) -> None:
        """After a crash the run's id is the only way back to an answer that goes on without the
        page. `run`: "" when the endpoint gives none."""
        record = self._journal.record
        newest, queued = record["runs"][-1], record["state"] == "queued"
        if record["state"] == "streaming" and newest.get("run") == (run or None):
            return
        newest["run"] = run or None
        record["state"] = "streaming"
        await self._journal.store_record()
        if queued:
            await self._client.transport.arrived(record)

    async def _note_behind(self) -> None:
        """Not in the outbox: what is sent in the end has the other answer in its history."""
        self._journal.record["state"] = "queued"
        await self._journal.store_record("relaxed")
        self._behind()

    async def _queue(self) -> None:
        record = self._journal.record
        record["state"] = "queued"
        await self._journal.store_record()
        try:
            await self._client.queue(record)
        except UpstreamError:  # not even its model is known: this page will ask when it can
            return
        # The run's model and mode now belong to its key.
        await self._journal.store_record("relaxed")

    async def _store_stop(self, *, queue: bool) -> None:
        await self._journal.store_record()
        if queue and self._journal.record["runs"][-1].get("run"):
            await self._client.transport.queue_stop(self._journal.record)


def _session_of(journal: AnswerJournal, client: EndpointClient) -> Session:
    rows, run, newest = journal.rows, journal.run, journal.record["runs"][-1]
    return Session(
        parse=openai.parse,
        body=ChatBody,
        cursor=cursor(rows, run),
        epoch=epoch(rows, run),
        resumable=client.transport.resumable,
        repeatable=client.transport.repeatable,
        begun=bool(newest.get("run")),
        stopping=bool(newest.get("stop")),
        finish_reason=finish_reason(rows, run),
    )
