"""The client's journal: what was received and what was shown, stored together, so that a reload
paints what stood there.

One *row* is written per flush, in one transaction, before the screen hears of it: nothing is ever
shown that is not stored. A row holds the text that was fed to the parser in one `feed` call and the
ops which that call returned; since the parser is deterministic, feeding the rows again rebuilds the
very tree that the screen has painted from their ops.

The position in a run is `cursor(rows)`, derived each time. It is never stored beside the rows,
where it could disagree.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any, Literal, Protocol

from midstream.errors import StoreError
from midstream.problems import problem

Record = dict[str, Any]
Durability = Literal["relaxed", "strict"]

STORES = ("conversations", "messages", "journal", "settings")
# The stored states of an answer that has not ended.
UNFINISHED = ("sending", "streaming", "queued")


@dataclass(slots=True)
class Row:
    """One flush of one answer.

    `run` indexes the message's runs (an answer that was continued has several), `first`..`last` are
    the seq of the events it covers, `n` is the number of the patch made of it, unique and without
    holes within the message.
    """

    message: str
    n: int
    run: int
    first: int
    last: int
    text: str
    reasoning: str = ""
    tokens: int = 0
    ops: list[list[Any]] = field(default_factory=list)
    finish: str = ""  # the finish_reason, in the row whose events brought it
    ended: str = ""  # the terminal record's state, likewise
    # Made by compacted(): the text of all rows, the ops of the whole finished tree.
    whole: bool = False
    epoch: int = 0  # of the event `last`; 0 when the endpoint gives none
    extras: list[str] = field(default_factory=list)  # what came that is not text: `remarks.extras_of`
    inside: bool = False  # the row ends within a tag that marks reasoning
    held: str = ""  # its last characters, which may be the beginning of such a tag

    def record(self) -> Record:
        return asdict(self)

    @classmethod
    def from_record(cls, record: Record) -> Row:
        """Reads a stored row; fields that an older version did not write have their defaults.

        Raises ValueError on foreign or damaged data (storage is not trusted).
        """
        try:
            row = cls(**{f.name: record[f.name] for f in fields(cls) if _given(record, f)})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a journal row: {error}") from error
        integers = (row.n, row.run, row.first, row.last, row.tokens, row.epoch)
        if not all(isinstance(value, int) for value in integers):
            raise ValueError("not a journal row: a position is not an integer")
        if not (isinstance(row.text, str) and isinstance(row.ops, list)):
            raise ValueError("not a journal row: text or ops of the wrong kind")
        return row


def _given(record: Record, field_: Any) -> bool:
    optional = field_.default is not MISSING or field_.default_factory is not MISSING
    return field_.name in record or not optional


def unbroken(rows: Iterable[Row]) -> list[Row]:
    """The rows up to the first hole in their numbers or seq.

    A hole means that a write was lost, though its successor was kept: what follows it cannot be
    shown without showing a hole, and the stream can give it again.
    """
    kept: list[Row] = []
    for row in sorted(rows, key=lambda row: row.n):
        if not _follows(kept[-1] if kept else None, row):
            break
        kept.append(row)
    return kept


def _follows(before: Row | None, row: Row) -> bool:
    if before is None:
        return (row.run == 0 or row.whole) and row.first == 1
    if row.n != before.n + 1:
        return False
    return row.first == (before.last + 1 if row.run == before.run else 1)


def cursor(rows: Sequence[Row], run: int) -> int:
    """The last seq that is stored of a run; 0 when there is none. The rows are in order."""
    return next((row.last for row in reversed(rows) if row.run == run), 0)


def epoch(rows: Sequence[Row], run: int) -> int:
    """The epoch of the event at the cursor; 0 when there is none, or the endpoint gives none."""
    return next((row.epoch for row in reversed(rows) if row.run == run), 0)


def text(rows: Iterable[Row]) -> str:
    return "".join(row.text for row in rows)


def tokens(rows: Iterable[Row]) -> int:
    return sum(row.tokens for row in rows)


def finish_reason(rows: Iterable[Row], run: int) -> str:
    """The finish_reason stored of a run; "" when none has come."""
    return next((row.finish for row in rows if row.run == run and row.finish), "")


def ended(rows: Iterable[Row], run: int) -> str:
    """The state of the run's terminal record, if that is stored; "" otherwise."""
    return next((row.ended for row in rows if row.run == run and row.ended), "")


def compacted(rows: Sequence[Row], ops: list[list[Any]]) -> Row:
    """The one row that replaces all rows of an ended answer: its whole text and the `ops` of its
    whole tree."""
    last = rows[-1]
    return Row(
        message=last.message,
        n=last.n,
        run=last.run,
        first=1,
        last=last.last,
        text=text(rows),
        reasoning="".join(row.reasoning for row in rows),
        tokens=tokens(rows),
        ops=ops,
        finish=last.finish,
        ended=last.ended,
        whole=True,
        epoch=last.epoch,
        extras=list(dict.fromkeys(extra for row in rows for extra in row.extras)),
    )


