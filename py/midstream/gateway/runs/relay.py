"""Upstream → log: one task for each live run, which asks nobody whether somebody is reading.

A run ends by the model (`completed`), by an explicit stop (`cancelled`), by what its upstream did
(`failed` when nothing had come or the upstream said so, `interrupted` when it was cut off), or by
its limits (`expired`). A reader that goes away is none of these.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import traceback
from contextlib import aclosing
from dataclasses import dataclass

from midstream.errors import StoreError, UpstreamError
from midstream.events import Delta, Failed, Finish
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
from midstream.gateway.upstream.http_client import client_status
from midstream.gateway.upstream.sources import Upstream
from midstream.problems import Problem, problem
from midstream.providers import openai

log = logging.getLogger(__name__)

_AFTER_FINISH = 5.0  # seconds in which usage may follow the finish


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended; `status` is what an HTTP answer would say if nothing has been sent yet."""

    state: str
    why: Problem | None = None
    code: str = ""
    status: int | None = None
    retry_after: str | None = None


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

    def __init__(self, run: RunRecord, body: bytes, upstream: Upstream, store: RunStore, limits: Limits) -> None:
        self._run = run
        self._body = body
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
        progress = _Progress(self._limits.log)
        try:
            async with (
                asyncio.timeout(None) as patience,
                aclosing(self._upstream.payloads(self._body)) as payloads,
            ):
                async for payload in payloads:
                    await self._writer.put(payload)
                    if (ending := progress.take(payload)) is not None:
                        return ending
                    if progress.finished:
                        patience.reschedule(asyncio.get_running_loop().time() + _AFTER_FINISH)
        except TimeoutError:
            return progress.ending()
        except UpstreamError as error:
            if progress.finished:
                return progress.ending()
            return progress.broken(error)
        return progress.ending()

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


class _Progress:
    """What has come so far, as far as it decides how the run ends."""

    def __init__(self, limit: int) -> None:
        self.finished = False
        self._text = False
        self._room = limit

    def take(self, payload: str) -> Ending | None:
        self._room -= len(payload)
        if self._room < 0:
            return TOO_LARGE
        for event in openai.parse(payload):
            if isinstance(event, Failed):
                return Ending("failed", event.problem, event.code, status=502)
            self._text = self._text or isinstance(event, Delta)
            self.finished = self.finished or isinstance(event, Finish)
        return None

    def ending(self) -> Ending:
        """The upstream has ended in order: complete only if the model said so."""
        if self.finished:
            return Ending("completed")
        return CUT if self._text else NO_ANSWER

    def broken(self, error: UpstreamError) -> Ending:
        state = "interrupted" if self._text else "failed"
        return Ending(state, error.problem, error.code, *client_status(error))


def terminal_payload(run_id: str, ending: Ending) -> str:
    return openai.terminal(
        run_id,
        ending.state,
        why=ending.why,
        code=ending.code,
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

    def start(self, run: RunRecord, body: bytes) -> None:
        relay = Relay(run, body, self._upstream, self._store, self._limits)
        task = asyncio.create_task(relay.run(), name=f"relay-{run.id[:8]}")
        self._tasks[run.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(run.id, None))

    async def stop(self) -> None:
        """Ends all runs as interrupted; the log says so before the process goes."""
        await end_all(self._tasks.values())
