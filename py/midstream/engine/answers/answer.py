"""The life of one answer: from its place behind earlier answers to its stored end.

    bytes → session → Deliver → flusher: parser.feed → journal row committed → patch and status to
    the screen

The order inside a flush is the promise of the app: the screen shows only stored text.

One page writes an answer, over all tabs: the one that holds its Web Lock. The other tabs follow the
patches and statuses of that page (`remote_writer.py`), and wait for the lock in case it is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from midstream.engine.answers.answer_journal import AnswerJournal
from midstream.engine.answers.flusher import Flusher
from midstream.engine.answers.remote_writer import RemoteWriter
from midstream.engine.answers.run_driver import RunDriver
from midstream.engine.answers.status import (
    Rate,
    final_fields,
    live_state,
    live_status,
    seconds_of,
    status_of,
)
from midstream.engine.ports.host import Host, Message
from midstream.engine.ports.jobs import Jobs
from midstream.engine.store.records import FINAL_STATES
from midstream.engine.transport.endpoint_client import EndpointClient
from midstream.journal import Record, Row, cursor, tokens
from midstream.session import Closed

RECENT = 100  # rows: enough to see whether the run has brought any text


class Events(Protocol):
    """The reports of an answer (`AnswerEvents`)."""

    def patch(self, record: Record, patch: Message) -> None: ...

    def status(self, answer: Answer) -> None:
        """The state is another one, or counts of the status are."""
        ...

    def behind(self, record: Record) -> None:
        """It was refused, since another tab or device writes in its conversation."""
        ...


class Answer:
    """One assistant message from its request to its end."""

    def __init__(
        self,
        host: Host,
        record: Record,
        client: EndpointClient,
        events: Events,
        *,
        recalled: bool,
        before: Sequence[Answer] = (),
        online: bool = True,
    ) -> None:
        """`recalled`: another page has begun the answer, and that page's memory is gone.
        `before`: answers of the same conversation that have to end first. `online`: as the browser
        sees it."""
        self.ended = asyncio.Event()
        self.jobs = Jobs(host.post)
        self._host = host
        self._client = client
        self._events = events
        self._journal = AnswerJournal(host, record)
        self._recalled = recalled
        self._before = before
        self._online = online
        self._stop_wanted = False  # before there was a run to be stopped
        self._remote = RemoteWriter()
        self._run: RunDriver | None = None  # from here on this tab writes
        self._flusher = Flusher(self._journal, self._flushed)
        self._rate = Rate()
        self._reported = ""  # the last state
        self._resumed = 0  # the token at which it went on last, after a cut or a reload

    @property
    def id(self) -> str:
        return str(self.record["id"])

    @property
    def record(self) -> Record:
        return self._journal.record

    @property
    def rows(self) -> list[Row]:
        return self._journal.rows

    @property
    def writes(self) -> bool:
        """Whether it is this tab that writes: then `rows` are all there are."""
        return self._run is not None

    @property
    def behind(self) -> bool:
        """Whether it waits for an answer that another tab or device has begun."""
        return self._run is not None and self._run.session.behind

    @property
    def paused(self) -> bool:
        """Whether it waits for the person, after too many refusals."""
        return self._run is not None and self._run.session.paused

    # The whole life of an answer

    async def write(self) -> None:
        """Goes on from the stored rows to the end of the run. Returns when the ended answer is
        stored, or is no longer there."""
        if self._recalled:
            await self._journal.load_rows()
        self._report()
        for answer in self._before:
            await answer.ended.wait()
        async with self._host.lock(f"midstream:answer:{self.id}"):
            stored = await self._host.store.message(self.id)
            if stored is None:  # removed by another tab while this one waited
                return
            if stored["state"] in FINAL_STATES:
                await self._end_remotely(stored)
            else:
                self._journal.record = stored
                await self._recall()
                await self._follow_run()

    async def _recall(self) -> None:
        self._remote.status = None
        if await self._journal.recall() or self._remote.painted:
            self._post_unpainted()
        self._report(again=True)

    async def _follow_run(self) -> None:
        if await self._client.ready(self.record):
            await self._journal.store_record()
        self._run = RunDriver(
            self._host,
            self._journal,
            self._client,
            self._flusher,
            self.jobs,
            changed=self._report,
            behind=lambda: self._events.behind(self.record),
        )
        self._run.start(recalled=self._recalled, online=self._online)
        if self._stop_wanted:
            self.stop()
        clock = self.jobs.spawn(self._clock(self._run))
        closed = await self._flusher.run()
        clock.cancel()
        await self._end(closed)

    async def _clock(self, run: RunDriver) -> None:
        """Once a second: the session's own time limits, and the counts of the status."""
        while True:
            await asyncio.sleep(1)
            run.tick()
            self._report(again=True)

    def _flushed(self, row: Row, patch: Message | None) -> None:
        self._rate.add(self._host.now(), row.tokens)
        if patch:
            self._events.patch(self.record, patch)
        self._report(again=True)

    async def _end(self, closed: Closed) -> None:
        self.record.pop("error", None)
        self.record.update(final_fields(closed, self.record, self.rows, self._host.now()))
        patch = await self._journal.end()
        if patch:
            self._events.patch(self.record, patch)
        self._report(again=True)
        self.ended.set()  # an answer that waits for this one need not wait for the storage
        await self._journal.until_stored()
        self._report(again=True)
        await self._client.transport.forget(self.record)
        self.jobs.cancel()

    # Another tab that writes

    async def _end_remotely(self, stored: Record) -> None:
        """Another tab has ended the answer. The lock may be here before the last patch of that tab.
        Without that patch the whole answer would be painted anew, and a selection in it be lost."""
        await self._journal.load_rows()
        await self._remote.until_painted(self.rows[-1].n if self.rows else 0)
        self._journal.record, self._remote.status = stored, None
        if self._remote.painted:
            self._post_unpainted()
        self._report(again=True)

    def _post_unpainted(self) -> None:
        """The patches that this tab's screen lacks: the tab that wrote may have been closed between
        a commit and its message."""
        for patch in self._journal.patches(self._remote.painted):
            self._events.patch(self.record, patch)
            self._remote.note_painted(patch["n"])

    def note_painted(self, n: int) -> None:
        """This tab's screen has the patches up to `n`."""
        self._remote.note_painted(n)

    def receive(self, message: Message) -> bool:
        """Takes a patch or a status of the tab that writes; False when this one writes itself."""
        if self._run is None:
            self._remote.receive(message)
        return self._run is None

    # Actions of the person, and changes around the page

    def stop(self) -> None:
        if self._run:
            self._run.stop()
            if self._run.session.stopping:
                self._report(again=True)
        else:  # another tab writes this answer, and receives the stop too, or none does yet
            self._stop_wanted = True
            self.jobs.spawn(self._stop_at_server())

    async def _stop_at_server(self) -> None:
        """Stops the run without the tab that writes, which may be frozen."""
        stored = await self._host.store.message(self.id)
        if stored and not await self._client.ready(stored):
            await self._client.stop(stored)

    def network(self, online: bool) -> None:
        self._online = online
        if self._run:
            self._run.network(online)

    def wake(self) -> None:
        if self._run:
            self._run.wake()

    async def take_back(self) -> bool:
        """Before a queued prompt is removed: False when it has been sent."""
        if self._run is None or self._run.session.begun:
            return self._run is None
        return await self._client.transport.take_back(self.record)

    async def flush(self) -> None:
        """Stores and posts all that has arrived: the page may be about to close."""
        await self._flusher.flush()

    # The status

    def _report(self, again: bool = False) -> None:
        """Reports the status when the state has changed; with `again` also when only its counts
        have."""
        state = self.state  # alone first: this runs for every chunk, and counting takes all rows
        if state == self._reported and not again:
            return
        if state == "streaming" and self._reported in ("catching-up", "reconnecting", "offline"):
            self._resumed = tokens(self.rows)
        self._reported = state
        self._events.status(self)

    @property
    def state(self) -> str:
        if self.record["state"] in FINAL_STATES:
            return str(self.record["state"])
        if self._remote.status:
            return str(self._remote.status["state"])
        if self._run is None:
            return self._state_before()
        rows = [row for row in self.rows[-RECENT:] if row.run == self._journal.run]
        return live_state(self._run.session, rows, self._reported)

    def _state_before(self) -> str:
        if self.record["state"] == "queued" or any(not a.ended.is_set() for a in self._before):
            return "queued"
        return "catching-up" if self._recalled else "sending"

    def status(self) -> Message:
        """Of this answer alone: its position in the queue is not in it."""
        if self._remote.status:
            return dict(self._remote.status)
        status = status_of(self.record, self.rows) | {"state": self.state}
        status["saved"] -= self._journal.unstored
        if self.record["state"] in FINAL_STATES or self._run is None:
            return status
        last, now = cursor(self.rows, self._journal.run), self._host.now()
        status = live_status(status, self._run.session, last, self._client.transport.holder, now)
        return status | {
            "seconds": seconds_of(self.record, now),
            "rate": self._rate.value(now),
            "resumed": self._resumed,
        }
