"""One blocking read for all that this process waits for in Redis.

One XREAD for each reader would slow the producer down with their number; this one only wakes, and
the readers of a run share what the first of them fetches.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections.abc import Callable

from midstream.errors import StoreError
from midstream.gateway.outage import Outage
from midstream.gateway.store.redis_client import RedisClient
from midstream.gateway.store.wakeups import Wakeups
from midstream.gateway.tasks import end_all

_BLOCK = 5.0  # seconds
_WAKE_TTL_MS = 60_000


class Tail:
    """Follows the streams of all watched topics; `stream_of` names them.

    `blocking` is for the read that waits, and for nothing else.
    """

    def __init__(
        self, blocking: RedisClient, client: RedisClient, prefix: str, stream_of: Callable[[str], str]
    ) -> None:
        self.wakeups = Wakeups(self._changed)
        self._blocking = blocking
        self._client = client
        self._stream_of = stream_of
        self._wake_stream = f"{prefix}wake:{secrets.token_hex(8)}"
        self._task: asyncio.Task[None] | None = None
        self._pokes: set[asyncio.Task[None]] = set()
        self._positions: dict[str, str] = {}  # topic → id of the last stream entry seen
        self._outage = Outage("waiting for Redis")

    async def close(self) -> None:
        await end_all([*self._pokes, *([self._task] if self._task else [])])
        await self._blocking.close()

    def _changed(self) -> None:
        if not self.wakeups.topics - self._positions.keys():
            return
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._follow(), name="redis-tail")
            return
        poke = asyncio.create_task(self._poke())
        self._pokes.add(poke)
        poke.add_done_callback(self._pokes.discard)

    async def _poke(self) -> None:
        """Makes the blocking read come back, so that it takes the new topics in."""
        with contextlib.suppress(StoreError):
            await self._client.ask_all(
                [
                    ("XADD", self._wake_stream, "MAXLEN", 1, "*", "wake", "1"),
                    ("PEXPIRE", self._wake_stream, _WAKE_TTL_MS),
                ]
            )

    async def _follow(self) -> None:
        woken = "0-0"
        while self.wakeups.topics:
            try:
                await self._enter_new_topics()
                woken = await self._wait(woken)
                self._outage.over()
            except StoreError as error:
                self._outage.begun(error)
                await asyncio.sleep(random.uniform(0.1, 0.5))
                self._positions.clear()  # enter anew: what came meanwhile is then noticed
        self._positions.clear()

    async def _wait(self, woken: str) -> str:
        """Until something comes; gives the position in our own wake stream, which is at `woken`."""
        names = {self._stream_of(topic): topic for topic in self._positions}
        wanted = {name: self._positions[topic] for name, topic in names.items()} | {self._wake_stream: woken}
        command = ("XREAD", "BLOCK", int(1000 * _BLOCK), "STREAMS", *wanted, *wanted.values())
        found = await self._blocking.ask(*command, more_patience=_BLOCK)
        for name, entries in found or []:
            last = entries[-1][0].decode()
            if name.decode() == self._wake_stream:
                woken = last
            else:
                topic = names[name.decode()]
                self._positions[topic] = last
                self.wakeups.notify(topic)
        return woken

    async def _enter_new_topics(self) -> None:
        """Starts each at its present end, and wakes it once for what came before that was known."""
        topics = self.wakeups.topics
        self._positions = {key: last for key, last in self._positions.items() if key in topics}
        new = sorted(topics - self._positions.keys())
        if not new:
            return
        streams = [("XREVRANGE", self._stream_of(topic), "+", "-", "COUNT", 1) for topic in new]
        for topic, end in zip(new, await self._client.ask_all(streams), strict=True):
            self._positions[topic] = end[0][0].decode() if end else "0-0"
            self.wakeups.notify(topic)
