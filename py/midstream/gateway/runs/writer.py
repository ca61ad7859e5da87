"""Payloads into the log, in groups: append, commit, then visible."""

from __future__ import annotations

import asyncio
import contextlib
import time

from midstream.errors import StoreError
from midstream.gateway.store.interface import Fenced, RunRecord, RunStore
from midstream.gateway.tasks import finish

DELAY = 0.02  # seconds a payload may wait for others
BATCH = 32  # payloads that go at once
PENDING = 4 * BATCH  # more than that, and the upstream has to wait for the store
_RETRY = 0.25


class Writer:
    """The one writer of a run's log in its epoch.

    `run_forever` beside it commits what `put` leaves.
    """

    def __init__(self, store: RunStore, run: RunRecord, patience: float) -> None:
        self.head = run.head
        self._patience = patience  # seconds to try again when the store fails
        self._store = store
        self._run = run
        self._pending: list[str] = []
        self._some = asyncio.Event()  # there is something to write
        self._full = asyncio.Event()  # do not wait for more
        self._room = asyncio.Event()  # `put` may go on
        self._room.set()

    async def put(self, payload: str) -> None:
        self._pending.append(payload)
        self._some.set()
        if len(self._pending) >= BATCH:
            self._full.set()
        if len(self._pending) >= PENDING:
            self._room.clear()
            await self._room.wait()

    async def run_forever(self) -> None:
        """Ends only by an error.

        Fenced, or StoreError when the store stayed away for a whole lease.
        """
        while True:
            await self._some.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DELAY):
                    await self._full.wait()
            await finish(self._commit(None))  # a cancellation never leaves a commit whose outcome is unknown

    async def end(self, state: str, payload: str) -> None:
        """Commits what is left and the terminal event as one."""
        self._pending.append(payload)
        await self._commit(state)

    async def _commit(self, end: str | None) -> None:
        batch = self._pending[:] if end else self._pending[:BATCH]
        until = time.monotonic() + self._patience
        while True:
            try:
                await self._append(batch, end)
                break
            except StoreError:
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(_RETRY)
        self.head += len(batch)
        del self._pending[: len(batch)]
        if not self._pending:
            self._some.clear()
        if len(self._pending) < BATCH:
            self._full.clear()
        self._room.set()

    async def _append(self, batch: list[str], end: str | None) -> None:
        """One try.

        After a lost reply the batch may be in the log already: then the head is there.
        """
        run_id, epoch, first = self._run.id, self._run.epoch, self.head + 1
        try:
            await self._store.append(run_id, epoch, first, batch, now=time.time(), end=end)
        except Fenced:
            run = await self._store.get(run_id)
            if run is None or (run.epoch, run.head) != (epoch, self.head + len(batch)):
                raise
