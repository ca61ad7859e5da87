"""The tables of the SQLite store, what is done to them, one connection at a time, and its errors.

`runs` has a row for each run; `writer` names the process that writes it (see `presence`). `segments`
has its log in batches: `payloads` are those of seq `first` to `last`, packed, all written in one
epoch.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import groupby
from typing import Any

from midstream.errors import StoreError
from midstream.gateway.store.interface import (
    SEGMENT,
    ConversationBusy,
    LogEntry,
    RunRecord,
    TooManyRuns,
)
from midstream.gateway.store.packing import pack, unpack

SCHEMA_VERSION = 3

_COMPACT_LIMIT = 8 << 20  # bytes; more would hold up the other writers

_SCHEMA = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    conversation TEXT,
    key TEXT,
    fingerprint TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt TEXT NOT NULL,
    stream INTEGER NOT NULL,
    state TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    head INTEGER NOT NULL,
    lease REAL NOT NULL,
    attended REAL NOT NULL,
    cancelling INTEGER NOT NULL,
    created REAL NOT NULL,
    started REAL NOT NULL,
    updated REAL NOT NULL,
    purged INTEGER NOT NULL,
    writer TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX runs_key ON runs (owner, key) WHERE key IS NOT NULL;
CREATE INDEX runs_conversation ON runs (owner, conversation, created);
CREATE INDEX runs_live ON runs (lease) WHERE state = 'live';
CREATE TABLE segments (
    run TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    payloads BLOB NOT NULL,
    PRIMARY KEY (run, first)
) WITHOUT ROWID
"""

COLUMNS = ", ".join(field.name for field in fields(RunRecord))
_FLAGS = frozenset({"stream", "cancelling", "purged"})
SELECT = f"SELECT {COLUMNS} FROM runs"

# What brings a file of each version to the next one. A run that version 1 wrote has no name of its
# writer: its lease decides.
_MIGRATIONS = {
    1: "ALTER TABLE runs ADD COLUMN writer TEXT NOT NULL DEFAULT ''",
    2: "ALTER TABLE runs DROP COLUMN request",  # whole prompts, which nobody read
}

WRITERS = "SELECT DISTINCT writer FROM runs WHERE state = 'live' AND writer <> ''"
END_LEASES = "UPDATE runs SET lease = 0 WHERE state = 'live'"

# A log of no run, which a check writes and removes.
PROBE = "INSERT OR REPLACE INTO segments VALUES ('', 0, 0, 0, zeroblob(?))"
END_PROBE = "DELETE FROM segments WHERE run = ''"

# Compare and append: nothing happens unless the run is live, ours, and exactly at first - 1.
ADVANCE = """
UPDATE runs SET head = ?, state = coalesce(?, state), updated = ?,
    started = CASE started WHEN 0 THEN ? ELSE started END
WHERE id = ? AND epoch = ? AND head = ? AND state = 'live'
"""

CONVERSATIONS = """
SELECT conversation,
    (SELECT prompt FROM runs first WHERE first.owner = runs.owner AND NOT first.purged
        AND first.conversation = runs.conversation ORDER BY created, id LIMIT 1),
    min(created), max(max(updated, created)), count(*), max(CASE state WHEN 'live' THEN id END)
FROM runs WHERE owner = ? AND conversation IS NOT NULL AND NOT purged
GROUP BY conversation ORDER BY 4 DESC LIMIT ?
"""


def migrate(db: sqlite3.Connection) -> None:
    """Brings a file to this version; StoreError when it is of a later one."""
    (erases,) = db.execute("PRAGMA secure_delete").fetchone()
    db.execute("PRAGMA secure_delete = ON")  # or what is dropped would stay readable in the file
    with transaction(db):
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise StoreError(f"it was written by a newer Midstream (schema {version})")
        if version == 0:
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
        for older in range(version or SCHEMA_VERSION, SCHEMA_VERSION):
            db.execute(_MIGRATIONS[older])
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute(f"PRAGMA secure_delete = {erases}")
    if 0 < version < SCHEMA_VERSION:
        db.execute("PRAGMA incremental_vacuum").fetchall()


