"""Rows: what is kept of a damaged journal, and what a compacted one still knows."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from midstream.errors import StoreError
from midstream.journal import (
    Change,
    MemoryStore,
    Row,
    compacted,
    cursor,
    ended,
    finish_reason,
    text,
    tokens,
    unbroken,
)


def row(n: int, first: int, last: int, run: int = 0, **more: object) -> Row:
    made = Row("m", n, run, first, last, text=f"<{first}-{last}>", tokens=last - first + 1)
    return replace(made, **more)  # type: ignore[arg-type]


ROWS = [row(1, 1, 4), row(2, 5, 5), row(3, 6, 9, finish="stop", ended="completed")]


def test_the_position_is_the_last_stored_seq_of_the_run() -> None:
    assert cursor(ROWS, 0) == 9
    assert cursor(ROWS, 1) == 0
    assert cursor([], 0) == 0


def test_rows_after_a_hole_are_left_out() -> None:
    assert unbroken([ROWS[2], ROWS[0]]) == [ROWS[0]]
    assert unbroken(ROWS[1:]) == []
    assert unbroken(reversed(ROWS)) == ROWS
    assert unbroken([ROWS[0], row(2, 6, 7)]) == [ROWS[0]]


def test_a_second_run_counts_from_one_again() -> None:
    later = row(4, 1, 2, run=1)
    assert unbroken([*ROWS, later]) == [*ROWS, later]
    assert cursor([*ROWS, later], 1) == 2
    assert unbroken([*ROWS, row(4, 2, 3, run=1)]) == ROWS


def test_one_row_can_stand_for_all() -> None:
    ops = [[0, 0, "p", 1]]
    whole = compacted(ROWS, ops)
    assert (text([whole]), tokens([whole]), cursor([whole], 0)) == (text(ROWS), tokens(ROWS), 9)
    assert (whole.n, whole.ops, whole.whole) == (3, ops, True)
    assert (finish_reason([whole], 0), ended([whole], 0)) == ("stop", "completed")
    assert unbroken([whole]) == [whole]


def test_a_row_survives_its_record() -> None:
    assert Row.from_record(ROWS[2].record()) == ROWS[2]


@pytest.mark.parametrize("damage", [{"n": "1"}, {"text": None}, {"ops": "x"}, {"first": 1.5}, {"tokens": None}])
def test_a_damaged_record_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a journal row"):
        Row.from_record(ROWS[0].record() | damage)


def test_a_record_with_fields_missing_is_refused() -> None:
    with pytest.raises(ValueError, match="not a journal row"):
        Row.from_record({"message": "m"})


def test_a_change_for_an_unknown_store_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="unknown store"):
        Change().put("cookies", {})


def test_the_store_in_memory_drops_before_it_puts() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        change = Change().put("messages", {"id": "m", "conversation": "c", "position": 0, "state": "complete"})
        for one in ROWS:
            change.put("journal", one.record())
        await store.commit(change)
        whole = compacted(ROWS, [])
        await store.commit(Change(drop_rows=["m"]).put("journal", whole.record()))
        assert await store.rows("m") == [whole.record()]
        assert await store.rows("other") == []

    asyncio.run(scenario())


def test_rows_without_their_message_are_stored_and_reported() -> None:
    """Somebody has deleted it: what else there was has to be stored again, too."""

    async def scenario() -> None:
        store = MemoryStore()
        change = Change().put("journal", ROWS[0].record())
        assert change.needs == {"m"}
        with pytest.raises(StoreError) as error:
            await store.commit(change)
        assert error.value.code == "lost"
        assert await store.rows("m") == [ROWS[0].record()]

    asyncio.run(scenario())


def test_the_store_in_memory_gives_copies() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        record = {"id": "a", "conversation": "c", "position": 0, "state": "sending"}
        await store.commit(Change().put("messages", record))
        found = await store.message("a")
        assert found is not None
        found["state"] = "changed"
        assert await store.message("a") == record
        assert await store.unfinished() == [record]
        assert await store.messages("c") == [record]
        assert await store.message("b") is None

    asyncio.run(scenario())
