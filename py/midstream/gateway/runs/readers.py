"""Log → readers: each pulls by position, and those of one process share what was read last.

There is no queue per reader: one that stalls holds a number, and reads from the store when it
comes back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, aclosing, contextmanager, suppress
from dataclasses import replace

from midstream.errors import RequestError, StoreError
from midstream.gateway.config import Limits
from midstream.gateway.store.interface import ASK_AGAIN, LogEntry, Page, RunRecord, RunStore, recovering
from midstream.problems import problem

WINDOW = 128  # entries that are fetched and kept together
BEHIND = 8  # readers with more than a page to catch up on that get one in each turn of the loop
KEPT_SIZE = 1 << 20  # characters that are kept of a followed run, but at least one window


class _Shared:
    """What the readers of one run share: windows of its log, filled by whoever comes first.

    Window n has the entries from n * WINDOW + 1 on. However far behind its readers are, each entry
    is fetched and made into a frame about once, not once for each of them.
    """

    def __init__(self, store: RunStore, run_id: str, changed: asyncio.Event) -> None:
        self.users = 0
        self._store = store
        self._run_id = run_id
        self._changed = changed  # since the last fetch
        self._windows: dict[int, list[LogEntry]] = {}  # least recently fetched first
        self._sizes: dict[int, int] = {}  # their characters
        self._newest: Page | None = None  # what the last fetch saw, without its entries
        self._asked: asyncio.Event | None = None  # while the store is being asked: until it has answered
        self._failure: StoreError | None = None  # the last one
        self._attended = float("-inf")  # by the clock of `time.monotonic`

    async def read(self, after: int) -> Page | None:
        """The rest of the window that holds after + 1, as far as it has been written."""
        while (page := self._known(after)) is None:
            if self._asked is None:
                return await self._fetch(after)
            failure = self._failure
            await self._asked.wait()  # one asks the store, the others find its answer here
            if self._failure is not failure:
                raise StoreError(str(self._failure))  # or each would wait for the store in its turn
        return page

    def unattended_for(self, seconds: float) -> bool:
        """Whether no reader of the run has been noted for so long; whoever asks notes itself."""
        due = time.monotonic() - self._attended >= seconds
        if due:
            self._attended = time.monotonic()
        return due

    def doubt(self) -> None:
        """Asks the store again, in case a wake-up was lost."""
        self._changed.set()

    def _known(self, after: int) -> Page | None:
        """None when the store has to be asked."""
        newest = self._newest
        number, start = divmod(after, WINDOW)
        entries = self._windows.get(number, [])[start:]
        if newest is not None and (entries or self._nothing_after(after, newest)):
            return replace(newest, entries=entries)
        return None

    def _nothing_after(self, after: int, newest: Page) -> bool:
        # While it is being asked, the answer may hold what this reader has been woken for.
        return after >= newest.head and not self._changed.is_set() and self._asked is None

    async def _fetch(self, after: int) -> Page | None:
        number, start = divmod(after, WINDOW)
        window = self._windows.get(number, [])  # from its beginning, so that it has no hole
        self._changed.clear()  # before the read: what comes after it sets it again
        first = number * WINDOW + len(window)
        self._asked = answered = asyncio.Event()
        try:
            page = await self._store.read(self._run_id, first, WINDOW - len(window))
        except BaseException as error:  # or this reader has left: the next one has to ask again
            self._changed.set()
            self._failure = error if isinstance(error, StoreError) else self._failure
            raise
        finally:
            answered.set()
            self._asked = None
        if page is None:
            return None
        window.extend(page.entries)
        if window:
            self._windows.pop(number, None)  # to the end of the row
            self._windows[number] = window
            added = sum(len(entry.payload) for entry in page.entries)
            self._sizes[number] = self._sizes.get(number, 0) + added
            self._forget()
        self._newest = replace(page, entries=())
        return replace(page, entries=window[start:])

    def _forget(self) -> None:
        while len(self._windows) > 1 and sum(self._sizes.values()) > KEPT_SIZE:
            oldest = next(iter(self._windows))
            del self._windows[oldest], self._sizes[oldest]


class Readers:
    """The readers of one process."""

    def __init__(self, store: RunStore, limits: Limits) -> None:
        self._store = store
        self._heartbeat = limits.heartbeat
        self._outage = limits.store_outage
        self._limit = limits.readers
        self._shared: dict[str, _Shared] = {}
        self._watches: dict[str, ExitStack] = {}  # each wakes what is shared
        self._waiting: set[asyncio.Event] = set()
        self._attending: set[asyncio.Task[None]] = set()
        self._behind = asyncio.Semaphore(BEHIND)
        self._stopping = False

    def stop(self) -> None:
        """Ends all readers at once, without a terminal event.

        They come back to the next process.
        """
        self._stopping = True
        for event in self._waiting:
            event.set()
        for task in self._attending:
            task.cancel()

    def require_room(self) -> None:
        """Raises RequestError when there are as many readers as may be."""
        if len(self._waiting) >= self._limit:
            raise RequestError(problem("too_many_readers", n=self._limit), status=429, code="too_many_readers")

    async def pages(self, run_id: str, after: int) -> AsyncGenerator[Page | None, None]:
        """What comes after `after`, as it comes, to the end of the run.

        None when it is time for a heartbeat.
        """
        with self._follow(run_id) as (shared, changed):
            while not self._stopping:
                if shared.unattended_for(self._heartbeat):
                    self._attend(run_id)
                changed.clear()
                page = await self._read(shared, after)
                if page is None:  # deleted while it was read
                    return
                if page.entries:
                    after = page.entries[-1].seq
                    yield page
                    if after < page.head:
                        await self._take_turns()
                if page.ends_at(after):
                    return
                if not page.entries and not await self._woken(changed):
                    shared.doubt()
                    yield None

    async def _take_turns(self) -> None:
        """Before another page for one that is behind: whoever has just come gets its first one meanwhile."""
        async with self._behind:
            await asyncio.sleep(0)

    async def _read(self, shared: _Shared, after: int) -> Page | None:
        """None when the log is gone, and not only until its writer has written it again.

        StoreError when the store is away for longer than a writer waits for it: not every client comes back.
        """
        until = time.monotonic() + self._outage
        while True:
            try:
                page = await shared.read(after)
                if page is not None or not await recovering(self._store):
                    return page
            except StoreError:
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(ASK_AGAIN)

    def _attend(self, run_id: str) -> None:
        """Notes beside the reading that somebody reads: no reader waits for it."""

        async def attend() -> None:
            with suppress(StoreError):  # whoever reads meets it too
                await self._store.attend(run_id, time.time())

        task = asyncio.create_task(attend())
        self._attending.add(task)
        task.add_done_callback(self._attending.discard)

    async def ended(self, run: RunRecord) -> None:
        """Returns when the run has ended, is gone, or this process stops."""
        async with aclosing(self.pages(run.id, run.head)) as pages:
            async for page in pages:
                if page is not None and page.ends_at(page.head):
                    return

    async def begun(self, run_id: str, patience: float) -> None:
        """Returns with the first event, or after `patience` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience), aclosing(self.pages(run_id, 0)) as pages:
                async for page in pages:
                    if page is not None:
                        return

    async def _woken(self, changed: asyncio.Event) -> bool:
        try:
            async with asyncio.timeout(self._heartbeat):
                await changed.wait()
        except TimeoutError:
            return False
        return True

    @contextmanager
    def _follow(self, run_id: str) -> Iterator[tuple[_Shared, asyncio.Event]]:
        """What is shared about the run, and this reader's own wake-up."""
        shared = self._enter(run_id)  # before the reader, so that it is woken before it
        try:
            with self._store.watch(run_id) as changed:
                self._waiting.add(changed)
                yield shared, changed
        finally:
            self._waiting.discard(changed)
            self._leave(run_id, shared)

    def _enter(self, run_id: str) -> _Shared:
        if run_id not in self._shared:
            watch = self._watches.setdefault(run_id, ExitStack())
            changed = watch.enter_context(self._store.watch(run_id))
            self._shared[run_id] = _Shared(self._store, run_id, changed)
        self._shared[run_id].users += 1
        return self._shared[run_id]

    def _leave(self, run_id: str, shared: _Shared) -> None:
        shared.users -= 1
        if not shared.users:
            del self._shared[run_id]
            self._watches.pop(run_id).close()
