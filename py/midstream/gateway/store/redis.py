"""The run log in Redis (or Valkey), for several machines.

A run is a hash and a stream; the entry ids of the stream are the last seq that each holds. What has
to be decided at once is a Lua script. What spans runs (idempotency keys, busy conversations, the set
of live runs) are keys of their own, each checked against the run when it is met: the run is the truth,
they are ways to it.

A commit survives what Redis is configured to survive: with `appendfsync everysec`, all but about
the last second. What Redis loses of a live run, its writer writes again from its own backup, at the
same positions. Ended runs that it loses are gone, and `lost` says so (docs/decisions/0042).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from midstream.gateway.store.backups import Backup, Backups
from midstream.gateway.store.interface import (
    LEASE,
    PAGE,
    RECOVERY,
    ConversationBusy,
    ConversationSummary,
    Fenced,
    KeyReused,
    LogEntry,
    Page,
    RunRecord,
    TooManyRuns,
    summary_of,
)
from midstream.gateway.store.packing import pack, unpack
from midstream.gateway.store.redis_client import RedisClient
from midstream.gateway.store.redis_keys import (
    ENDED,
    FIELDS,
    LIVE,
    LOOKS,
    LOST,
    PREFIX,
    busy_key,
    cancel_key,
    claim_key,
    from_hash,
    live_key,
    log_key,
    run_key,
    stream_of,
    talk_key,
    talks_key,
    to_hash,
)
from midstream.gateway.store.redis_tail import Tail

log = logging.getLogger(__name__)

TTL_MS = 35 * 24 * 3600 * 1000  # a net under the sweeper, which deletes earlier

# Of each process, beside one that waits. Writers have their own, so that they stand in no queue behind readers.
_READERS, _WRITERS = 16, 16

_MISSING = -1  # a script's word for: Redis has less of this run than has been written


class RedisRunStore:
    def __init__(self, url: str) -> None:
        self._reading = RedisClient(url, _READERS)
        self._writing = RedisClient(url, _WRITERS)
        self._tail = Tail(RedisClient(url, 1), self._reading, PREFIX, stream_of)
        self._backups = Backups()
        self._restoring = asyncio.Lock()
        self._looks = 0

    async def open(self) -> None:
        await self.lost()

    async def close(self) -> None:
        await self._tail.close()
        await self._reading.close()
        await self._writing.close()

    # -- writing

    async def create(self, run: RunRecord, *, max_live: int) -> tuple[RunRecord, bool]:
        while True:
            what, other = await self._begin("create", run, max_live)
            if what == b"new":
                self._backups.begin(run)
                return run, True
            if what == b"reused":
                raise KeyReused
            if what == b"busy":
                raise ConversationBusy(other.decode())
            if what == b"full":
                raise TooManyRuns(max_live)
            holder = await self.get(other.decode())
            if holder is not None:  # else it has gone since
                return holder, False

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
        self._backups.put(run_id, first, payloads, now)
        written = await self._append(run_id, epoch, first, payloads, now, end)
        if written == _MISSING and await self._restore(run_id):
            written = await self._append(run_id, epoch, first, payloads, now, end)
        if written != 1:
            raise Fenced(f"epoch {epoch} may not write seq {first}")
        if end:
            self._backups.end(run_id)
            await self._retire(run_id, now, await self.get(run_id))

    async def renew(self, run_id: str, epoch: int, lease: float) -> RunRecord:
        return await self._hold(run_id, epoch, lease, 0)

    async def claim(self, run_id: str, epoch: int, lease: float) -> RunRecord:
        return await self._hold(run_id, epoch, lease, 1)

    async def attend(self, run_id: str, now: float) -> None:
        await self._reading.run("attend", [run_key(run_id)], repr(now))

    async def cancel(self, run_id: str) -> None:
        await self._writing.run("cancel", [run_key(run_id), cancel_key(run_id)], TTL_MS)

    async def delete(self, run_id: str) -> None:
        run = await self.get(run_id)
        if run is None:
            return
        await self._writing.run("bury", [run_key(run_id), log_key(run_id), cancel_key(run_id)])
        if run.key is not None:
            await self._writing.run("release", [claim_key(run.owner, run.key)], run_id)
        if run.conversation is not None:
            talk = talk_key(run.owner, run.conversation)
            _, left = await self._writing.ask_all([("ZREM", talk, run_id), ("ZCARD", talk)])
            if not left:
                await self._writing.ask("ZREM", talks_key(run.owner), run.conversation)
        self._tail.wakeups.notify(run_id)

    async def purge(self, ended_before: float, tombstones_before: float) -> int:
        found = await self._reading.ask("ZRANGEBYSCORE", ENDED, "-inf", f"({ended_before!r}")
        count = 0
        for run_id in (item.decode() for item in found):
            run = await self.get(run_id)
            if run is not None and not run.purged:
                await self.delete(run_id)
                count += 1
            if run is None or run.updated < tombstones_before:
                await self._writing.ask_all([("DEL", run_key(run_id)), ("ZREM", ENDED, run_id)])
        return count

    async def check(self) -> None:
        key = f"{PREFIX}check:{secrets.token_hex(8)}"
        await self._writing.ask_all([("SET", key, "1", "PX", 10_000), ("DEL", key)])

    # -- reading

    async def get(self, run_id: str) -> RunRecord | None:
        return from_hash(await self._reading.ask("HMGET", run_key(run_id), *FIELDS))

    async def read(self, run_id: str, after: int, limit: int = PAGE) -> Page | None:
        keys, last = [run_key(run_id), log_key(run_id)], after + limit
        found = await self._reading.run("read", keys, after + 1, last)
        if found is None:
            return None
        try:
            entries = [entry for entry in _entries(found[2]) if after < entry.seq <= last]
        except ValueError as error:
            raise self._reading.failure(error) from error
        page = Page(entries, int(found[1]), found[0].decode())
        # Redis may have dropped the stream and kept the hash (maxmemory): that log is gone.
        return None if page.head > after and (not page.entries or page.entries[0].seq != after + 1) else page

    async def stale(self, now: float) -> list[RunRecord]:
        lost = await self.lost()
        if lost is not None and now - lost < RECOVERY:
            return []  # the leases may be as old as the data: the living writers have to renew them first
        mine = self._backups.runs  # before Redis is asked: it cannot name what is begun meanwhile
        ids = [item.decode() for item in await self._reading.ask("SMEMBERS", LIVE)]
        for run_id in mine.difference(ids):  # somebody else has ended it
            self._backups.end(run_id)
        found = []
        for run_id, run in zip(ids, await self._get_all(ids), strict=True):
            if run is None or not run.live:  # its writer died between the end and _retire
                await self._retire(run_id, now, run)
            elif run.lease < now:
                found.append(run)
        return found

    async def runs(self, owner: str, conversation: str) -> list[RunRecord]:
        ids = await self._reading.ask("ZRANGE", talk_key(owner, conversation), 0, -1)
        found = await self._get_all([item.decode() for item in ids])
        return [run for run in found if run is not None and not run.purged]

    async def conversations(self, owner: str, limit: int) -> list[ConversationSummary]:
        names = await self._reading.ask("ZREVRANGE", talks_key(owner), 0, limit - 1)
        found = []
        for name in (item.decode() for item in names):
            runs = await self.runs(owner, name)
            if runs:
                found.append(summary_of(name, runs))
        return sorted(found, key=lambda item: item.updated, reverse=True)

    async def lost(self) -> float | None:
        """Each look is counted in Redis: a count that does not grow has lost what came after an earlier look."""
        before = self._looks
        looks, lost = await self._writing.run("look", [LOOKS, LOST], before, repr(time.time()), TTL_MS)
        self._looks = looks
        if looks <= before:
            log.warning("Redis has lost data; live runs are written again, ended ones are gone")
        return None if lost is None else float(lost)

    def watch(self, topic: str) -> AbstractContextManager[asyncio.Event]:
        return self._tail.wakeups.watch(topic)

    # -- helpers

    async def _begin(self, script: str, run: RunRecord, max_live: int = 0) -> Any:
        keys = [
            run_key(run.id),
            LIVE,
            live_key(run.owner),
            claim_key(run.owner, run.key),
            busy_key(run.owner, run.conversation),
            talk_key(run.owner, run.conversation),
            talks_key(run.owner),
        ]
        names = (run.id, run.key or "", run.fingerprint, run.conversation or "")
        return await self._writing.run(script, keys, *names, repr(run.created), max_live, TTL_MS, PREFIX, *to_hash(run))

    async def _append(
        self, run_id: str, epoch: int, first: int, payloads: Sequence[str], now: float, end: str | None
    ) -> int:
        last = first + len(payloads) - 1
        values = [epoch, first, last, pack(payloads), repr(now), end or "", TTL_MS]
        written: int = await self._writing.run("append", [run_key(run_id), log_key(run_id)], *values)
        return written

    async def _hold(self, run_id: str, epoch: int, lease: float, more: int) -> RunRecord:
        held = await self._try_to_hold(run_id, epoch, lease, more)
        if held == _MISSING and await self._restore(run_id):
            held = await self._try_to_hold(run_id, epoch, lease, more)
        run = from_hash(held) if isinstance(held, list) else None
        if run is None:
            raise Fenced(f"epoch {epoch} does not own this run")
        return run

    async def _try_to_hold(self, run_id: str, epoch: int, lease: float, more: int) -> Any:
        backup = self._backups.of(run_id)
        known = backup.head if backup else 0
        return await self._writing.run("hold", [run_key(run_id)], epoch, repr(lease), more, known, *FIELDS)

    async def _restore(self, run_id: str) -> bool:
        """Writes again what Redis has lost of a run that this process writes; False when there is no backup of it."""
        async with self._restoring:
            backup = self._backups.of(run_id)
            if backup is None:
                return False
            await self.lost()
            await self._restore_record(backup)
            run = await self.get(run_id)
            for first, payloads in backup.after(run.head) if run else ():
                await self._append(run_id, backup.run.epoch, first, payloads, time.time(), None)
        return True

    async def _restore_record(self, backup: Backup) -> None:
        now = time.time()
        await self._begin("restore", replace(backup.run, lease=now + LEASE, attended=now))

    async def _get_all(self, run_ids: Sequence[str]) -> list[RunRecord | None]:
        replies = await self._reading.ask_all([("HMGET", run_key(run_id), *FIELDS) for run_id in run_ids])
        return [from_hash(values) for values in replies]

    async def _retire(self, run_id: str, now: float, run: RunRecord | None) -> None:
        """Takes an ended run out of the sets of live ones. May be done twice."""
        commands: list[tuple[Any, ...]] = [("ZADD", ENDED, now, run_id), ("SREM", LIVE, run_id)]
        if run is not None:
            commands.append(("SREM", live_key(run.owner), run_id))
            commands.append(("ZADD", talks_key(run.owner), "XX", now, run.conversation or ""))
            await self._writing.run("release", [busy_key(run.owner, run.conversation)], run_id)
        await self._writing.ask_all(commands)


def _entries(found: bytes) -> Iterator[LogEntry]:
    """From the string that READ gives."""
    at = 0
    while at < len(found):
        begin = found.index(b"\n", at) + 1
        epoch, first, size = map(int, found[at:begin].split())
        at = begin + size
        for seq, payload in enumerate(unpack(found[begin:at]), first):
            yield LogEntry(seq, epoch, payload)
