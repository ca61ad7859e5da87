"""Tasks end, also when a library loses their cancellation; work is never cut in two."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from midstream.gateway import tasks
from midstream.gateway.tasks import end_all, finish

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_AGAIN", 0.01)


async def deaf(times: int) -> str:
    """Loses so many cancellations."""
    for _ in range(times):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
    await asyncio.sleep(60)
    return "never"


async def begun(*work: asyncio.Task[str]) -> None:
    for _ in work:
        await asyncio.sleep(0)


@pytest.mark.parametrize("lost", [0, 1, 5])
async def test_a_lost_cancellation_is_given_again(lost: int) -> None:
    task = asyncio.create_task(deaf(lost))
    await begun(task)
    (result,) = await end_all([task])
    assert isinstance(result, asyncio.CancelledError)
    assert task.cancelled()


async def test_nobody_waits_for_ever_for_a_task_that_does_not_end(caplog: pytest.LogCaptureFixture) -> None:
    task = asyncio.create_task(deaf(1000), name="deaf")
    await begun(task)
    (result,) = await end_all([task])
    assert isinstance(result, asyncio.CancelledError)
    assert not task.done()
    assert "deaf does not end" in caplog.text
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)


async def test_results_come_in_order() -> None:
    async def fail() -> str:
        raise ValueError("x")

    async def done() -> str:
        return "done"

    all_tasks = [asyncio.create_task(work) for work in (done(), fail(), deaf(0))]
    await asyncio.wait(all_tasks[:2])
    first, second, third = await end_all(all_tasks)
    assert first == "done"
    assert isinstance(second, ValueError)
    assert isinstance(third, asyncio.CancelledError)
    assert await end_all([]) == []


async def test_work_is_finished_before_a_cancellation_comes_through() -> None:
    gate, written = asyncio.Event(), []

    async def write() -> None:
        await gate.wait()
        written.append("all of it")

    task = asyncio.create_task(finish(write()))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert written == ["all of it"]


async def test_a_failure_of_the_work_comes_through() -> None:
    async def fail() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        await finish(fail())


async def test_who_is_cancelled_while_waiting_for_tasks_waits_for_them_all_the_same() -> None:
    gate, closed = asyncio.Event(), []

    async def close() -> None:
        await gate.wait()
        closed.append("yes")

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await finish(close())

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    ending = asyncio.create_task(end_all([task]))
    await asyncio.sleep(0)
    ending.cancel()
    await asyncio.sleep(0)
    assert not ending.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert closed == ["yes"]
