"""Upstream → log: one task for each live run, which asks nobody whether somebody is reading.

A run ends by the model (`completed`), by an explicit stop (`cancelled`), by what its upstream did
(`failed` when nothing had come or the upstream said so, `interrupted` when it was cut off), or by
its limits (`expired`). A reader that goes away is none of these.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
import traceback
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass

from midstream.errors import ErrorWords, StoreError, UpstreamError
from midstream.events import Delta, Event, Extra, Finish, Usage
from midstream.gateway.config import Limits
from midstream.gateway.runs.writer import Writer
from midstream.gateway.store.interface import (
    LEASE,
    RENEW,
    Fenced,
    RunRecord,
    RunStore,
    cancel_topic,
)
from midstream.gateway.tasks import end_all, finish
from midstream.gateway.upstream.passed_headers import PassedHeaders
from midstream.gateway.upstream.refusals import client_status, error_status
from midstream.gateway.upstream.sources import Upstream
from midstream.problems import Problem, problem
from midstream.progress import Progress
from midstream.providers import openai

log = logging.getLogger(__name__)

_CHOICES = 128  # the most that OpenAI gives; more are not waited for


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended; `status` is what an HTTP answer would say if nothing has been sent yet."""

    state: str
    why: Problem | None = None
    code: str = ""
    status: int | None = None
    retry_after: str | None = None
    words: ErrorWords | None = None  # the upstream's own error


STOPPED = Ending("cancelled", problem("run_stopped"), "cancelled")
SHUTDOWN = Ending("interrupted", problem("run_shutdown"), "shutdown")
UNATTENDED = Ending("expired", problem("run_unattended"), "unattended")
TOO_LONG = Ending("expired", problem("run_too_long"), "too_long")
TOO_LARGE = Ending("failed", problem("run_too_large"), "too_large")
CUT = Ending("interrupted", problem("run_cut"), "cut")
MISTAKE = Ending("failed", problem("run_mistake"), "internal", status=500)
NO_ANSWER = Ending("failed", problem("run_empty"), "cut")


