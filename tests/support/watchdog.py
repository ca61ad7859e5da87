"""A watchdog for tests that interrupts as the one of a page does: by a signal, wherever Python is."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from midstream.engine.ports.watchdog import OverTime, Watchdog


class SignalWatchdog(Watchdog):
    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """By the time that this process works, so that other processes do not count."""
        before = signal.signal(signal.SIGPROF, _interrupt)
        try:
            signal.setitimer(signal.ITIMER_PROF, seconds)
            try:
                yield
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
        except KeyboardInterrupt:
            raise OverTime from None
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    def note(self, work: str) -> None:
        self.notes.append(work)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)
    raise KeyboardInterrupt
