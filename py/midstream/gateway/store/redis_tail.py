"""One blocking read for all that this process waits for in Redis.

One XREAD for each reader would slow the producer down with their number; this one only wakes, and
the readers of a run share what the first of them fetches.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from midstream.gateway.store.wakeups import Wakeups
from midstream.gateway.tasks import end_all

log = logging.getLogger(__name__)

_BLOCK_MS = 5000
_WAKE_TTL_MS = 60_000


class Tail:
    """Follows the streams of all watched topics; `stream_of` names them."""

    def __init__(self, client: Any, prefix: str, stream_of: Callable[[str], str]) -> None:
        self.wakeups = Wakeups(self._changed)
        self._client = client
        self._stream_of = stream_of
        self._wake_stream = f"{prefix}wake:{secrets.token_hex(8)}"
        self._task: asyncio.Task[None] | None = None
        self._pokes: set[asyncio.Task[None]] = set()
        self._positions: dict[str, str] = {}  # topic → id of the last stream entry seen

    async def close(self) -> None:
        await end_all([*self._pokes, *([self._task] if self._task else [])])

    def _changed(self) -> None:
        if not self.wakeups.topics - self._positions.keys():
            return
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._follow())
            return
        poke = asyncio.create_task(self._poke())
        self._pokes.add(poke)
        poke.add_done_callback(self._pokes.discard)

    async def _poke(self) -> None:
        """Makes the blocking read come back, so that it takes the new topics in."""
        with contextlib.suppress(RedisError, OSError):
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.xadd(self._wake_stream, {"wake": "1"}, maxlen=1, approximate=False)
                pipe.pexpire(self._wake_stream, _WAKE_TTL_MS)
                await pipe.execute()

    async def _follow(self) -> None:
        woken = "0-0"
        while self.wakeups.topics:
            try:
                await self._enter_new_topics()
                names = {self._stream_of(topic): topic for topic in self._positions}
                wanted = {name: self._positions[topic] for name, topic in names.items()}
                found = await self._client.xread({**wanted, self._wake_stream: woken}, block=_BLOCK_MS)
                for name, entries in found or []:
                    last = entries[-1][0].decode()
                    if name.decode() == self._wake_stream:
                        woken = last
                    else:
                        topic = names[name.decode()]
                        self._positions[topic] = last
                        self.wakeups.notify(topic)
            except (RedisError, OSError) as error:
                log.warning("waiting for Redis: %s", type(error).__name__)
                await asyncio.sleep(random.uniform(0.1, 0.5))
                self._positions.clear()  # enter anew: what came meanwhile is then noticed
        self._positions.clear()

    async def _enter_new_topics(self) -> None:
        """Starts each at its present end, and wakes it once for what came before that was known."""
        topics = self.wakeups.topics
        self._positions = {key: last for key, last in self._positions.items() if key in topics}
        new = sorted(topics - self._positions.keys())
        if not new:
            return
        async with self._client.pipeline(transaction=False) as pipe:
            for topic in new:
                pipe.xrevrange(self._stream_of(topic), count=1)
            ends = await pipe.execute()
        for topic, end in zip(new, ends, strict=True):
            self._positions[topic] = end[0][0].decode() if end else "0-0"
            self.wakeups.notify(topic)