class Relay:
    """One run from its first request to its terminal event."""

    def __init__(
        self,
        run: RunRecord,
        body: bytes,
        upstream: Upstream,
        store: RunStore,
        limits: Limits,
        passed: PassedHeaders | None = None,
    ) -> None:
        self._run = run
        self._body = body
        self._passed = passed or PassedHeaders()
        self._upstream = upstream
        self._store = store
        self._limits = limits
        self._writer = Writer(store, run, limits.store_outage)

    async def run(self) -> None:
        """Never raises.

        What cannot be written to the log is logged, and the sweeper ends the run.
        """
        try:
            ending = await self._ending()
        except asyncio.CancelledError:
            ending = SHUTDOWN
        except Fenced:
            log.warning("run %s was taken over", self._run.id[:8])
            return
        except StoreError as error:
            log.error("run %s: %s", self._run.id[:8], error.message)
            return
        except Exception as error:  # our own mistake: the reader must still learn of it
            ending = MISTAKE
            # Without the error's text, which may hold what somebody wrote.
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("run %s: %s\n%s", self._run.id[:8], type(error).__name__, where)
        with contextlib.suppress(Fenced):
            await finish(self._end(ending))

    async def _ending(self) -> Ending:
        """The first of: the upstream is done, somebody or some limit stops it, the log fails."""
        tasks = [asyncio.create_task(work) for work in (self._pump(), self._keep(), self._writer.run_forever())]
        try:
            done, _ = await asyncio.wait(tasks, timeout=self._limits.total, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Also when we are cancelled ourselves: the upstream must be closed.
            await end_all(tasks)
        for task in tasks:
            if task in done and (ending := task.result()) is not None:
                return ending
        return TOO_LONG

    async def _pump(self) -> Ending:
        """Reads the upstream to its end. Text that came before an error is in the log and stays."""
        asked = Asked.of(self._body)
        progress, room = Progress(asked.choices), self._limits.log
        try:
            async with (
                asyncio.timeout(None) as patience,
                aclosing(self._upstream.payloads(self._body, self._passed)) as payloads,
            ):
                async for payload in payloads:
                    events = openai.parse(payload)
                    if progress.take(events):
                        await self._writer.put(asked.form(payload, progress))
                    room -= len(payload)
                    if room < 0:
                        return TOO_LARGE
                    if progress.failure is not None:
                        break
                    if not progress.finished:
                        patience.reschedule(None)
                    elif _is_part(events):
                        patience.reschedule(asyncio.get_running_loop().time() + self._limits.after_finish)
        except TimeoutError:
            return _ending(progress)
        except UpstreamError as error:
            return _ending(progress, error)
        return _ending(progress)

    async def _keep(self) -> Ending:
        """Renews the lease, and looks whether the run is to be stopped."""
        attended, since = self._run.attended, time.monotonic()
        with self._store.watch(cancel_topic(self._run.id)) as asked:
            while True:
                asked.clear()
                with contextlib.suppress(StoreError):  # the lease allows for three tries
                    lease = time.time() + LEASE
                    run = await self._store.renew(self._run.id, self._run.epoch, lease)
                    if run.cancelling:
                        return STOPPED
                    if run.attended != attended:
                        attended, since = run.attended, time.monotonic()
                # By the clock that stands still while the machine sleeps: nobody could read then.
                if time.monotonic() - since > self._limits.unattended:
                    return UNATTENDED
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RENEW):
                        await asked.wait()

    async def _end(self, ending: Ending) -> None:
        payload = terminal_payload(self._run.id, ending)
        try:
            await self._writer.end(ending.state, payload)
        except StoreError as error:
            log.error("run %s cannot be ended: %s", self._run.id[:8], error.message)
        else:
            log.info("run %s %s %s", self._run.id[:8], ending.state, ending.code)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, as far as the end of its answer goes by it."""

    choices: int = 1
    stream: bool = True
    usage: bool = False  # in a chunk of its own

    @classmethod
    def of(cls, body: bytes) -> Asked:
        request = json.loads(body)
        count, options = request.get("n"), request.get("stream_options")
        return cls(
            min(count, _CHOICES) if type(count) is int and count > 0 else 1,
            bool(request.get("stream")),
            isinstance(options, dict) and bool(options.get("include_usage")),
        )

    def form(self, payload: str, progress: Progress) -> str:
        """The payload as the client can take it."""
        if not self.stream:
            return payload
        if failure := progress.failure:
            return openai.error_payload(payload, failure)
        return openai.as_chunk(payload, usage=self.usage)


def _is_part(events: Iterable[Event]) -> bool:
    """What may go on after the finish; keep-alives do not count."""
    return any(isinstance(event, Delta | Extra | Finish | Usage) for event in events)


def _ending(progress: Progress, error: UpstreamError | None = None) -> Ending:
    """`error`: by which the upstream's stream was cut."""
    state = progress.state(cut=error is not None)
    if state == "completed":
        return Ending(state)
    if failure := progress.failure:
        return Ending("failed", failure.problem, failure.code, error_status(failure.words), words=failure.words)
    if error is None:
        return CUT if state == "interrupted" else NO_ANSWER
    return Ending(state, error.problem, error.code, *client_status(error), error.words)


def terminal_payload(run_id: str, ending: Ending) -> str:
    return openai.terminal(
        run_id,
        ending.state,
        why=ending.why,
        code=ending.code,
        words=ending.words,
        status=ending.status,
        retry_after=ending.retry_after,
    )


class Relays:
    """The runs that this process writes."""

    def __init__(self, upstream: Upstream, store: RunStore, limits: Limits) -> None:
        self._upstream = upstream
        self._store = store
        self._limits = limits
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._tasks

    def start(self, run: RunRecord, body: bytes, passed: PassedHeaders | None = None) -> None:
        relay = Relay(run, body, self._upstream, self._store, self._limits, passed)
        task = asyncio.create_task(relay.run(), name=f"relay-{run.id[:8]}")
        self._tasks[run.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(run.id, None))

    async def stop(self) -> None:
        """Ends all runs as interrupted; the log says so before the process goes."""
        await end_all(self._tasks.values())
