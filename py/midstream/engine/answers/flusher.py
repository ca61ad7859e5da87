"""The way from a session's deliveries to the journal: one row for each frame.

While a commit is under way the deliveries that arrive wait in `pending` and make up the next row, so
a slow disk slows the flushes and never queues transactions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from midstream.engine.answers.answer_journal import AnswerJournal
from midstream.engine.ports.host import Message
from midstream.journal import Row
from midstream.session import Closed, Deliver

FLUSH_S = 0.016  # one animation frame
# After a flush that cost t the next one waits at least DUTY·t, so parsing takes at most a quarter of the time.
DUTY = 3
# The same while more has arrived than one row takes. A long rest would make that more and more: with three quarters
# of rest, 20,000 list items at full speed took 26 s. Others get their turn in this rest, and while a row is stored.
DUTY_BEHIND = 0.5


class Flusher:
    """`flushed` gets each row when it is stored, with its patch if the screen needs one now."""

    def __init__(self, journal: AnswerJournal, flushed: Callable[[Row, Message | None], None]) -> None:
        self._journal = journal
        self._flushed = flushed
        self._pending: list[Deliver] = []
        self._closed: Closed | None = None
        self._due = asyncio.Event()
        self._behind = False
        self._lock = asyncio.Lock()  # rows are numbered in the order of their commits

    def add(self, delivery: Deliver) -> None:
        self._pending.append(delivery)
        self._due.set()

    def close(self, closed: Closed) -> None:
        """Nothing comes after what is pending."""
        self._closed = closed
        self._due.set()

    async def run(self) -> Closed:
        """Flushes until the last delivery is stored."""
        loop = asyncio.get_running_loop()
        while True:
            await self._due.wait()
            began = loop.time()
            await self._flush_row()
            if self._closed and not self._pending:
                return self._closed
            cost = loop.time() - began
            duty = DUTY_BEHIND if self._behind else DUTY
            await asyncio.sleep(max(FLUSH_S, duty * cost) if self._pending else FLUSH_S)

    async def flush(self) -> None:
        """Stores what is pending, without waiting for the next frame."""
        while self._pending and await self._flush_row():
            pass

    async def _flush_row(self) -> bool:
        """Stores the next row; False when there is none to be stored yet."""
        async with self._lock:
            count = self._journal.row_size(self._pending, final=self._closed is not None)
            taken, self._pending = self._pending[:count], self._pending[count:]
            self._behind = bool(self._pending and taken)
            if not self._closed and not self._behind:
                self._due.clear()
            if not taken:
                return False
            row, patch = await self._journal.append(taken)
        self._flushed(row, patch)
        return True