@contextlib.contextmanager
def transaction(db: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    db.execute(begin)
    try:
        yield
    except BaseException:
        if db.in_transaction:  # a full disk has rolled it back already
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def run_from(row: Sequence[Any]) -> RunRecord:
    named = zip((field.name for field in fields(RunRecord)), row, strict=True)
    values: dict[str, Any] = {name: bool(x) if name in _FLAGS else x for name, x in named}
    return RunRecord(**values)


def one_run(db: sqlite3.Connection, where: str, *values: object) -> RunRecord | None:
    row = db.execute(f"{SELECT} WHERE {where}", values).fetchone()
    return None if row is None else run_from(row)


def refuse_if_busy(db: sqlite3.Connection, run: RunRecord, max_live: int) -> None:
    where = "owner = ? AND conversation = ? AND state = 'live'"
    busy = one_run(db, where, run.owner, run.conversation)
    if busy is not None:
        raise ConversationBusy(busy.id)
    sql = "SELECT count(*) FROM runs WHERE owner = ? AND state = 'live'"
    if db.execute(sql, (run.owner,)).fetchone()[0] >= max_live:
        raise TooManyRuns(max_live)


def entries_after(db: sqlite3.Connection, run_id: str, after: int, limit: int) -> list[LogEntry]:
    """The bound on `first` spares reading the whole log: no segment is longer than SEGMENT."""
    found: list[LogEntry] = []
    where = "run = ? AND first > ? AND last > ?"
    for entries in _segments(db, where, run_id, after - SEGMENT, after):
        found.extend(entry for entry in entries if entry.seq > after)
        if len(found) >= limit:
            break
    return found[:limit]


def add_segment(db: sqlite3.Connection, run_id: str, epoch: int, first: int, packed: bytes, last: int) -> None:
    values = (run_id, first, last, epoch, packed)
    db.execute("INSERT INTO segments VALUES (?, ?, ?, ?, ?)", values)


def compact(db: sqlite3.Connection, run_id: str) -> None:
    """Joins the segments of an ended run: written event by event, they take ten times the room."""
    (size,) = db.execute("SELECT sum(length(payloads)) FROM segments WHERE run = ?", (run_id,)).fetchone()
    if size is None or size > _COMPACT_LIMIT:
        return
    whole = [entry for entries in _segments(db, "run = ?", run_id) for entry in entries]
    db.execute("DELETE FROM segments WHERE run = ?", (run_id,))
    for epoch, group in groupby(whole, lambda entry: entry.epoch):
        entries = list(group)
        for start in range(0, len(entries), SEGMENT):
            part = entries[start : start + SEGMENT]
            packed = pack([entry.payload for entry in part])
            add_segment(db, run_id, epoch, part[0].seq, packed, part[-1].seq)


def _segments(db: sqlite3.Connection, where: str, *values: object) -> Iterator[list[LogEntry]]:
    sql = f"SELECT first, epoch, payloads FROM segments WHERE {where} ORDER BY first"
    for first, epoch, packed in db.execute(sql, values):
        try:
            payloads = unpack(packed)
        except ValueError as error:
            raise sqlite3.DatabaseError(str(error)) from error
        yield [LogEntry(seq, epoch, payload) for seq, payload in enumerate(payloads, first)]


def bury(db: sqlite3.Connection, run_ids: Sequence[str]) -> None:
    for run_id in run_ids:
        db.execute("DELETE FROM segments WHERE run = ?", (run_id,))
        sql = "UPDATE runs SET purged = 1, prompt = '', key = NULL WHERE id = ?"
        db.execute(sql, (run_id,))


# Errors in words

_KNOWN = {
    "database or disk is full": "its disk is full",
    "no space left on device": "its disk is full",
    "disk quota exceeded": "its disk is full",
    "file too large": "its disk is full",
    "attempt to write a readonly database": "it is read-only",
    "read-only file system": "it is read-only",
    "unable to open database file": "it cannot be opened",
    "file is not a database": "it is not a run log",
    "disk I/O error": "its disk is full or failing",
    "a damaged batch in the log": "a part of it is damaged",
    "database is locked": "another program holds it",
}


def words_of(error: BaseException) -> str:
    """Always some, perhaps the system's own."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "a part of its path is not a folder"
    return known_words(error) or _text_of(error)


def known_words(error: BaseException) -> str:
    """Words that name no file and may be told to everybody; "" when there are none for it."""
    return _KNOWN.get(_text_of(error), "")


def _text_of(error: BaseException) -> str:
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
