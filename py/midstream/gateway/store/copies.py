"""What this process has written of its live runs, for a store that may lose it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from midstream.gateway.store.interface import SEGMENT, RunRecord
from midstream.gateway.store.packing import pack, unpack

# Bytes of all copies. An event is about 25 when packed, so this is two million of them; a run that does not fit in has
# no copy.
ROOM = 64 << 20


@dataclass
class Copy:
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


class Copies:
    def __init__(self) -> None:
        self._copies: dict[str, Copy] = {}
        self._sizes: dict[str, int] = {}

    def begin(self, run: RunRecord) -> None:
        self._copies[run.id] = Copy(run)

    def of(self, run_id: str) -> Copy | None:
        return self._copies.get(run_id)

    def put(self, run_id: str, first: int, payloads: Sequence[str], now: float) -> None:
        copy = self._copies.get(run_id)
        if copy is None:
            return
        copy.put(first, payloads, now)
        self._sizes[run_id] = copy.size
        if sum(self._sizes.values()) > ROOM:
            self.end(run_id)

    def end(self, run_id: str) -> None:
        self._copies.pop(run_id, None)
        self._sizes.pop(run_id, None)
