"""docs/records.md, the types of records.py, the checks of validation.py and the stored records have the
same fields."""

from __future__ import annotations

import asyncio
import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, NotRequired, get_origin, get_type_hints

import pytest

from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.store import records, validation
from midstream.journal import MemoryStore, Record, Row
from tests.unit.engine.support import Locks, new_page, press, quicken, send, until

DOCUMENT = Path(__file__).parents[4] / "docs" / "records.md"
TYPES: dict[str, Any] = {
    "conversation": records.ConversationRecord,
    "question": records.QuestionRecord,
    "answer": records.AnswerRecord,
    "run": records.AnswerRun,
    "endpoint": Endpoint,
    "seam": records.SeamRecord,
    "thought": records.ThoughtRecord,
    "error": records.ErrorRecord,
    "row": Row,
    "setting": records.SettingRecord,
}


def documented() -> dict[str, list[str]]:
    """By record, its fields in the order of the table, with `?`."""
    sections = re.split(r"^## ", DOCUMENT.read_text(), flags=re.MULTILINE)[1:]
    return {
        section.splitlines()[0]: re.findall(r"^\| `(\w+\??)` \|", section, flags=re.MULTILINE) for section in sections
    }


def typed(record: Any) -> list[str]:
    if record in (Endpoint, Row):
        return [
            each.name + "?" * (each.default is not MISSING or each.default_factory is not MISSING)
            for each in fields(record)
        ]
    hints = get_type_hints(record, include_extras=True)
    return [name + "?" * (get_origin(hint) is NotRequired) for name, hint in hints.items()]


def test_every_record_has_its_table() -> None:
    assert list(documented()) == list(TYPES)


@pytest.mark.parametrize("record", TYPES)
def test_the_table_has_the_fields_of_the_type(record: str) -> None:
    assert sorted(documented()[record]) == sorted(typed(TYPES[record]))


@pytest.mark.parametrize(
    ("checks", "names"),
    [
        (validation._CONVERSATION, ["conversation"]),
        (validation._MESSAGE, ["question", "answer"]),
        (validation._RUN, ["run"]),
        (validation._ENDPOINT, ["endpoint"]),
    ],
)
def test_optional_fields_that_are_checked_are_fields(checks: Record, names: list[str]) -> None:
    known = {field.removesuffix("?") for name in names for field in typed(TYPES[name])}
    assert checks.keys() <= known


def misfits(name: str, record: Record) -> set[str]:
    """Fields that the type does not know, and those that it needs and the record lacks."""
    declared = typed(TYPES[name])
    required = {field for field in declared if not field.endswith("?")}
    return (record.keys() - {field.removesuffix("?") for field in declared}) | (required - record.keys())


def test_what_the_engine_stores_has_the_fields_of_the_types(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quicken(monkeypatch, 400)
    store = MemoryStore()

    async def scenario() -> None:
        page = await new_page(store, Locks())
        answer = await send(page, "a table")
        await until(lambda: page.painted.get(answer, 0) > 2)
        await press(page, "stop", answer)
        await until(lambda: page.last(answer) == "stopped")
        await press(page, "continue", answer)
        await until(lambda: page.last(answer) == "complete")
        conversation = page.engine._view.conversation
        await page.engine.handle({"type": "pin", "conversation": conversation, "on": True})
        await page.engine.handle({"type": "prefer", "language": "de"})
        await asyncio.gather(*page.engine._jobs.tasks)
        await page.vanish()

    asyncio.run(scenario())
    stored = {name: list(held.values()) for name, held in store._stores.items()}
    messages = stored["messages"]
    runs = [run for message in messages for run in message["runs"]]
    found = {
        "conversation": stored["conversations"],
        "question": [one for one in messages if one["author"] == "user"],
        "answer": [one for one in messages if one["author"] == "assistant"],
        "run": runs,
        "endpoint": [run["endpoint"] for run in runs],
        "seam": [run["seam"] for run in runs if "seam" in run],
        "row": stored["journal"],
        "setting": stored["settings"],
    }
    assert all(found.values()) and len(runs) == 2
    wrong = {name: [misfits(name, one) for one in every] for name, every in found.items()}
    assert {name for name, sets in wrong.items() if any(sets)} == set(), wrong
