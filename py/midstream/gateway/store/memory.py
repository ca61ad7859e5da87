"""The store without a disk, for tests and `--store memory:`: a restart forgets everything."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from midstream.gateway.store.interface import (
    PAGE,
    ConversationBusy,
    ConversationSummary,
    Fenced,
    KeyReused,
    LogEntry,
    Page,
    RunRecord,
    TooManyRuns,
    cancel_topic,
    gives_key_back,
    summary_of,
)
from midstream.gateway.store.wakeups import Wakeups


class MemoryRunStore:
    """Needs no locks: no method gives way to another task between reading and writing."""

    def __init__(self) -> None:
        self._runs: dict[str, RunRecord] = {}
        self._logs: dict[str, list[LogEntry]] = {}
        self._wakeups = Wakeups()

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def create(self, run: RunRecord, *, max_live: int) -> tuple[RunRecord, bool]:
        mine = [other for other in self._runs.values() if other.owner == run.owner]
        for other in mine:
            if run.key is None or other.key != run.key:
                continue
            if other.fingerprint != run.fingerprint:
                raise KeyReused
            if not gives_key_back(other):
                return other, False
            self._runs[other.id] = replace(other, key=None)
        live = [other for other in mine if other.live]
        for other in live:
            if run.conversation is not None and other.conversation == run.conversation:
                raise ConversationBusy(other.id)
        if len(live) >= max_live:
            raise TooManyRuns(max_live)
        self._runs[run.id] = run
        self._logs[run.id] = []
        return run, True

    async def get(self, run_id: str) -> RunRecord | None:
        return self._runs.get(run_id)

    async def append(
        self,
        run_id: str,
        epoch: int,
        first: int,
        payloads: Sequence[str],
        *,
        now: float,
        end: str | None = None,
    ) -> None:
        run = self._owned(run_id, epoch)
        if first != run.head + 1:
            raise Fenced(f"next is {run.head + 1}, not {first}")
        self._logs[run_id].extend(LogEntry(seq, epoch, payload) for seq, payload in enumerate(payloads, first))
        self._runs[run_id] = replace(
            run,
            head=run.head + len(payloads),
            state=end or run.state,
            started=run.started or now,
            updated=now,
        )
        self._wakeups.notify(run_id)

    async def read(self, run_id: str, after: int, limit: int = PAGE) -> Page | None:
        run = self._runs.get(run_id)
        if run is None or run.purged:
            return None
        return Page(self._logs[run_id][after : after + limit], run.head, run.state)

    async def renew(self, run_id: str, epoch: int, lease: float) -> RunRecord:
        run = self._runs[run_id] = replace(self._owned(run_id, epoch), lease=lease)
        return run

    async def attend(self, run_id: str, now: float) -> None:
        if run_id in self._runs:
            self._runs[run_id] = replace(self._runs[run_id], attended=now)

    async def cancel(self, run_id: str) -> None:
        run = self._runs.get(run_id)
        if run is not None and run.live:
            self._runs[run_id] = replace(run, cancelling=True)
            self._wakeups.notify(cancel_topic(run_id))

    async def stale(self, now: float) -> list[RunRecord]:
        return [run for run in self._runs.values() if run.live and run.lease < now]

    async def claim(self, run_id: str, epoch: int, lease: float) -> RunRecord:
        run = replace(self._owned(run_id, epoch), epoch=epoch + 1, lease=lease)
        self._runs[run_id] = run
        return run

    async def delete(self, run_id: str) -> None:
        run = self._runs.get(run_id)
        if run is not None:
            self._runs[run_id] = replace(run, purged=True, prompt="", key=None)
            self._logs.pop(run_id, None)
            self._wakeups.notify(run_id)

    async def purge(self, ended_before: float, tombstones_before: float) -> int:
        ended = [run for run in self._runs.values() if not run.live]
        old = [run for run in ended if not run.purged and run.updated < ended_before]
        for run in old:
            await self.delete(run.id)
        for run in ended:
            if run.purged and run.updated < tombstones_before:
                del self._runs[run.id]
        return len(old)

    async def check(self) -> None:
        return None

    async def runs(self, owner: str, conversation: str) -> list[RunRecord]:
        mine = (run for run in self._kept(owner) if run.conversation == conversation)
        return sorted(mine, key=lambda run: run.created)

    async def conversations(self, owner: str, limit: int) -> list[ConversationSummary]:
        names = {run.conversation for run in self._kept(owner) if run.conversation is not None}
        found = [summary_of(name, await self.runs(owner, name)) for name in names]
        return sorted(found, key=lambda item: item.updated, reverse=True)[:limit]

    async def lost(self) -> float | None:
        return None

    def watch(self, topic: str) -> AbstractContextManager[asyncio.Event]:
        return self._wakeups.watch(topic)

    def _kept(self, owner: str) -> list[RunRecord]:
        return [run for run in self._runs.values() if run.owner == owner and not run.purged]

    def _owned(self, run_id: str, epoch: int) -> RunRecord:
        run = self._runs.get(run_id)
        if run is None or not run.live or run.epoch != epoch:
            raise Fenced(f"epoch {epoch} does not own this run")
        return run
