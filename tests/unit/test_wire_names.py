"""Names on the wire: what PROTOCOL.md lets be one, read alike by the gateway and the engine."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from midstream import names
from midstream.engine.devices.device_sync import listed
from midstream.engine.store.records import run_key
from tests.unit.engine.devices.test_gateway_client import Foreign


@pytest.mark.parametrize(
    ("pattern", "taken", "refused"),
    [
        (names.RUN, ["0" * 32, "0123456789abcdef" * 2], ["", "0" * 31, "0" * 33, "A" * 32]),
        (
            names.CONVERSATION,
            ["a", "a.b_c~d-9", ".", "..", "x" * 128],
            ["", "x" * 129, "a/b", "a b", "a%2e", "é", "٣"],
        ),
        (names.KEY, ["!", "~", "q.a.0.~", "/", "x" * 128], ["", "x" * 129, "a b", "\x7f", "é"]),
    ],
)
def test_what_is_a_name(pattern: re.Pattern[str], taken: list[str], refused: list[str]) -> None:
    assert [name for name in taken if not pattern.fullmatch(name)] == []
    ended = [f"{name}\n" for name in taken]
    assert [name for name in [*refused, *ended] if pattern.fullmatch(name)] == []


def test_a_key_of_the_engine_is_one_that_the_gateway_takes() -> None:
    for parent in (None, "", "p" * 60):
        assert names.KEY.fullmatch(run_key("q" * 60, "a" * 60, 99, parent))


def test_a_conversation_with_any_name_that_the_gateway_takes_does_not_spoil_the_list() -> None:
    entries = [{"id": name, "title": "", "updated": 1, "active": None} for name in ("..", ".", "talk")]
    body = json.dumps({"data": entries}).encode()
    found = asyncio.run(listed(Foreign(body), "v1"))
    assert [item["id"] for item in found] == ["..", ".", "talk"]
