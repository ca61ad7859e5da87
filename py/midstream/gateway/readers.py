"""Log → readers: each pulls by position, and those of one process share what was read last.

There is no queue per reader: one that stalls holds a number, and reads from the store when it
comes back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager

from midstream.errors import RequestError
from midstream.gateway.config import Limits
from midstream.gateway.store import PAGE, Entry, Page, Store

ATTEND = 10.0  # seconds between two signs that somebody is reading
KEPT = 512  # newest entries of a followed run, kept for its readers…
KEPT_SIZE = 1 << 20  # …as far as they have not more characters than this


class _Tail:
    """The newest entries of one run, contiguous; filled by whichever reader comes first."""

    def __init__(self, store: Store, run_id: str) -> None:
        self.users = 0
        self._store = store
        self._run_id = run_id
        self._entries: Sequence[Entry] = []
        self._state = ""
        self._lock = asyncio.Lock()

    async def read(self, after: int) -> Page | None:
        page = self._kept(after)
        if page is None:
            async with self._lock:  # one asks the store, the others find its answer here
                page = self._kept(after) or await self._fetch(after)
        return page

    def _kept(self, after: int) -> Page | None:
        """What is here of the entries after `after`; None when the store has to be asked."""
        if not self._entries:
            return None
        first, last = self._entries[0].seq, self._entries[-1].seq
        if not first - 1 <= after < last:
            return None
        return Page(self._entries[after + 1 - first :][:PAGE], last, self._state)

    async def _fetch(self, after: int) -> Page | None:
        page = await self._store.read(self._run_id, after)
        if page is not None and page.entries and page.entries[-1].seq == page.head:
            if self._entries and page.entries[0].seq == self._entries[-1].seq + 1:
                self._entries = _newest([*self._entries, *page.entries])
            else:
                self._entries = _newest(page.entries)
            self._state = page.state
        return page


def _newest(entries: Sequence[Entry]) -> Sequence[Entry]:
    kept = entries[-KEPT:]
    size = sum(len(entry.payload) for entry in kept)
    while size > KEPT_SIZE and len(kept) > 1:
        kept = kept[len(kept) // 2 :]
        size = sum(len(entry.payload) for entry in kept)
    return kept


class Readers:
    """The readers of one process."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._heartbeat = limits.heartbeat
        self._limit = limits.readers
        self._tails: dict[str, _Tail] = {}
        self._waiting: set[asyncio.Event] = set()
        self._stopping = False

    def stop(self) -> None:
        """Ends all readers at once, without a terminal event.

        They come back to the next process.
        """
        self._stopping = True
        for event in self._waiting:
            event.set()

    def require_room(self) -> None:
        """Raises RequestError when there are as many readers as may be."""
        if len(self._waiting) >= self._limit:
            raise RequestError(
                f"{self._limit} streams are already open.", status=429, code="too_many_readers"
            )

    async def pages(self, run_id: str, after: int) -> AsyncGenerator[Page | None, None]:
        """What comes after `after`, as it comes, to the end of the run.

        None when it is time for a heartbeat.
        """
        attended = 0.0
        with self._store.watch(run_id) as changed, self._follow(run_id, changed) as tail:
            while not self._stopping:
                if time.monotonic() - attended > ATTEND:
                    attended = time.monotonic()
                    await self._store.attend(run_id, time.time())
                changed.clear()
                page = await tail.read(after)
                if page is None:  # deleted while it was read
                    return
                if page.entries:
                    after = page.entries[-1].seq
                    yield page
                if page.ends_at(after):
                    return
                if not page.entries and not await self._woken(changed):
                    yield None

    async def ended(self, run_id: str) -> None:
        """Returns when the run has ended, is gone, or this process stops."""
        async for page in self.pages(run_id, 0):
            if page is not None and page.ends_at(page.head):
                return

    async def begun(self, run_id: str, patience: float) -> None:
        """Returns with the first event, or after `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                async for page in self.pages(run_id, 0):
                    if page is not None:
                        return
        except TimeoutError:
            return

    async def _woken(self, changed: asyncio.Event) -> bool:
        try:
            async with asyncio.timeout(min(self._heartbeat, ATTEND)):
                await changed.wait()
        except TimeoutError:
            return False
        return True

    @contextmanager
    def _follow(self, run_id: str, changed: asyncio.Event) -> Iterator[_Tail]:
        tail = self._tails.setdefault(run_id, _Tail(self._store, run_id))
        tail.users += 1
        self._waiting.add(changed)
        try:
            yield tail
        finally:
            self._waiting.discard(changed)
            tail.users -= 1
            if not tail.users:
                del self._tails[run_id]
