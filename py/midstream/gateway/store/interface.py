"""What the gateway needs of a run log; `memory`, `sqlite` and `redis` provide it.

A run is one answer of a model. Its log is a sequence of entries numbered from 1 without holes
(`seq`); the last entry is the terminal event. Rules that every store keeps:

- **visible means committed**: what `read` gives stays, at that place, for as long as the run is
  kept;
- **one writer**: an append names its `epoch` and the next `seq`; if either is not the store's
  own, nothing is written (`Fenced`). A takeover (`claim`) raises the epoch, so a writer thought
  dead can never write again;
- **pull**: readers ask by position. `watch` only wakes them and carries no data, so a lost
  wake-up costs time, not text.

Times are seconds since the epoch and come in as arguments: the machines that share a store need
clocks that agree to well under LEASE.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from midstream import sse
from midstream.errors import MidstreamError, RequestError
from midstream.problems import problem
from midstream.text import title_of

LEASE = 10.0  # a writer that has not renewed for so long is dead
RENEW = 3.0  # how often it renews
RECOVERY = 5.0  # after a loss of data: until then each living writer has renewed, and written its run again
ASK_AGAIN = 0.25  # seconds until a store that is away, or has lost data, is asked again
PAGE = 512  # entries per read, at most
SEGMENT = 256  # payloads per append, at most

LIVE = "live"


class Fenced(MidstreamError):
    """This writer no longer owns the run: it ended, or another took it over."""

    code = "fenced"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The record of a run. `head` is the last seq written, 0 for none."""

    id: str
    owner: str = ""
    conversation: str | None = None
    key: str | None = None  # the client's Idempotency-Key
    fingerprint: str = ""  # of the request's body: a key stands for one body
    model: str = ""
    prompt: str = ""  # the person's last message, for devices that did not send it
    stream: bool = True
    state: str = LIVE  # then one of events.TERMINAL_STATES
    epoch: int = 1  # generation of the writer
    head: int = 0
    lease: float = 0.0  # the writer is taken for dead after this
    attended: float = 0.0  # when somebody was last reading
    cancelling: bool = False
    created: float = 0.0
    started: float = 0.0  # first append, 0 for none
    updated: float = 0.0  # last append
    purged: bool = False  # tombstone: the log and the texts are gone

    @property
    def live(self) -> bool:
        return self.state == LIVE


@dataclass(frozen=True)
class LogEntry:
    """One event of a log: the upstream's payload as it came."""

    seq: int
    epoch: int
    payload: str

    @property
    def position(self) -> str:
        return f"{self.epoch}-{self.seq}"

    @cached_property
    def frame(self) -> bytes:
        """The event as SSE, made once for all readers."""
        return sse.encode(self.payload, id=self.position)


@dataclass(frozen=True, slots=True)
class Page:
    """What came after a position, and how the run stood at that moment."""

    entries: Sequence[LogEntry]
    head: int
    state: str

    def ends_at(self, seq: int) -> bool:
        """A reader at `seq` has everything that there will ever be."""
        return self.state != LIVE and seq >= self.head


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    id: str
    title: str
    created: float
    updated: float
    runs: int
    active: str | None  # the id of its live run


class KeyReused(RequestError):
    def __init__(self) -> None:
        super().__init__(problem("key_reused"), status=422, code="key_reused")


class ConversationBusy(RequestError):
    """Carries the live run, so that the answer can say where to attach."""

    def __init__(self, run: str) -> None:
        super().__init__(problem("conversation_busy"), status=409, code="conversation_busy")
        self.run = run


class TooManyRuns(RequestError):
    def __init__(self, limit: int) -> None:
        super().__init__(problem("too_many_runs", n=limit), status=429, code="too_many_runs")


class RunStore(Protocol):
    """Where runs and their logs are kept.

    Every method but `watch` raises StoreError when the store itself fails, and the writer's three
    (`append`, `renew`, `claim`) raise Fenced when the run is unknown, has ended, or is in another
    epoch than the caller says. The others take an unknown id as one that has nothing.
    """

    async def open(self) -> None:
        """Does nothing when it is open already. StoreError also when its data is a later version's."""

    async def close(self) -> None:
        """Does nothing when it is closed already."""

    async def create(self, run: RunRecord, *, max_live: int) -> tuple[RunRecord, bool]:
        """Adds `run`, or finds the one that holds its key: (run, whether it is new).

        A run that failed before its first event gives its key back, so that a refused request may
        be tried again. Raises KeyReused when the key stands for another body, ConversationBusy when
        the conversation has a live run, TooManyRuns when the owner has `max_live` of them.
        """

    async def get(self, run_id: str) -> RunRecord | None:
        """The record, also of a tombstone; None when the run is unknown."""

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
        """Commits payloads as seq first, first+1…; the last puts the run into state `end`.

        Fenced also when the next seq is not `first`.
        """

    async def read(self, run_id: str, after: int, limit: int = PAGE) -> Page | None:
        """The next entries after seq `after`; None when the run is unknown or its log is gone.

        As many as there are, `limit` at most: a page with fewer ends at its head.
        """

    async def renew(self, run_id: str, epoch: int, lease: float) -> RunRecord:
        """Keeps the writer alive until `lease`; the record tells it of readers and cancellation."""

    async def attend(self, run_id: str, now: float) -> None:
        """Notes that somebody was reading at `now`."""

    async def cancel(self, run_id: str) -> None:
        """Asks the writer, in whatever process, to stop. Does nothing when the run is not live."""

    async def stale(self, now: float) -> list[RunRecord]:
        """Live runs whose lease is over, or whose writer the store knows to be dead."""

    async def claim(self, run_id: str, epoch: int, lease: float) -> RunRecord:
        """Takes over from the writer of `epoch`: the epoch goes up by one."""

    async def delete(self, run_id: str) -> None:
        """Leaves a tombstone: the log and the prompt are gone."""

    async def purge(self, ended_before: float, tombstones_before: float) -> int:
        """Deletes old logs and forgets old tombstones; gives the number of logs."""

    async def check(self) -> None:
        """Writes something and removes it again. StoreError when an answer could not be stored now."""

    async def runs(self, owner: str, conversation: str) -> list[RunRecord]:
        """Oldest first, tombstones left out."""

    async def conversations(self, owner: str, limit: int) -> list[ConversationSummary]:
        """Last used first, at most `limit`."""

    async def lost(self) -> float | None:
        """When it was noticed last that the store has lost runs (a Redis emptied, or set back to an older state).

        None for never. Its live runs come back within RECOVERY, those that have ended do not.
        """

    def watch(self, topic: str) -> AbstractContextManager[asyncio.Event]:
        """An event that is set when the topic changes: a run's id, or `cancel_topic(id)`."""


def cancel_topic(run_id: str) -> str:
    return f"cancel:{run_id}"


async def recovering(store: RunStore) -> bool:
    """Whether a live run that is missing may still come back."""
    lost = await store.lost()
    return lost is not None and time.time() - lost < RECOVERY


def gives_key_back(run: RunRecord) -> bool:
    """It failed with nothing but the terminal event: its request may be tried again."""
    return run.state == "failed" and run.head <= 1


def summary_of(name: str, runs: Sequence[RunRecord]) -> ConversationSummary:
    """`runs` oldest first, at least one."""
    return ConversationSummary(
        id=name,
        title=title_of(runs[0].prompt),
        created=runs[0].created,
        updated=max(max(run.updated, run.created) for run in runs),
        runs=len(runs),
        active=next((run.id for run in runs if run.live), None),
    )
