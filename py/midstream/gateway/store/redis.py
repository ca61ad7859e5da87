"""The run log in Redis (or Valkey), for several machines.

A run is a hash and a stream; the entry ids of the stream are the last seq that each holds. The
braces in their names keep both on one node of a cluster. What has to be decided at once is a Lua
script over one run's keys. What spans runs (idempotency keys, busy conversations, the set of live
runs) are keys of their own, each claimed by one atomic command and checked against the run when
it is met: the run is the truth, they are ways to it.

A commit survives what Redis is configured to survive: with `appendfsync everysec`, all but about
the last second.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import asdict, fields
from hashlib import sha256
from typing import Any

import redis.asyncio
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError

from midstream.errors import StoreError
from midstream.gateway.store import redis_scripts as scripts
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
    gives_key_back,
    summary_of,
)
from midstream.gateway.store.packing import pack, unpack
from midstream.gateway.store.redis_tail import Tail

TTL_MS = 35 * 24 * 3600 * 1000  # a net under the sweeper, which deletes earlier

_PREFIX = "midstream:"
_LIVE = f"{_PREFIX}live"
_ENDED = f"{_PREFIX}ended"
_KNOWN = {OutOfMemoryError: "it is full", ReadOnlyError: "it is read-only"}
_NAMES = [field.name for field in fields(RunRecord)]


class RedisRunStore:
    def __init__(self, url: str) -> None:
        # Longer than a blocking read takes; a lost connection is otherwise noticed by nobody.
        self._redis: Any = redis.asyncio.Redis.from_url(
            url, socket_connect_timeout=5, socket_timeout=10, health_check_interval=30
        )
        self._place = url.rpartition("@")[2]
        self._tail = Tail(self._redis, _PREFIX, _stream_of)
        self._scripts = {
            name: self._redis.register_script(getattr(scripts, name))
            for name in ("APPEND", "HOLD", "CANCEL", "ATTEND", "BURY", "PASS_ON")
        }

    async def open(self) -> None:
        async with self._words():
            await self._redis.ping()

    async def close(self) -> None:
        await self._tail.close()
        await self._redis.aclose()

    # -- writing

    async def create(self, run: RunRecord, *, max_live: int) -> tuple[RunRecord, bool]:
        async with self._words():
            # The record first: who meets one of the claims below must find the run behind it.
            await self._redis.hset(_run_key(run.id), mapping=_to_hash(run))
            await self._redis.pexpire(_run_key(run.id), TTL_MS)
            await self._redis.sadd(_LIVE, run.id)
            await self._redis.sadd(_live_key(run.owner), run.id)
            try:
                holder = await self._claim_key(run)
                if holder is None:
                    await self._claim_conversation(run)
                    if await self._redis.scard(_live_key(run.owner)) > max_live:
                        raise TooManyRuns(max_live)
            except BaseException:
                await self._undo(run)
                raise
            if holder is not None:
                await self._undo(run)
                return holder, False
            if run.conversation is not None:
                name = run.conversation
                await self._redis.zadd(_talk_key(run.owner, name), {run.id: run.created})
                await self._redis.zadd(_talks_key(run.owner), {name: run.created})
            return run, True

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
        last = first + len(payloads) - 1
        keys = [_run_key(run_id), _log_key(run_id)]
        values: list[Any] = [epoch, first, last, pack(payloads), repr(now), end or "", TTL_MS]
        async with self._words():
            if not await self._scripts["APPEND"](keys=keys, args=values):
                raise Fenced(f"epoch {epoch} may not write seq {first}")
            if end:
                await self._retire(run_id, now)

    async def renew(self, run_id: str, epoch: int, lease: float) -> RunRecord:
        return await self._hold(run_id, epoch, lease, 0)

    async def claim(self, run_id: str, epoch: int, lease: float) -> RunRecord:
        return await self._hold(run_id, epoch, lease, 1)

    async def attend(self, run_id: str, now: float) -> None:
        async with self._words():
            await self._scripts["ATTEND"](keys=[_run_key(run_id)], args=[repr(now)])

    async def cancel(self, run_id: str) -> None:
        keys = [_run_key(run_id), _cancel_key(run_id)]
        async with self._words():
            await self._scripts["CANCEL"](keys=keys, args=[TTL_MS])

    async def delete(self, run_id: str) -> None:
        run = await self.get(run_id)
        if run is None:
            return
        keys = [_run_key(run_id), _log_key(run_id), _cancel_key(run_id)]
        async with self._words():
            await self._scripts["BURY"](keys=keys)
            if run.key is not None:
                await self._pass_on(_claim_key(run.owner, run.key), run_id, "")
            if run.conversation is not None:
                talk = _talk_key(run.owner, run.conversation)
                await self._redis.zrem(talk, run_id)
                if not await self._redis.zcard(talk):
                    await self._redis.zrem(_talks_key(run.owner), run.conversation)
        self._tail.wakeups.notify(run_id)

    async def purge(self, ended_before: float, tombstones_before: float) -> int:
        async with self._words():
            found = await self._redis.zrangebyscore(_ENDED, "-inf", f"({ended_before!r}")
        count = 0
        for run_id in (item.decode() for item in found):
            run = await self.get(run_id)
            if run is not None and not run.purged:
                await self.delete(run_id)
                count += 1
            if run is None or run.updated < tombstones_before:
                async with self._words():
                    await self._redis.delete(_run_key(run_id))
                    await self._redis.zrem(_ENDED, run_id)
        return count

    async def check(self) -> None:
        key = f"{_PREFIX}check:{secrets.token_hex(8)}"
        async with self._words():
            await self._redis.set(key, "1", px=10_000)
            await self._redis.delete(key)

    # -- reading

    async def get(self, run_id: str) -> RunRecord | None:
        return (await self._get_all([run_id]))[0]

    async def read(self, run_id: str, after: int, limit: int = PAGE) -> Page | None:
        async with self._words(), self._redis.pipeline(transaction=True) as pipe:
            pipe.hmget(_run_key(run_id), "state", "head", "purged")
            # An entry's id is the last seq in it, so this begins with the entry that holds after
            # + 1.
            pipe.xrange(_log_key(run_id), min=f"{after + 1}-0", count=max(1, limit // 8))
            (state, head, purged), found = await pipe.execute()
            if state is None or purged != b"0":
                return None
            entries = [entry for item in found for entry in _entries(item[1]) if entry.seq > after]
            return Page(entries[:limit], int(head), state.decode())

    async def stale(self, now: float) -> list[RunRecord]:
        async with self._words():
            ids = [item.decode() for item in await self._redis.smembers(_LIVE)]
        found = []
        for run_id, run in zip(ids, await self._get_all(ids), strict=True):
            if run is None or not run.live:  # its writer died between the end and _retire
                await self._retire(run_id, now, run)
            elif run.lease < now:
                found.append(run)
        return found

    async def runs(self, owner: str, conversation: str) -> list[RunRecord]:
        async with self._words():
            ids = await self._redis.zrange(_talk_key(owner, conversation), 0, -1)
        found = await self._get_all([item.decode() for item in ids])
        return [run for run in found if run is not None and not run.purged]

    async def conversations(self, owner: str, limit: int) -> list[ConversationSummary]:
        async with self._words():
            names = await self._redis.zrevrange(_talks_key(owner), 0, limit - 1)
        found = []
        for name in (item.decode() for item in names):
            runs = await self.runs(owner, name)
            if runs:
                found.append(summary_of(name, runs))
        return sorted(found, key=lambda item: item.updated, reverse=True)

    def watch(self, topic: str) -> AbstractContextManager[asyncio.Event]:
        return self._tail.wakeups.watch(topic)

    # -- helpers

    async def _get_all(self, run_ids: Sequence[str]) -> list[RunRecord | None]:
        async with self._words(), self._redis.pipeline(transaction=False) as pipe:
            for run_id in run_ids:
                pipe.hmget(_run_key(run_id), *_NAMES)
            return [_from_hash(values) for values in await pipe.execute()]

    async def _hold(self, run_id: str, epoch: int, lease: float, more: int) -> RunRecord:
        async with self._words():
            values: list[Any] = [epoch, repr(lease), more]
            held = await self._scripts["HOLD"](keys=[_run_key(run_id)], args=values)
        run = await self.get(run_id) if held else None
        if run is None or run.epoch != epoch + more:
            raise Fenced(f"epoch {epoch} does not own this run")
        return run

    async def _claim_key(self, run: RunRecord) -> RunRecord | None:
        """None when the key is now this run's, else the run that has it."""
        if run.key is None:
            return None
        claim = _claim_key(run.owner, run.key)
        while not await self._redis.set(claim, run.id, nx=True, px=TTL_MS):
            holder_id = await self._redis.get(claim)
            if holder_id is None:
                continue
            holder = await self.get(holder_id.decode())
            if holder is not None and holder.key == run.key:
                if holder.fingerprint != run.fingerprint:
                    raise KeyReused
                if not gives_key_back(holder):
                    return holder
                await self._redis.hset(_run_key(holder.id), "key", "")
            if await self._pass_on(claim, holder_id.decode(), run.id):
                return None
        return None

    async def _claim_conversation(self, run: RunRecord) -> None:
        if run.conversation is None:
            return
        claim = _busy_key(run.owner, run.conversation)
        while not await self._redis.set(claim, run.id, nx=True, px=TTL_MS):
            holder_id = await self._redis.get(claim)
            if holder_id is None:
                continue
            holder = await self.get(holder_id.decode())
            if holder is not None and holder.live:
                raise ConversationBusy(holder.id)
            if await self._pass_on(claim, holder_id.decode(), run.id):
                return

    async def _undo(self, run: RunRecord) -> None:
        """The run did not come to be: give back what it had claimed."""
        await self._redis.delete(_run_key(run.id))
        await self._redis.srem(_LIVE, run.id)
        await self._redis.srem(_live_key(run.owner), run.id)
        if run.key is not None:
            await self._pass_on(_claim_key(run.owner, run.key), run.id, "")
        if run.conversation is not None:
            await self._pass_on(_busy_key(run.owner, run.conversation), run.id, "")

    async def _retire(self, run_id: str, now: float, run: RunRecord | None = None) -> None:
        """Takes an ended run out of the sets of live ones. May be done twice."""
        run = run or await self.get(run_id)
        async with self._words():
            await self._redis.zadd(_ENDED, {run_id: now})
            await self._redis.srem(_LIVE, run_id)
            if run is None:
                return
            await self._redis.srem(_live_key(run.owner), run_id)
            if run.conversation is not None:
                await self._pass_on(_busy_key(run.owner, run.conversation), run_id, "")
                talks = _talks_key(run.owner)
                await self._redis.zadd(talks, {run.conversation: now}, xx=True)

    async def _pass_on(self, claim: str, holder: str, to: str) -> bool:
        return bool(await self._scripts["PASS_ON"](keys=[claim], args=[holder, to, TTL_MS]))

    @asynccontextmanager
    async def _words(self) -> AsyncIterator[None]:
        try:
            yield
        except (RedisError, OSError, ValueError) as error:
            raise StoreError(
                f"The run log in Redis at {self._place} cannot be used: {_reason(error)}.",
                hint="Is the server running, and is --store right?",
                reason=next((words for kind, words in _KNOWN.items() if isinstance(error, kind)), ""),
            ) from error


