"""Failed sign-ins of the last minute, by address."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable


class Failures:
    """`limit` in `window` seconds for each address; of the addresses, the last `size` are known."""

    def __init__(
        self, limit: int = 10, window: float = 60.0, size: int = 1024, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.window = window
        self._limit = limit
        self._size = size
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def add(self, address: str) -> None:
        times = self._times.setdefault(address, deque(maxlen=self._limit))
        times.append(self._clock())
        self._times.move_to_end(address)
        while len(self._times) > self._size:
            self._times.popitem(last=False)

    def are_too_many(self, address: str) -> bool:
        times = self._times.get(address, ())
        recent = [then for then in times if self._clock() - then < self.window]
        return len(recent) >= self._limit
