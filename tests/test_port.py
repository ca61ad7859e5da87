"""The port: one list of messages and intents, which engine, screen and docs/port.md all have."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from midstream.engine.app import Engine
from midstream.engine.ports.intents import INTENTS
from midstream.engine.ports.messages import MESSAGES, State
from midstream.engine.store.records import FINAL_STATES
from midstream.journal import MemoryStore
from tests.support.port import by_type, intent_faults, message_faults
from tests.unit.engine.support import Locks, new_page
from tooling.assets import port

PROJECT = Path(__file__).parents[1]


def test_the_page_and_the_types_are_made_from_the_classes() -> None:
    """Run `python -m tooling.assets.port` after a change of engine/ports."""
    assert port.TYPES.read_text() == port.screen_types()
    assert port.PAGE.read_text() == port.page(port.PAGE.read_text())


def test_no_type_has_two_classes() -> None:
    for kinds in (MESSAGES, INTENTS):
        assert len(by_type(kinds)) == sum(len(by_type((kind,))) for kind in kinds)


def test_the_engine_handles_every_intent_and_no_other() -> None:
    async def scenario() -> Engine:
        page = await new_page(MemoryStore(), Locks())
        await page.vanish()
        return page.engine

    handled = asyncio.run(scenario()).intents.keys()
    assert handled == by_type(INTENTS).keys() | {"tab"}


def test_the_screen_handles_every_message_and_no_other() -> None:
    source = (PROJECT / "web/screen/engine_messages.js").read_text()
    table = re.search(r"this\.handlers = \{\n(.*?)\n    \};", source, re.DOTALL)
    assert table
    assert set(re.findall(r"^      (\w+)[:(]", table[1], re.MULTILINE)) == by_type(MESSAGES).keys()


def test_the_states_of_an_answer_are_those_of_the_screen() -> None:
    """The types in status.js are JSDoc: tsc compares them with nothing."""
    source = (PROJECT / "web/shared/status.js").read_text()
    screen = re.findall(r"'([a-z-]+)'", source[: source.index("@typedef {object} Status")])
    assert set(screen) == set(get_args(State)) > FINAL_STATES


@pytest.mark.parametrize(
    "message",
    [
        {"type": "patched"},
        {"type": "connection", "state": "lost"},
        {"type": "connection"},
        {"type": "source", "message": "a", "n": True, "text": ""},
        {"type": "source", "message": "a", "n": 1, "text": "", "more": 1},
        {"type": "removed", "conversation": "c", "messages": ["u", 3]},
        {"type": "conversation", "id": 3, "title": "", "turns": []},
        {"type": "conversation", "id": None, "title": "", "turns": [{"message": "a"}]},
        {"type": "keep", "changes": {}},
        {"type": "notice", "code": "x", "level": "info", "problem": []},
    ],
)
def test_a_message_that_is_not_in_the_list_is_seen(message: dict[str, Any]) -> None:
    assert message_faults(message) != []


def test_an_intent_that_is_not_in_the_list_is_seen() -> None:
    assert intent_faults({"type": "pin", "conversation": "c", "on": True}) == []
    assert intent_faults({"type": "pin", "conversation": "c", "on": "yes"}) != []
    assert intent_faults({"type": "pinned", "conversation": "c", "on": True}) != []
