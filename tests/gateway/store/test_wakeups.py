"""Wake-ups of one process: in order, a few in each turn of the loop, and none is lost."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from midstream.gateway.store.wakeups import AT_ONCE, Wakeups

pytestmark = pytest.mark.anyio


async def test_many_are_woken_in_turns_and_in_their_order() -> None:
    wakeups = Wakeups()
    with ExitStack() as stack:
        events = [stack.enter_context(wakeups.watch("run")) for _ in range(3 * AT_ONCE + 1)]
        wakeups.notify("run")
        woken = []
        while not all(event.is_set() for event in events):
            woken.append([event.is_set() for event in events].index(False))
            await asyncio.sleep(0)
        assert woken == [AT_ONCE, 2 * AT_ONCE, 3 * AT_ONCE]


async def test_whoever_leaves_while_others_are_woken_is_not_missed() -> None:
    wakeups = Wakeups()
    with ExitStack() as stack:
        events = [stack.enter_context(wakeups.watch("run")) for _ in range(AT_ONCE)]
        with wakeups.watch("run"), wakeups.watch("other") as other:
            last = stack.enter_context(wakeups.watch("run"))
            wakeups.notify("run")
        await asyncio.sleep(0)
        assert all(event.is_set() for event in [*events, last])
        assert not other.is_set()
    assert wakeups.topics == set()
    wakeups.notify("run")
