"""Where the local model is and how it is.

A small file that its supervisor writes and every worker reads.

A file, because workers are processes of their own and the child gets a new port and a new key at
every start.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Child:
    """`state`: starting, ready or failed; `error` says why it failed, in words."""

    state: str = "starting"
    url: str = ""
    key: str = ""
    error: str = ""
    model: str = ""
    pid: int = 0


class ModelState:
    """The file. It holds a key, so it must lie in a directory that only its owner can read."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def write(self, child: Child) -> None:
        """Whole or not at all: readers never see a half."""
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(child)), encoding="utf-8")
        fresh.replace(self._path)

    def read(self) -> Child:
        try:
            return Child(**json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Child("failed", error="it has been shut down")
