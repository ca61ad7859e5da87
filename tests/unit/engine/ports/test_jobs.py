"""Tasks that run beside the intents: a failure is posted, an end by `cancel` is none."""

from __future__ import annotations

import asyncio

from midstream.engine.ports.host import Message, notice_of
from midstream.engine.ports.jobs import Jobs


async def fail() -> None:
    raise ValueError("no")


async def wait() -> None:
    await asyncio.Event().wait()


def test_a_failure_is_posted_and_cancelled_jobs_end_quietly() -> None:
    posted: list[Message] = []

    async def scenario() -> None:
        jobs = Jobs(posted.append)
        tasks = [jobs.spawn(fail()), jobs.spawn(wait()), jobs.spawn(wait())]
        await asyncio.wait(tasks[:1])
        jobs.cancel()
        await asyncio.wait(tasks)
        assert [task.cancelled() for task in tasks] == [False, True, True]
        assert not jobs.tasks

    asyncio.run(scenario())
    assert [message["detail"] for message in posted] == ["ValueError: no"]


def test_no_traceback_reaches_a_person() -> None:
    """An error of JavaScript may hold one, when Python was called from there."""
    held = 'PythonError: Traceback (most recent call last):\n  File "idb.py", line 1, in _step_aside\nTypeError: no\n'
    assert notice_of(ValueError(held))["detail"] == "ValueError: TypeError: no"
    assert notice_of(ValueError("first\nsecond"))["detail"] == "ValueError: first"
    assert notice_of(ValueError())["detail"] == "ValueError: "
