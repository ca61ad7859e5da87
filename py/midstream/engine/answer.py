"""One answer while it is being written: joins its session, its parser and its journal.

    bytes → session → Deliver → pending → flush: parser.feed → journal row committed → patch and
    status to the screen

The order inside a flush is the promise of the app: what is shown is stored. While a commit is under
way the events that arrive wait in `pending` and make up the next row, so a slow disk slows the
flushes and never queues transactions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from ..errors import StoreError
from ..events import Ended, Event, Finish
from ..journal import (
    Change,
    Record,
    Row,
    compacted,
    cursor,
    ended,
    finish_reason,
    tokens,
)
from ..markdown import VERSION, Parser
from ..patch import merge, opened
from ..providers import openai
from ..session import (
    Cancel,
    Close,
    Closed,
    Deliver,
    Intent,
    Open,
    Outcome,
    Session,
    Wait,
    content,
)
from .host import Host, Message, notice_of
from .status import ENDED, FINAL_STATES, Rate, live_state, status_of
from .transcript import patch_of, patches, rows_of
from .upstream import Line, Upstream

FLUSH_S = 0.016  # one animation frame
# after a flush that cost t the next one waits at least DUTY·t, so parsing takes at most a quarter
# of the time
DUTY = 3
SLICE = 4096  # characters per flush: a long catch-up reaches the screen piece by piece
NOT_RESUMABLE = "This endpoint cannot go on with an answer once the page has been reloaded."


class Answer:
    """Owns the journal rows and the record of one assistant message from its request to its end."""

    def __init__(self, host: Host, record: Record, upstream: Upstream, *, recalled: bool) -> None:
        """`recalled`: the answer was begun by an earlier page; what that page knew in memory is
        gone."""
        self.record = record
        self.rows: list[Row] = []
        self._recalled = recalled
        self.ended = asyncio.Event()
        self._host = host
        self._upstream = upstream
        self._parser = Parser()
        self._session: Session | None = None
        self._pending: list[Deliver] = []
        self._newest = 0  # the id of the newest element that the rows have opened
        self._dirty = asyncio.Event()
        self._flushing = (
            asyncio.Lock()
        )  # rows are numbered in the order in which they are committed
        self._closed: Closed | None = None
        self._saving = True  # False once storage has refused: shown, and said to be unsaved
        self._reader: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._rate = Rate()
        self._seen = ""  # the last state reported to the screen

    @property
    def id(self) -> str:
        return str(self.record["id"])

    @property
    def run(self) -> int:
        return len(self.record["runs"]) - 1

    # The whole life of an answer

    async def write(self) -> None:
        """Goes on from what is stored to the end of the run. Returns when the ended answer is
        stored."""
        async with self._host.lock(f"midstream:answer:{self.id}"):
            await self._recall()
            if (
                self.record["state"] in FINAL_STATES
            ):  # another tab has finished it while this one waited
                self._post_all()
                self.ended.set()
                return
            self._session = Session(
                parse=openai.parse,
                cursor=cursor(self.rows, self.run),
                resumable=self._upstream.endpoint.resumable,
                finish_reason=finish_reason(self.rows, self.run),
            )
            self._act(self._begin(self._session))
            clock = self._spawn(self._clock())
            await self._flush_until_closed()
            clock.cancel()
            await self._end()

    def _begin(self, session: Session) -> list[Intent]:
        if state := ended(
            self.rows, self.run
        ):  # the page went between the last flush and the end's own transaction
            return session.recall_end(state)
        if self._recalled and not self._upstream.endpoint.resumable:
            return session.recall_end("interrupted", NOT_RESUMABLE)
        return session.start(self._host.now())

    def stop(self) -> None:
        if self._session:
            self._act(self._session.stop(self._host.now()))
        else:  # another tab writes this answer: it will hear of the end from the server
            self._spawn(self._upstream.cancel(self.record))

    def network(self, online: bool) -> None:
        if self._session:
            self._act(self._session.network(online, self._host.now()))
            self._report()

    def wake(self) -> None:
        if self._session:
            self._act(self._session.wake(self._host.now()))

    async def flush(self) -> None:
        """Stores and shows what has arrived, without waiting for the next frame: the page may be
        about to go."""
        while self._pending:
            await self._flush()

    # Recalling what an earlier page stored

    async def _recall(self) -> None:
        """Reads the stored rows and feeds them again: the parser then stands where the screen's
        painted tree stands."""
        self.record = await self._host.store.message(self.id) or self.record
        self.rows = await rows_of(self._host.store, self.id)
        self._parser = Parser()
        same = self.record.get("parser") == VERSION
        for row in self.rows:
            ops = self._parser.feed(row.text) if row.text else []
            same = same and (ops == row.ops or row.whole)
            if not row.whole:
                row.ops = ops
        self._newest = sum(opened(row.ops) for row in self.rows)
        if not same:  # another version of the parser: what is painted has other nodes
            self.record["parser"] = VERSION
            self._post_all()
        self._report()

    def _post_all(self) -> None:
        """The content from its first patch on, for a screen whose tree is of another origin."""
        for patch in patches(self.rows, painted=0):
            self._host.post(patch)
        self._report()

    # Intents of the session

    def _act(self, intents: list[Intent]) -> None:
        for intent in intents:
            match intent:
                case Open(after):
                    self._hang_up()
                    self._reader = self._spawn(self._read(after))
                case Close():
                    self._hang_up()
                case Deliver():
                    self._pending.append(intent)
                    self._dirty.set()
                case Cancel():
                    self._spawn(self._upstream.cancel(self.record))
                case Closed():
                    self._hang_up()
                    self._closed = intent
                    self._dirty.set()
                case Wait(seconds):
                    self._spawn(self._wait(seconds))
        self._report()

    async def _read(self, after: int) -> None:
        session, task = self._session, asyncio.current_task()
        assert session is not None
        # A reader that hangs up from within its own call cannot cancel itself: it must see that it
        # is no longer wanted.
        line = Line(session, self._act, lambda: self._reader is task, self._remember_run)
        await self._upstream.follow(self.record, after, line)

    async def _remember_run(self, run: str) -> None:
        """Strict: after a crash the run's id is the only way back to an answer that goes on without
        us."""
        newest = self.record["runs"][-1]
        if newest.get("run") != run:
            newest["run"] = run
            self.record["state"] = "streaming"
            await self._store(Change(durability="strict").put("messages", self.record))

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        assert self._session is not None
        self._act(self._session.tick(self._host.now()))

    def _hang_up(self) -> None:
        reader, self._reader = self._reader, None
        if reader and reader is not asyncio.current_task():
            reader.cancel()

    async def _clock(self) -> None:
        """Once a second: the session's own time limits, and the counts in the status line."""
        while True:
            await asyncio.sleep(1)
            assert self._session is not None
            self._act(self._session.tick(self._host.now()))
            self._report(again=True)

    # Flushing

    async def _flush_until_closed(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._dirty.wait()
            began = loop.time()
            await self._flush()
            if self._closed and not self._pending:
                return
            cost = loop.time() - began
            await asyncio.sleep(max(FLUSH_S, DUTY * cost) if self._pending else FLUSH_S)

    async def _flush(self) -> None:
        async with self._flushing:
            taken = self._take()
            if not self._pending and not self._closed:
                self._dirty.clear()
            if not taken:
                return
            row = self._row(taken)
            await self._store(Change().put("journal", row.record()))
            self.rows.append(row)
            newest, self._newest = self._newest, self._newest + opened(row.ops)
        self._rate.add(self._host.now(), row.tokens)
        self._host.post(patch_of(row, newest))
        self._report(again=True)

    def _take(self) -> list[Deliver]:
        """The pending events, up to SLICE characters."""
        size = count = 0
        for deliver in self._pending:
            count += 1
            size += sum(map(len, content(deliver.events)))
            if size >= SLICE:
                break
        taken, self._pending = self._pending[:count], self._pending[count:]
        return taken

    def _row(self, taken: list[Deliver]) -> Row:
        events: tuple[Event, ...] = tuple(event for deliver in taken for event in deliver.events)
        new_text, reasoning = content(events)
        return Row(
            message=self.id,
            n=self.rows[-1].n + 1 if self.rows else 1,
            run=self.run,
            first=taken[0].seq,
            last=taken[-1].seq,
            text=new_text,
            reasoning=reasoning,
            tokens=sum(any(content((event,))) for event in events),
            ops=self._parser.feed(new_text) if new_text else [],
            finish=next((event.reason for event in events if isinstance(event, Finish)), ""),
            ended=next((event.state for event in events if isinstance(event, Ended)), ""),
        )

    async def _store(self, change: Change) -> None:
        if not self._saving:
            return
        try:
            await self._host.store.commit(change)
        except StoreError as error:
            self._saving = False
            self._host.post(
                {"type": "notice", "code": "not-saved", "level": "error", "detail": str(error)}
            )

    async def _end(self) -> None:
        """Closes the text and replaces its rows by one, together with the record that says how it
        ended."""
        closed = self._closed
        assert closed is not None
        ops = self._parser.finish()
        cut_off = closed.outcome is Outcome.DONE and closed.reason == "length"
        self.record |= {
            "state": "length" if cut_off else ENDED[closed.outcome],
            "tokens": tokens(self.rows),
            "seq": cursor(self.rows, self.run),
            "seconds": round(self._seconds(), 1),
            "parser": VERSION,
        }
        if closed.message:
            self.record["error"] = {"message": closed.message, "hint": closed.hint}
        change = Change(durability="strict").put("messages", self.record)
        last = replace(self.rows[-1], n=self.rows[-1].n + 1, ops=ops) if self.rows else None
        if last:
            whole = merge([op for row in self.rows for op in row.ops] + ops)
            self.rows = [replace(compacted(self.rows, whole), n=last.n)]
            change.drop_rows.append(self.id)
            change.put("journal", self.rows[0].record())
        await self._store(change)
        if last:
            self._host.post(patch_of(last, self._newest))
        self._report(again=True)
        self.ended.set()
        for task in self._tasks:
            task.cancel()

    # What the screen is told

    def _report(self, again: bool = False) -> None:
        """Posts the status when the state has changed; with `again` also when only its counts
        have."""
        state = self._state()  # alone first: this runs for every chunk, and counting takes all rows
        if again or state != self._seen:
            self._seen = state
            self._host.post({"type": "status", "message": self.id, **self.status()})

    def _state(self) -> str:
        if self.record["state"] in FINAL_STATES:
            return str(self.record["state"])
        if self._session is None:
            return "catching-up" if self._recalled else "sending"
        return live_state(self._session, self.rows, self._seen)

    def status(self) -> Message:
        status = status_of(self.record, self.rows) | {"state": self._state()}
        if self.record["state"] in FINAL_STATES:
            return status if self._saving else status | {"saved": 0}
        if self._session is None:
            return status
        now, session = self._host.now(), self._session
        status |= {
            "saved": status["seq"] if self._saving else 0,
            "seconds": round(self._seconds(), 1),
            "rate": round(self._rate.value(now), 1),
        }
        if session.retry_at:
            status |= {"attempt": session.attempt, "retry_at": session.retry_at * 1000}
        return status

    def _seconds(self) -> float:
        return self._host.now() - float(self.record["created"]) / 1000

    def _spawn(self, job: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(job)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._host.post(notice_of(error))