def _run_key(run_id: str) -> str:
    return f"{_PREFIX}{{{run_id}}}:run"


def _log_key(run_id: str) -> str:
    return f"{_PREFIX}{{{run_id}}}:log"


def _cancel_key(run_id: str) -> str:
    return f"{_PREFIX}{{{run_id}}}:cancel"


def _stream_of(topic: str) -> str:
    kind, colon, run_id = topic.partition(":")
    return _cancel_key(run_id) if colon else _log_key(kind)


def _live_key(owner: str) -> str:
    return f"{_PREFIX}live:{_digest(owner)}"


def _claim_key(owner: str, key: str) -> str:
    return f"{_PREFIX}key:{_digest(owner, key)}"


def _busy_key(owner: str, conversation: str) -> str:
    return f"{_PREFIX}busy:{_digest(owner, conversation)}"


def _talk_key(owner: str, conversation: str) -> str:
    return f"{_PREFIX}talk:{_digest(owner, conversation)}"


def _talks_key(owner: str) -> str:
    return f"{_PREFIX}talks:{_digest(owner)}"


def _digest(*parts: str) -> str:
    """Names from outside never stand in a key as they are."""
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def _to_hash(run: RunRecord) -> dict[str, str]:
    """All text; absent is the empty string, flags are 0 and 1."""
    return {name: _text(value) for name, value in asdict(run).items()}


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


def _from_hash(values: Sequence[bytes | None]) -> RunRecord | None:
    """None when the run is not there, or only a part of it (its hash has expired in between)."""
    if any(value is None for value in values):
        return None
    text = dict(zip(_NAMES, (value.decode() for value in values if value is not None), strict=True))
    numbers = {name: int(text[name]) for name in ("epoch", "head")}
    times = {name: float(text[name]) for name in ("lease", "attended", "created", "started", "updated")}
    flags = {name: text[name] == "1" for name in ("stream", "cancelling", "purged")}
    absent = {name: text[name] or None for name in ("conversation", "key")}
    mixed: dict[str, Any] = {**text, **numbers, **times, **flags, **absent}
    return RunRecord(**mixed)


def _entries(item: dict[bytes, bytes]) -> list[LogEntry]:
    epoch, first = int(item[b"epoch"]), int(item[b"first"])
    return [LogEntry(seq, epoch, payload) for seq, payload in enumerate(unpack(item[b"batch"]), first)]


def _reason(error: BaseException) -> str:
    text = str(error).strip().rstrip(".")
    return text.splitlines()[0] if text else type(error).__name__
