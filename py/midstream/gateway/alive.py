"""Who shares a store file on this machine, told by a lock file.

The system lets the lock go when its holder dies, however it dies.

Every process holds it shared; whoever can have it exclusively is alone, so all others are dead.
Without `fcntl` (Windows) nobody is ever known to be alone, and leases decide.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl


class Presence:
    """One process's mark on a lock file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    @contextlib.contextmanager
    def enter(self) -> Iterator[bool]:
        """Marks this process as present. The body runs with True while it is known to be alone."""
        if sys.platform == "win32":
            yield False
            return
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        yield alone
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def leave(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