@dataclass(slots=True)
class Change:
    """What one transaction does, all of it or nothing: first the drops, then the puts, then the
    amends."""

    puts: list[tuple[str, Record]] = field(default_factory=list)
    amends: list[tuple[str, str, Record]] = field(default_factory=list)  # (store, id, fields)
    drop_rows: list[str] = field(default_factory=list)  # messages whose journal rows go
    drops: list[tuple[str, str]] = field(default_factory=list)  # (store, id): records that go
    durability: Durability = "relaxed"
    kept: bool = False  # what cannot be stored stays in memory, and the page goes on with it

    def put(self, store: str, record: Record) -> Change:
        if store not in STORES:
            raise ValueError(f"unknown store {store!r}")
        self.puts.append((store, record))
        return self

    @property
    def needs(self) -> set[str]:
        """The messages that rows of it belong to, and that it does not put: they have to be there."""
        owners = {record["message"] for store, record in self.puts if store == "journal"}
        return owners - {record["id"] for store, record in self.puts if store == "messages"}

    @property
    def needs_rows(self) -> set[tuple[str, int]]:
        """The rows, by message and number, that stand before rows of it and that it does not put: they
        have to be there."""
        rows = [record for store, record in self.puts if store == "journal" and not record.get("whole")]
        before = {
            (row["message"], row["n"] - 1) for row in rows if row["n"] > 1 and row["message"] not in self.drop_rows
        }
        return before - {(row["message"], row["n"]) for row in rows}

    def amend(self, store: str, key: str, fields: Record) -> Change:
        """Changes some fields of a record (None takes one away) as it is then, and leaves the
        others: two tabs may each change something of it. Nothing where there is no record."""
        self.amends.append((store, key, fields))
        return self

    def drop(self, store: str, key: str) -> Change:
        """Drops a record by its id; a message takes its journal rows along."""
        self.drops.append((store, key))
        if store == "messages":
            self.drop_rows.append(key)
        return self


class Store(Protocol):
    """Where conversations live. `commit` returns when the transaction is complete, and raises
    StoreError if it is not; with the code `lost` also when it is, but a message or a row is not
    there that the change needs."""

    async def commit(self, change: Change) -> None: ...

    async def conversations(self) -> list[Record]: ...

    async def conversation(self, key: str) -> Record | None: ...

    async def message(self, key: str) -> Record | None: ...

    async def messages(self, conversation: str) -> list[Record]:
        """In the order of their positions."""
        ...

    async def unfinished(self) -> list[Record]:
        """The answers that some page began to write and none has ended."""
        ...

    async def rows(self, message: str) -> list[Record]:
        """In the order of their numbers."""
        ...

    def read_all(self, store: str, fields: Sequence[str]) -> AsyncIterator[list[Record]]:
        """Some fields of all records of a store, in the order of their keys, in pieces. The fields
        hold the key's."""
        ...

    async def setting(self, key: str) -> Record | None:
        """A record of the store `settings`: {"id": key, …}."""
        ...


class MemoryStore:
    """A Store in memory: for tests in CPython, and for a tab whose browser denies storage."""

    def __init__(self) -> None:
        self._stores: dict[str, dict[Any, Record]] = {name: {} for name in STORES}

    async def commit(self, change: Change) -> None:
        journal = self._stores["journal"]
        for message in change.drop_rows:
            for key in [key for key in journal if key[0] == message]:
                del journal[key]
        for store, dropped in change.drops:
            self._stores[store].pop(dropped, None)
        for store, record in change.puts:
            key = (record["message"], record["n"]) if store == "journal" else record["id"]
            self._stores[store][key] = dict(record)
        for store, key, changed in change.amends:
            if found := self._stores[store].get(key):
                left = {name: value for name, value in found.items() if name not in changed}
                given = {name: value for name, value in changed.items() if value is not None}
                self._stores[store][key] = left | given
        if change.needs - self._stores["messages"].keys() or change.needs_rows - journal.keys():
            raise StoreError(problem("storage_cleared"), code="lost")

    def forget(self, conversation: str) -> None:
        """Drops a conversation with its messages and rows."""
        self._stores["conversations"].pop(conversation, None)
        for record in [*self._stores["messages"].values()]:
            if record["conversation"] == conversation:
                del self._stores["messages"][record["id"]]
                for key in [key for key in self._stores["journal"] if key[0] == record["id"]]:
                    del self._stores["journal"][key]

    async def conversations(self) -> list[Record]:
        return [dict(record) for record in self._stores["conversations"].values()]

    async def conversation(self, key: str) -> Record | None:
        return self._copy("conversations", key)

    async def message(self, key: str) -> Record | None:
        return self._copy("messages", key)

    async def messages(self, conversation: str) -> list[Record]:
        every = self._stores["messages"].values()
        own = [dict(record) for record in every if record["conversation"] == conversation]
        return sorted(own, key=lambda record: int(record["position"]))

    async def unfinished(self) -> list[Record]:
        every = self._stores["messages"].values()
        return [dict(record) for record in every if record["state"] in UNFINISHED]

    async def rows(self, message: str) -> list[Record]:
        every = self._stores["journal"].items()
        own = [dict(row) for (owner, _), row in every if owner == message]
        return sorted(own, key=lambda record: int(record["n"]))

    async def read_all(self, store: str, fields: Sequence[str]) -> AsyncIterator[list[Record]]:
        for key in sorted(self._stores[store]):
            record = self._stores[store].get(key, {})
            yield [{name: record[name] for name in fields if name in record}]

    async def setting(self, key: str) -> Record | None:
        return self._copy("settings", key)

    def _copy(self, store: str, key: str) -> Record | None:
        record = self._stores[store].get(key)
        return None if record is None else dict(record)
