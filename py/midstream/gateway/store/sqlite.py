"""The run log in one SQLite file (WAL): the default, for all processes of one machine.

Each process writes through one thread and reads through another. Processes hear of each other's
commits from `PRAGMA data_version`, asked every POLL seconds while somebody waits and never
otherwise.

What a commit means: with `synchronous=NORMAL` (default) it survives the death of the process, and
a power cut may take the last ones; with `?sync=full` it survives that too, at about 2 ms each. A
client that then is ahead of the log is told so (416), since the sweeper has raised the epoch.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any, TypeVar

from midstream.errors import StoreError
from midstream.gateway.store import presence
from midstream.gateway.store import sqlite_tables as tables
from midstream.gateway.store.interface import (
    PAGE,
    ConversationSummary,
    Fenced,
    KeyReused,
    Page,
    RunRecord,
    cancel_topic,
    gives_key_back,
)
from midstream.gateway.store.packing import pack
from midstream.gateway.store.wakeups import Wakeups
from midstream.gateway.tasks import end_all
from midstream.text import title_of

T = TypeVar("T")

POLL = 0.01
CHECKED = 64 << 10  # bytes that a check writes
BUSY_TIMEOUT = 10.0  # seconds to wait for another process's commit


class SQLiteRunStore:
    """`path` is made when missing, readable by its owner only: prompts are in it."""

    def __init__(self, path: Path, *, full_sync: bool = False) -> None:
        self._path = path
        self._full_sync = full_sync
        self._wakeups = Wakeups(self._topics_changed)
        self._threads: dict[str, ThreadPoolExecutor] = {}
        self._connections: dict[str, sqlite3.Connection] = {}
        self._presence = presence.Presence(path.with_name(path.name + "-alive"))
        self._poller: asyncio.Task[None] | None = None
        self._seen: dict[str, tuple[object, ...]] = {}  # run → what the last poll saw of it

    # -- life

    async def open(self) -> None:
        if self._connections:
            return
        try:
            if self._path.is_dir():
                raise StoreError("it is a folder")
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            for name in ("write", "read", "poll"):
                self._threads[name] = ThreadPoolExecutor(1, thread_name_prefix=f"log-{name}")
                self._connections[name] = self._connect()
            await self._call("write", tables.migrate)
            with self._presence.enter() as alone:
                if alone:  # whoever wrote the live runs is dead: no need to wait for the leases
                    await self._write(lambda db: db.execute(tables.END_LEASES))
            self._presence.tidy(await self._writers())
        except (OSError, StoreError) as error:
            await self.close()
            raise StoreError(
                f"The run log {self._path} cannot be used: {tables.words_of(error)}.",
                hint="Choose another with --store sqlite:PATH.",
            ) from error

    async def close(self) -> None:
        if self._poller:
            await end_all([self._poller])
        for thread in self._threads.values():
            thread.shutdown(wait=True)
        for connection in self._connections.values():
            connection.close()
        self._threads.clear()
        self._connections.clear()
        self._presence.leave()

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {'FULL' if self._full_sync else 'NORMAL'}")
        except sqlite3.Error as error:
            raise StoreError(str(error)) from error
        return connection

    # -- writing

    async def create(self, run: RunRecord, *, max_live: int) -> tuple[RunRecord, bool]:
        def work(db: sqlite3.Connection) -> tuple[RunRecord, bool]:
            holder = tables.one_run(db, "owner = ? AND key = ?", run.owner, run.key)
            if holder is not None:
                if holder.fingerprint != run.fingerprint:
                    raise KeyReused
                if not gives_key_back(holder):
                    return holder, False
                db.execute("UPDATE runs SET key = NULL WHERE id = ?", (holder.id,))
            tables.refuse_if_busy(db, run, max_live)
            places = ", ".join("?" * len(fields(RunRecord)))
            sql = f"INSERT INTO runs ({tables.COLUMNS}, writer) VALUES ({places}, ?)"
            db.execute(sql, (*astuple(run), self._presence.name))
            return run, True

        return await self._write(work)

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
        packed = pack(payloads)
        last = first + len(payloads) - 1

        def work(db: sqlite3.Connection) -> None:
            changed = db.execute(tables.ADVANCE, (last, end, now, now, run_id, epoch, first - 1))
            if changed.rowcount != 1:
                raise Fenced(f"epoch {epoch} may not write seq {first}")
            tables.add_segment(db, run_id, epoch, first, packed, last)
            if end:
                tables.compact(db, run_id)

        await self._write(work)
        self._wakeups.notify(run_id)

    async def renew(self, run_id: str, epoch: int, lease: float) -> RunRecord:
        return await self._update_owned(run_id, epoch, "lease = ?", lease)

    async def claim(self, run_id: str, epoch: int, lease: float) -> RunRecord:
        change = "epoch = epoch + 1, lease = ?, writer = ?"
        return await self._update_owned(run_id, epoch, change, lease, self._presence.name)

    async def attend(self, run_id: str, now: float) -> None:
        await self._execute("UPDATE runs SET attended = ? WHERE id = ?", now, run_id)

    async def cancel(self, run_id: str) -> None:
        await self._execute("UPDATE runs SET cancelling = 1 WHERE id = ? AND state = 'live'", run_id)
        self._wakeups.notify(cancel_topic(run_id))

    async def delete(self, run_id: str) -> None:
        await self._write(lambda db: tables.bury(db, [run_id]))
        self._wakeups.notify(run_id)

    async def purge(self, ended_before: float, tombstones_before: float) -> int:
        def work(db: sqlite3.Connection) -> int:
            ended = "state <> 'live' AND updated < ?"
            db.execute(f"DELETE FROM runs WHERE purged AND {ended}", (tombstones_before,))
            found = db.execute(f"SELECT id FROM runs WHERE NOT purged AND {ended}", (ended_before,))
            old = [row[0] for row in found]
            tables.bury(db, old)
            return len(old)

        count = await self._write(work)
        if count:
            await self._call("write", lambda db: db.execute("PRAGMA incremental_vacuum").fetchall())
        return count

    async def check(self) -> None:
        await self._execute(tables.PROBE, CHECKED)
        await self._execute(tables.END_PROBE)
        # What has been written once is written over: there may be room in the log's own files only.
        await self._call("write", lambda _: self._write_beside())

    def _write_beside(self) -> None:
        with tempfile.TemporaryFile(dir=self._path.parent, prefix=f"{self._path.name}-check-") as file:
            file.write(bytes(CHECKED))

    # -- reading

    async def get(self, run_id: str) -> RunRecord | None:
        return await self._call("read", lambda db: tables.one_run(db, "id = ?", run_id))

    async def read(self, run_id: str, after: int, limit: int = PAGE) -> Page | None:
        def work(db: sqlite3.Connection) -> Page | None:
            with tables.transaction(db, "BEGIN"):  # head, state and entries of one moment
                run = tables.one_run(db, "id = ?", run_id)
                if run is None or run.purged:
                    return None
                return Page(tables.entries_after(db, run_id, after, limit), run.head, run.state)

        return await self._call("read", work)

    async def stale(self, now: float) -> list[RunRecord]:
        dead = self._presence.gone(await self._writers())
        places = ", ".join("?" * len(dead))
        return await self._runs(f"state = 'live' AND (lease < ? OR writer IN ({places}))", now, *dead)

    async def runs(self, owner: str, conversation: str) -> list[RunRecord]:
        where = "owner = ? AND conversation = ? AND NOT purged ORDER BY created, id"
        return await self._runs(where, owner, conversation)

    async def conversations(self, owner: str, limit: int) -> list[ConversationSummary]:
        rows = await self._rows(tables.CONVERSATIONS, owner, limit)
        return [ConversationSummary(row[0], title_of(row[1]), *row[2:]) for row in rows]

    async def lost(self) -> float | None:
        return None  # who holds the file open keeps it, also when it has been deleted

    # -- waiting

    def watch(self, topic: str) -> AbstractContextManager[asyncio.Event]:
        return self._wakeups.watch(topic)

    def _topics_changed(self) -> None:
        if self._wakeups.topics and (self._poller is None or self._poller.done()):
            self._poller = asyncio.create_task(self._poll())

    async def _poll(self) -> None:
        version = None
        while self._wakeups.topics:
            now = self._connections["poll"].execute("PRAGMA data_version").fetchone()
            if now != version:
                version = now
                with contextlib.suppress(StoreError):  # the reader that is woken next meets it too
                    await self._wake()
            await asyncio.sleep(POLL)
        self._seen.clear()

    async def _wake(self) -> None:
        """Notifies the topics whose runs have changed since the last look."""
        watched = {topic.rpartition(":")[2] for topic in self._wakeups.topics}
        seen: dict[str, tuple[object, ...]] = {}
        for start in range(0, len(watched), 500):
            some = sorted(watched)[start : start + 500]
            places = ", ".join("?" * len(some))
            sql = f"SELECT id, head, state, purged, cancelling FROM runs WHERE id IN ({places})"
            seen |= {row[0]: row for row in await self._rows(sql, *some, thread="poll")}
        for run_id, row in seen.items():
            before = self._seen.get(run_id)
            if before is None or before[:4] != row[:4]:
                self._wakeups.notify(run_id)
            if row[4] and (before is None or not before[4]):
                self._wakeups.notify(cancel_topic(run_id))
        self._seen = seen

    # -- helpers

    async def _update_owned(self, run_id: str, epoch: int, change: str, *values: object) -> RunRecord:
        def work(db: sqlite3.Connection) -> RunRecord:
            sql = f"UPDATE runs SET {change} WHERE id = ? AND epoch = ? AND state = 'live'"
            changed = db.execute(sql, (*values, run_id, epoch))
            run = tables.one_run(db, "id = ?", run_id)
            if changed.rowcount != 1 or run is None:
                raise Fenced(f"epoch {epoch} does not own this run")
            return run

        return await self._write(work)

    async def _writers(self) -> list[str]:
        """The processes that write the live runs, as far as their names are known."""
        rows = await self._rows(tables.WRITERS)
        return [row[0] for row in rows]

    async def _execute(self, sql: str, *values: object) -> None:
        await self._write(lambda db: db.execute(sql, values))

    async def _rows(self, sql: str, *values: object, thread: str = "read") -> list[Any]:
        return await self._call(thread, lambda db: db.execute(sql, values).fetchall())

    async def _runs(self, where: str, *values: object) -> list[RunRecord]:
        return [tables.run_from(row) for row in await self._rows(f"{tables.SELECT} WHERE {where}", *values)]

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def committed(db: sqlite3.Connection) -> T:
            with tables.transaction(db):
                return work(db)

        return await self._call("write", committed)

    async def _call(self, thread: str, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `work` in the thread of that connection; a cancelled task does not cut it short."""
        if thread not in self._threads:
            raise StoreError("The run log is closed.")
        loop = asyncio.get_running_loop()
        connection = self._connections[thread]
        try:
            return await loop.run_in_executor(self._threads[thread], work, connection)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"The run log {self._path} failed: {tables.words_of(error)}.",
                hint="Free space on its disk, or choose another with --store sqlite:PATH.",
                reason=tables.known_words(error),
            ) from error
