"""Tasks that end before what they work with does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any


async def end_all(tasks: Iterable[asyncio.Task[Any]]) -> list[Any]:
    """Cancels the tasks and waits until they have let go of what they hold.

    Gives their results, in order: an exception or CancelledError stands for one without.
    """
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    return await asyncio.gather(*tasks, return_exceptions=True)
