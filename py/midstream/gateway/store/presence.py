"""Who shares a store file on this machine, told by lock files.

The system lets a lock go when its holder dies, however it dies.

Every process holds one common file shared; whoever can have it exclusively is alone, so all others
are dead. And each holds a file of its own exclusively, named after it, by which the others can tell
whether just this one has died. Without `fcntl` (Windows) nobody is ever known to be alone or dead,
and leases decide.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl


class Presence:
    """One process's marks. `name` is its own, new each time that it enters."""

    def __init__(self, path: Path) -> None:
        self.name = ""
        self._path = path
        self._handles: list[int] = []

    @contextlib.contextmanager
    def enter(self) -> Iterator[bool]:
        """Marks this process as present. The body runs with True while it is known to be alone."""
        if sys.platform == "win32":
            yield False
            return
        common = self._open(self._path)
        try:
            fcntl.flock(common, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        self._mark()
        yield alone
        fcntl.flock(common, fcntl.LOCK_SH)

    def gone(self, names: Iterable[str]) -> list[str]:
        """Those that are known to be dead. One without a file is not: somebody may have tidied up
        behind the living."""
        return [name for name in names if name != self.name and self._unlocked(self._file(name))]

    def tidy(self, needed: Iterable[str]) -> None:
        """Removes the files of the dead, but for those in `needed`."""
        kept = {self._file(name) for name in [*needed, self.name]}
        for file in self._path.parent.iterdir():
            ours = file.name.startswith(f"{self._path.name}-")
            if ours and file not in kept and self._unlocked(file):
                file.unlink(missing_ok=True)

    def leave(self) -> None:
        if self.name:
            self._file(self.name).unlink(missing_ok=True)
            self.name = ""
        while self._handles:
            os.close(self._handles.pop())

    def _mark(self) -> None:
        """Locked before it has its name: nobody meets the file of a living process unlocked."""
        name = secrets.token_hex(8)
        nameless = self._path.with_name(f".{self._path.name}-{name}")
        fcntl.flock(self._open(nameless), fcntl.LOCK_EX)
        nameless.rename(self._file(name))
        self.name = name

    def _open(self, path: Path) -> int:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._handles.append(handle)
        return handle

    def _file(self, name: str) -> Path:
        return self._path.with_name(f"{self._path.name}-{name}")

    @staticmethod
    def _unlocked(file: Path) -> bool:
        try:
            handle = os.open(file, os.O_RDWR | os.O_CLOEXEC)
        except OSError:  # it is gone, or not ours to look at: nothing is known
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)  # several may look at once
        except BlockingIOError:
            return False
        finally:
            os.close(handle)
        return True
