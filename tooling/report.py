"""Progress for the person who waits: one line per step, alive while the step runs."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Progress:
    """A running step. `note` may be set from the step at any time, e.g. "12 of 98 MB"."""

    # A terminal shows the same line anew; a log file gets a line seldom enough to stay readable.
    TERMINAL_SECONDS, LOG_SECONDS = 0.25, 15.0

    def __init__(self, title: str, out: TextIO) -> None:
        self.title = title
        self.note = ""
        self._out = out
        self._live = out.isatty()
        self._started = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def start(self) -> None:
        if not self._live:
            self._write(f"{self.title} …\n")
        self._thread.start()

    def stop(self, ending: str) -> None:
        self._over.set()
        self._thread.join()
        start = "\r\x1b[K" if self._live else ""
        self._write(f"{start}{self.title} … {ending} ({self._seconds():.1f} s)\n")

    def _beat(self) -> None:
        period = self.TERMINAL_SECONDS if self._live else self.LOG_SECONDS
        while not self._over.wait(period):
            note = f", {self.note}" if self.note else ""
            line = f"{self.title} … {self._seconds():.0f} s{note}"
            self._write(f"\r\x1b[K{line}" if self._live else f"{line}\n")

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


@contextmanager
def step(title: str, out: TextIO | None = None) -> Iterator[Progress]:
    """Shows that `title` is going on until the block ends."""
    progress = Progress(title, out or sys.stdout)
    progress.start()
    ending = "failed"
    try:
        yield progress
        ending = "done"
    finally:
        progress.stop(ending)


def say(text: str) -> None:
    print(text, flush=True)
