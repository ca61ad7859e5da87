"""The watchdog's side in the worker: web/engine/pyodide/time_limit.mjs interrupts, web/engine/watchdog.js remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import js

from midstream.engine.ports.watchdog import OverTime, Watchdog


class WorkerWatchdog(Watchdog):
    def __init__(self, given_up: Iterable[str], post: Callable[[str], object]) -> None:
        """`post` sends a message to the engine's document."""
        self.given_up = frozenset(given_up)
        self._post = post
        self._noted = ""

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        # It interrupts once: the second `end` is not interrupted again.
        try:
            js.midstreamTimeLimit.begin(1000 * seconds)
            try:
                yield
            finally:
                js.midstreamTimeLimit.end()
        except KeyboardInterrupt:
            js.midstreamTimeLimit.end()
            raise OverTime from None

    def note(self, work: str) -> None:
        if work != self._noted:
            self._noted = work
            self._post(f"at {work}")
