"""Commands to Redis: each has its turn at a connection, its time, and words when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError

from midstream.errors import StoreError
from midstream.gateway.store import redis_scripts

PATIENCE = 5.0  # seconds for one command, its wait for a connection included
_KNOWN = {OutOfMemoryError: "it is full", ReadOnlyError: "it is read-only"}


class RedisClient:
    """At most `connections` commands at once; more of them wait in a queue.

    The library's own time limits stay off: its `asyncio.wait_for` around each command loses cancellations in
    Python 3.11. (Nor is its blocking pool used: the condition in it loses wake-ups when a waiting task is
    cancelled.)
    """

    def __init__(self, url: str, connections: int) -> None:
        retry = Retry(
            ConstantBackoff(0.1), 1
        )  # once: a connection that broke while nobody used it. Without a rest it hammers
        self._redis: Any = redis.asyncio.Redis.from_url(
            url, socket_timeout=None, socket_connect_timeout=None, health_check_interval=30, retry=retry
        )
        self._place = url.rpartition("@")[2]
        self._turns = asyncio.Semaphore(connections)
        self._scripts = {name: self._redis.register_script(text) for name, text in redis_scripts.ALL.items()}

    async def close(self) -> None:
        await self._redis.aclose()

    async def run(self, script: str, keys: Sequence[str], *values: Any) -> Any:
        """The result of a script of redis_scripts, by its name. StoreError."""
        async with self._turn():
            return await self._scripts[script](keys=keys, args=values)

    async def ask(self, *command: Any, more_patience: float = 0.0) -> Any:
        """The reply to one command. StoreError."""
        async with self._turn(more_patience):
            return await self._redis.execute_command(*command)

    async def ask_all(self, commands: Sequence[Sequence[Any]], *, at_once: bool = False) -> list[Any]:
        """The replies to some commands, sent together; `at_once`: nothing comes between them. StoreError."""
        async with self._turn(), self._redis.pipeline(transaction=at_once) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            replies: list[Any] = await pipe.execute()
            return replies

    @asynccontextmanager
    async def _turn(self, more_patience: float = 0.0) -> AsyncIterator[None]:
        task = asyncio.current_task()
        assert task is not None
        before = task.cancelling()
        try:
            async with asyncio.timeout(PATIENCE + more_patience), self._turns:
                yield
        except (RedisError, OSError, TypeError) as error:  # the last: what Python 3.13's asyncio raises when
            raise self.failure(error) from error  # the server has hung up between connecting and writing
        finally:
            if task.cancelling() > before:  # and the library has lost it
                raise asyncio.CancelledError

    def failure(self, error: Exception) -> StoreError:
        """The error in words."""
        return StoreError(
            f"The run log in Redis at {self._place} cannot be used: {_reason(error)}.",
            hint="Is the server running, and is --store right?",
            reason=next((words for kind, words in _KNOWN.items() if isinstance(error, kind)), ""),
        )


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer"
    text = str(error).strip().rstrip(".")
    return text.splitlines()[0] if text else type(error).__name__
