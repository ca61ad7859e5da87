"""Ends the runs whose writer died, and forgets old ones.

Every process sweeps; the store lets one win.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time

from midstream.errors import StoreError
from midstream.gateway.config import Limits
from midstream.gateway.outage import Outage
from midstream.gateway.runs.relay import Ending, Relays, terminal_payload
from midstream.gateway.store.interface import LEASE, RENEW, Fenced, RunRecord, RunStore
from midstream.problems import problem

log = logging.getLogger(__name__)

_PURGE_EVERY = 300.0
_ORPHANED = Ending("interrupted", problem("run_lost"), "writer_lost")


class Sweeper:
    """With LEASE 10 s and RENEW 3 s an orphan is ended at most 14 s after its writer's death; at
    most 4 s after it where the store knows who is dead (SQLite), at once by whoever starts anew."""

    def __init__(self, store: RunStore, relays: Relays, limits: Limits) -> None:
        self._store = store
        self._relays = relays
        self._limits = limits
        self._purged = -_PURGE_EVERY
        self._outage = Outage("sweep")

    async def run_forever(self) -> None:
        while True:
            before = time.time()
            await asyncio.sleep(RENEW * random.uniform(0.8, 1.2))
            # The machine was asleep: the living writers beside us need a moment to renew their
            # leases.
            if time.time() - before < LEASE:
                await self.sweep()

    async def sweep(self) -> None:
        """One round; a store that fails is tried again in the next one."""
        try:
            for run in await self._store.stale(time.time()):
                if run.id not in self._relays:
                    await self._end(run)
            if time.monotonic() - self._purged > _PURGE_EVERY:
                self._purged = time.monotonic()
                now = time.time()
                await self._store.purge(now - self._limits.keep, now - self._limits.tombstone)
            self._outage.over()
        except StoreError as error:
            self._outage.begun(error)

    async def _end(self, stale: RunRecord) -> None:
        try:
            run = await self._store.claim(stale.id, stale.epoch, time.time() + LEASE)
            payload = terminal_payload(run.id, _ORPHANED)
            await self._store.append(run.id, run.epoch, run.head + 1, [payload], now=time.time(), end=_ORPHANED.state)
        except Fenced:
            return  # another sweeper was first, or the writer has come back
        log.info("run %s was orphaned at %d", run.id[:8], run.head)
