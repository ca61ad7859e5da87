"""One answer while it is being written: joins its session, its endpoint and its text.

    bytes → session → Deliver → pending → flush: parser.feed → journal row committed → patch and
    status to the screen

The order inside a flush is the promise of the app: what is shown is stored. While a commit is under
way the events that arrive wait in `pending` and make up the next row, so a slow disk slows the
flushes and never queues transactions.

One page writes an answer, over all tabs: the one that holds its Web Lock. In the others the answer
follows what the writer tells (`heard`), and waits for the lock in case that page goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

from midstream.engine.answers.answer_journal import Written
from midstream.engine.answers.status import (
    ENDED,
    Rate,
    live_state,
    live_status,
    status_of,
)
from midstream.engine.ports.host import Host, Message, notice_of
from midstream.engine.store.records import FINAL_STATES, error_of
from midstream.engine.transport.upstream import EndpointClient, Line
from midstream.errors import UpstreamError
from midstream.journal import Change, Record, Row, cursor, ended, epoch, finish_reason, tokens
from midstream.markdown import VERSION
from midstream.problems import problem
from midstream.providers import openai
from midstream.session import (
    MAYBE_SENT,
    Cancel,
    Close,
    Closed,
    Deliver,
    Intent,
    Open,
    Outcome,
    Session,
    State,
    Wait,
)

FLUSH_S = 0.016  # one animation frame
# after a flush that cost t the next one waits at least DUTY·t, so parsing takes at most a quarter
# of the time
DUTY = 3
LAST_WORDS_S = 1.0
# Tries after which it is no longer said that the other side keeps writing: a dead server and a cut
# line look the same from here.
SURE_TRIES = 3
RECENT = 100  # rows: enough to see whether the run has said anything
NOT_RESUMABLE = problem("not_resumable")
UNSURE = problem("page_closed")


class Answer:
    """The life of one assistant message from its request to its end."""

    def __init__(
        self,
        host: Host,
        record: Record,
        upstream: EndpointClient,
        *,
        recalled: bool,
        before: Sequence[Answer] = (),
        online: bool = True,
    ) -> None:
        """`recalled`: the answer was begun by another page; what that page knew in memory is gone.
        `before`: answers of the same conversation that have to be there first."""
        self.ended = asyncio.Event()
        self.told = 0  # the last patch that this tab's screen has got or has painted itself
        self._written = Written(host, record)
        self._recalled = recalled
        self._before = before
        self._online = online  # as the browser sees it
        self._host = host
        self._upstream = upstream
        self._session: Session | None = None
        self._heard: Message | None = None  # the last status of the tab that writes
        self._news = asyncio.Event()  # another patch of it
        self._pending: list[Deliver] = []
        self._dirty = asyncio.Event()
        self._flushing = asyncio.Lock()  # rows are numbered in the order of their commits
        self._closed: Closed | None = None
        self._stop_wanted = False  # before there was a session
        self._reader: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._rate = Rate()
        self._seen = ""  # the last state reported to the screen
        self._resumed = 0  # the token at which it went on last, after a cut or a reload

    @property
    def id(self) -> str:
        return str(self.record["id"])

    @property
    def record(self) -> Record:
        return self._written.record

    @property
    def rows(self) -> list[Row]:
        return self._written.rows

    @property
    def writes(self) -> bool:
        """Whether it is this tab that writes: then `rows` are all there are."""
        return self._session is not None

    # The whole life of an answer

    async def write(self) -> None:
        """Goes on from what is stored to the end of the run. Returns when the ended answer is
        stored, or is no longer there."""
        if self._recalled:
            await self._written.look()
        self._report()
        for answer in self._before:
            await answer.ended.wait()
        async with self._host.lock(f"midstream:answer:{self.id}"):
            stored = await self._host.store.message(self.id)
            if stored is None:  # removed by another tab while this one waited
                return
            if stored["state"] in FINAL_STATES:
                await self._finished_elsewhere(stored)
            else:
                self._written.record = stored
                await self._recall()
                await self._run()

    async def _run(self) -> None:
        if await self._upstream.ready(self.record):
            await self._written.store(Change(durability="strict").put("messages", self.record))
        self._session = self._new_session()
        self._act(self._begin(self._session))
        if self._stop_wanted:
            self.stop()
        clock = self._spawn(self._clock())
        await self._flush_until_closed()
        clock.cancel()
        await self._end()

    def _new_session(self) -> Session:
        run, newest = self._written.run, self.record["runs"][-1]
        transport = self._upstream.transport
        return Session(
            parse=openai.parse,
            cursor=cursor(self.rows, run),
            epoch=epoch(self.rows, run),
            resumable=transport.resumable,
            repeatable=transport.repeatable,
            begun=bool(newest.get("run")),
            stopping=bool(newest.get("stop")),
            finish_reason=finish_reason(self.rows, run),
        )

    def _begin(self, session: Session) -> list[Intent]:
        session.online = self._online
        if state := ended(self.rows, self._written.run):
            # the page went between the last flush and the end's own transaction
            return session.recall_end(state)
        unsent = self.record["state"] == "queued" or not self._recalled
        if unsent or session.resumable:
            return session.start(self._host.now())
        if self.rows:
            return session.recall_end("interrupted", NOT_RESUMABLE)
        return session.recall_end("failed", UNSURE, MAYBE_SENT)

    def stop(self) -> None:
        """Kept with the record until it has been carried out: a reload must not forget it."""
        if self._session is None:  # another tab writes this answer, and has been told
            self._stop_wanted = True  # or nobody does yet
            self._spawn(self._stop_elsewhere())
            return
        reached = self._session.state in (State.LIVE, State.CATCHING_UP)
        self._act(self._session.stop(self._host.now()))
        if self._session.stopping:
            self.record["runs"][-1]["stop"] = True
            self._spawn(self._keep_stop(queue=not reached))
            self._report(again=True)

    async def _keep_stop(self, *, queue: bool) -> None:
        await self._written.store(Change(durability="strict").put("messages", self.record))
        if queue and self.record["runs"][-1].get("run"):
            await self._upstream.transport.queue_stop(self.record)

    async def _stop_elsewhere(self) -> None:
        """Should that tab be frozen, the server can be told without it."""
        stored = await self._host.store.message(self.id)
        if stored and not await self._upstream.ready(stored):
            await self._upstream.stop(stored)

    def network(self, online: bool) -> None:
        self._online = online
        if self._session:
            self._act(self._session.network(online, self._host.now()))
            self._report()

    def wake(self) -> None:
        if self._session:
            self._act(self._session.wake(self._host.now()))

    async def take_back(self) -> bool:
        """Before a queued prompt is removed: False when it has been sent after all."""
        if self._session is None or self._session.begun:
            return self._session is None
        return await self._upstream.transport.take_back(self.record)

    async def flush(self) -> None:
        """Stores and shows what has arrived, without waiting for the next frame: the page may be
        about to go."""
        while self._pending and await self._flush():
            pass

    def abandon(self) -> None:
        """Lets go of everything at once, without an end."""
        for task in list(self._tasks):
            task.cancel()

    # What an earlier page, or another tab, has done

    async def _recall(self) -> None:
        self._heard = None
        if await self._written.recall() or self.told:
            self._post_rest()
        self._report(again=True)

    def _post_rest(self) -> None:
        """What this tab's screen has not got: the tab that wrote may have gone before it told."""
        for patch in self._written.patches(self.told):
            self._host.post(patch)
            self.told = patch["n"]

    async def _finished_elsewhere(self, stored: Record) -> None:
        """The lock may be here before the last patch of the tab that had it. Without that patch the
        whole answer would be painted anew, and a selection in it be lost."""
        await self._written.look()
        last = self.rows[-1].n if self.rows else 0
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                while 0 < self.told < last:
                    self._news.clear()
                    await self._news.wait()
        self._written.record, self._heard = stored, None
        if self.told:
            self._post_rest()
        self._report(again=True)

    def hear(self, message: Message) -> bool:
        """What the tab that writes tells its screen; False when this one writes itself."""
        if self._session is not None:
            return False
        if message["type"] == "patch":
            self.told = max(self.told, int(message["n"]))
            self._news.set()
        if message["type"] == "status":
            self._heard = {key: message[key] for key in message if key not in ("type", "message")}
        return True

    # Intents of the session

    def _act(self, intents: list[Intent]) -> None:
        for intent in intents:
            match intent:
                case Open():
                    self._hang_up()
                    self._reader = self._spawn(self._read(intent))
                case Close():
                    self._hang_up()
                case Deliver():
                    self._pending.append(intent)
                    self._dirty.set()
                case Cancel():
                    self._spawn(self._upstream.stop(self.record))
                case Closed():
                    self._hang_up()
                    self._closed = intent
                    self._dirty.set()
                case Wait(seconds):
                    self._spawn(self._wait(seconds))
        self._report()

    async def _read(self, position: Open) -> None:
        session, task = self._session, asyncio.current_task()
        assert session is not None
        # A reader that hangs up from within its own call cannot cancel itself: it must see that it
        # is no longer wanted.
        line = Line(
            session, self._act, lambda: self._reader is task, self._asking, self._remember_run
        )
        await self._upstream.follow(self.record, position, line)

    async def _asking(self) -> None:
        """Strict: a page that finds a prompt queued may send it, so it must not be queued any
        more."""
        if self.record["state"] == "queued":
            self.record["state"] = "sending"
            await self._written.store(Change(durability="strict").put("messages", self.record))

    async def _remember_run(self, run: str) -> None:
        """Strict: after a crash the run's id is the only way back to an answer that goes on without
        us."""
        newest, queued = self.record["runs"][-1], self.record["state"] == "queued"
        if self.record["state"] == "streaming" and newest.get("run") == (run or None):
            return
        newest["run"] = run or None
        self.record["state"] = "streaming"
        await self._written.store(Change(durability="strict").put("messages", self.record))
        if queued:
            await self._upstream.transport.arrived(self.record)

    async def _queue(self) -> None:
        """The endpoint cannot be reached, and does not have the prompt."""
        self.record["state"] = "queued"
        await self._written.store(Change(durability="strict").put("messages", self.record))
        try:
            await self._upstream.queue(self.record)
        except UpstreamError:  # not even its model is known: this page will ask when it can
            return
        # The run's model and mode now belong to its key.
        await self._written.store(Change().put("messages", self.record))

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

    async def _flush(self) -> bool:
        """Writes the next row; False when there is none to be written yet."""
        async with self._flushing:
            count = self._written.take(self._pending, final=self._closed is not None)
            taken, self._pending = self._pending[:count], self._pending[count:]
            if not self._closed and not (self._pending and taken):
                self._dirty.clear()
            if not taken:
                return False
            row, patch = await self._written.add(taken)
        self._rate.add(self._host.now(), row.tokens)
        if patch:
            self._host.post(patch)
        self._report(again=True)
        return True

    async def _end(self) -> None:
        closed = self._closed
        assert closed is not None
        cut_off = closed.outcome is Outcome.DONE and closed.reason == "length"
        self.record.pop("error", None)
        self._written.record |= {
            "state": "length" if cut_off else ENDED[closed.outcome],
            "tokens": tokens(self.rows),
            "seconds": round(self._seconds(), 1),
            "parser": VERSION,
        }
        self.record["runs"][-1]["seq"] = cursor(self.rows, self._written.run)
        if closed.problem:
            self.record["error"] = error_of(closed.problem, closed.reason)
        patch = await self._written.end()
        if patch:
            self._host.post(patch)
        self._report(again=True)
        self.ended.set()  # an answer that waits for this one need not wait for the storage
        await self._written.until_stored()
        self._report(again=True)
        await self._upstream.transport.forget(self.record)
        self.abandon()

    # What the screen is told

    def _report(self, again: bool = False) -> None:
        """Posts the status when the state has changed; with `again` also when only its counts
        have."""
        state = self.state  # alone first: this runs for every chunk, and counting takes all rows
        if state == self._seen and not again:
            return
        if state == "queued" and self._seen != "queued" and self._session:
            self._spawn(self._queue())
        if state == "streaming" and self._seen in ("catching-up", "reconnecting", "offline"):
            self._resumed = tokens(self.rows)
        self._seen = state
        self._host.post({"type": "status", "message": self.id, **self.status()})

    @property
    def state(self) -> str:
        if self.record["state"] in FINAL_STATES:
            return str(self.record["state"])
        if self._heard:
            return str(self._heard["state"])
        if self._session is None:
            return self._state_before()
        rows = [row for row in self.rows[-RECENT:] if row.run == self._written.run]
        return live_state(self._session, rows, self._seen)

    def _state_before(self) -> str:
        if self.record["state"] == "queued" or any(not a.ended.is_set() for a in self._before):
            return "queued"
        return "catching-up" if self._recalled else "sending"

    def status(self) -> Message:
        if self._heard:
            return dict(self._heard)
        status = status_of(self.record, self.rows) | {"state": self.state}
        status["saved"] -= self._written.unsaved
        if self.record["state"] in FINAL_STATES or self._session is None:
            return status
        status |= live_status(self._session, cursor(self.rows, self._written.run))
        # Every event that is still to come is taken for a token, as nearly all of them are.
        head = status["tokens"] + status.pop("behind", 0)
        if self._session.attempt <= SURE_TRIES:
            status["keeper"] = self._upstream.transport.keeper
        return status | {
            "head": head,
            "seconds": round(self._seconds(), 1),
            "rate": round(self._rate.value(self._host.now()), 1),
            "resumed": self._resumed,
        }

    def _seconds(self) -> float:
        """Of all runs. One that another device has begun and ended has its time already."""
        newest = self.record["runs"][-1]
        if "began" not in newest:
            return float(self.record.get("seconds", 0))
        began = float(newest["began"]) / 1000
        return float(newest.get("before", 0)) + max(0.0, self._host.now() - began)

    def _spawn(self, job: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(job)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._host.post(notice_of(error))
