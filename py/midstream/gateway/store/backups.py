"""What this process has written of its live runs, for a store that may lose it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from midstream.gateway.store.interface import SEGMENT, RunRecord
from midstream.gateway.store.packing import pack, unpack

# Bytes of all backups. An event is about 25 when packed, so this is two million of them; a run that does not fit in
# has none.
LIMIT = 64 << 20


@dataclass
class Backup:
    """A run and its payloads. The newest batch stands apart: whether it was committed is known by the next one."""

    run: RunRecord
    newest: list[str] = field(default_factory=list)
    packed: list[bytes] = field(default_factory=list)  # SEGMENT payloads each
    rest: list[str] = field(default_factory=list)

    @property
    def head(self) -> int:
        """The last seq that is known to be committed."""
        return len(self.packed) * SEGMENT + len(self.rest)

    @property
    def size(self) -> int:
        return sum(map(len, self.packed)) + sum(map(len, self.rest)) + sum(map(len, self.newest))

    def put(self, first: int, payloads: Sequence[str], now: float) -> None:
        """A batch that is about to be appended; `first` is that of the one before when it is tried again."""
        if first > self.head + 1:
            self.rest += self.newest
        self.newest = list(payloads)
        self.run = replace(self.run, started=self.run.started or now)
        while len(self.rest) >= SEGMENT:
            self.packed.append(pack(self.rest[:SEGMENT]))
            del self.rest[:SEGMENT]

    def after(self, seq: int) -> Iterator[tuple[int, list[str]]]:
        """The committed payloads after `seq` in batches, each with its first seq."""
        first = 1
        for batch in (*map(unpack, self.packed), self.rest):
            left = batch[max(0, seq + 1 - first) :]
            if left:
                yield first + len(batch) - len(left), left
            first += len(batch)


class Backups:
    def __init__(self) -> None:
        self._backups: dict[str, Backup] = {}
        self._sizes: dict[str, int] = {}

    @property
    def runs(self) -> set[str]:
        return set(self._backups)

    def begin(self, run: RunRecord) -> None:
        self._backups[run.id] = Backup(run)

    def of(self, run_id: str) -> Backup | None:
        return self._backups.get(run_id)

    def put(self, run_id: str, first: int, payloads: Sequence[str], now: float) -> None:
        backup = self._backups.get(run_id)
        if backup is None:
            return
        backup.put(first, payloads, now)
        self._sizes[run_id] = backup.size
        if sum(self._sizes.values()) > LIMIT:
            self.end(run_id)

    def end(self, run_id: str) -> None:
        self._backups.pop(run_id, None)
        self._sizes.pop(run_id, None)
