"""Tasks that run beside the intents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from midstream.engine.ports.host import Message, notice_of


class Jobs:
    """Holds tasks until they are done, since the event loop holds them weakly. When one fails,
    `post` gets a notice."""

    def __init__(self, post: Callable[[Message], None]) -> None:
        self._post = post
        self.tasks: set[asyncio.Task[None]] = set()

    def spawn(self, job: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(job)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def cancel(self) -> None:
        """Ends all of them, as they stand."""
        for task in list(self.tasks):
            task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._post(notice_of(error))
