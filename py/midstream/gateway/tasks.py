"""Tasks that end before what they work with does, and work that no cancellation cuts in two."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

# A cancellation may be lost in a library (Python 3.11's `asyncio.wait_for` drops one that comes together
# with the result), so it is given again, and nobody waits for ever for a task that does not heed it.
_AGAIN = 1.0  # seconds
_TIMES = 30


async def end_all(tasks: Iterable[asyncio.Task[Any]]) -> list[Any]:
    """Cancels the tasks and waits until they have let go of what they hold, _TIMES * _AGAIN seconds at most.

    Gives their results, in order: an exception or CancelledError stands for one without. Whoever is cancelled
    while waiting here is told so afterwards.
    """
    tasks = list(tasks)
    cancelled: asyncio.CancelledError | None = None
    for _ in range(_TIMES):
        left = [task for task in tasks if not task.done()]
        if not left:
            break
        for task in left:
            task.cancel()
        try:
            await asyncio.wait(left, timeout=_AGAIN)
        except asyncio.CancelledError as error:
            cancelled = error
    for task in tasks:
        if not task.done():
            log.error("%s does not end", task.get_name())
    if cancelled is not None:
        raise cancelled
    return [_result(task) for task in tasks]


async def finish(work: Coroutine[Any, Any, T]) -> T:
    """Does the work to its end, also when the caller is cancelled meanwhile; the cancellation comes after it."""
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        _result(task)  # or asyncio would say that nobody has asked for it
        raise cancelled
    return task.result()


def _result(task: asyncio.Task[Any]) -> Any:
    if not task.done() or task.cancelled():
        return asyncio.CancelledError()
    return task.exception() or task.result()
