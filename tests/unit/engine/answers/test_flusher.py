"""How long the way to the journal rests between two rows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from midstream.engine.answers.flusher import DUTY, DUTY_BEHIND, FLUSH_S, Flusher
from midstream.session import Closed, Outcome

COST = 0.5  # of a row, on the clock of this test


class Journal:
    """Rows take three deliveries each, and COST seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def row_size(self, pending: list[Any], final: bool) -> int:
        return min(3, len(pending))

    async def append(self, taken: list[Any]) -> tuple[Any, None]:
        self._clock.now += COST
        return taken, None


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.rests: list[float] = []

    def time(self) -> float:
        return self.now


def rests(monkeypatch: pytest.MonkeyPatch, deliveries: int, more: int = 0) -> list[float]:
    """After each row; `more` deliveries arrive while the first row is stored."""
    clock = Clock()
    rows: list[Any] = []

    async def sleep(seconds: float) -> None:
        clock.rests.append(seconds)

    def flushed(row: Any, patch: Any) -> None:
        rows.append(row)
        for _ in range(more if len(rows) == 1 else 0):
            one.add(object())  # type: ignore[arg-type]
        if not one._pending:
            one.close(Closed(Outcome.DONE))

    one = Flusher(Journal(clock), flushed)  # type: ignore[arg-type]

    async def whole() -> None:
        for _ in range(deliveries):
            one.add(object())  # type: ignore[arg-type]
        await one.run()

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: clock)
    asyncio.run(whole())
    return clock.rests


def test_behind_it_rests_a_third_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rests(monkeypatch, 9) == [DUTY_BEHIND * COST] * 2
    assert DUTY_BEHIND * COST > FLUSH_S


def test_at_a_models_pace_it_rests_three_quarters_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rests(monkeypatch, 2, more=1) == [DUTY * COST]
