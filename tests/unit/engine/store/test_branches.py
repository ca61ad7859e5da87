"""Which version of a conversation is shown: the engine's arithmetic, and that the screen's is the same."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midstream.engine.store.branches import Branches, parent_implied
from midstream.journal import Record
from tests.support.node import in_node

CASES = json.loads((Path(__file__).parent / "branches.json").read_text())
SCREEN = """async (cases, web) => {
  const { line } = await web('shared/branches.js');
  return cases.map(([messages, leaf]) =>
    line(messages, leaf).map(({ record, versions }) => [record.id, ...versions]));
}"""


def message(short: str) -> Record:
    """`a1:q1` is an answer to q1, `q2<a1` a question after a1; `q1<` a first one."""
    if short.startswith(("a", "b", "c", "x", "y")):
        key, colon, question = short.partition(":")
        return {"id": key, "author": "assistant", **({"question": question} if colon else {})}
    key, sign, parent = short.partition("<")
    return {"id": key, "author": "user", **({"parent": parent} if sign else {})}


def shown(messages: list[Record], leaf: Any) -> list[list[Any]]:
    return [[record["id"], *place] for record, place in Branches(messages).branch(leaf)]


@pytest.mark.parametrize("case", CASES, ids=[case["what"] for case in CASES])
def test_what_is_shown(case: dict[str, Any]) -> None:
    assert shown([message(short) for short in case["messages"]], case["leaf"]) == case["line"]


def test_the_screen_shows_the_same() -> None:
    table = [([message(short) for short in case["messages"]], case["leaf"]) for case in CASES]
    drawn_by_lot = [trees(random.Random(seed)) for seed in range(300)]
    found = in_node(SCREEN, table + drawn_by_lot)
    assert found[: len(CASES)] == [case["line"] for case in CASES]
    assert found[len(CASES) :] == [shown(*case) for case in drawn_by_lot]


def trees(lot: random.Random) -> tuple[list[Record], Any]:
    """Messages as no sane store would hold them: any field may be there, and name anything."""
    names = [f"m{n}" for n in range(lot.randrange(1, 12))]
    messages: list[Record] = []
    for name in names:
        record: Record = {"id": name, "author": lot.choice(["user", "assistant"])}
        field = "parent" if record["author"] == "user" else "question"
        if lot.random() < 0.7:
            record[field] = lot.choice([*names, "", "lost"])
        messages.append(record)
    return messages, lot.choice([*names, None, "lost", ""])


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_every_message_can_be_reached_and_none_twice(lot: random.Random) -> None:
    messages, leaf = trees(lot)
    paths, places = Branches(messages), {record["id"]: n for n, record in enumerate(messages)}
    for record in messages:
        key = record["id"]
        parent = paths.parents[key]
        assert not parent or places[parent] < places[key]
        assert key in [each["id"] for each, _ in paths.branch(key)]
        assert paths.up_to(key)[-1] is record
        assert key in paths.beside(key)
    line = [record["id"] for record, _ in paths.branch(leaf)]
    assert [paths.parents[key] for key in line] == ["", *line[:-1]]
    assert not any(paths.parents[key] == line[-1] for key in places)  # it ends where nothing follows


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_what_is_not_said_is_the_same_without(lot: random.Random) -> None:
    messages, _ = trees(lot)
    kept = [
        {name: value for name, value in record.items() if name != "parent"}
        if record["author"] == "user" and parent_implied(messages, record["id"])
        else record
        for record in messages
    ]
    for n, record in enumerate(messages):
        if record["author"] == "user" and record.get("parent") != "lost":
            key = record["id"]
            alone = [*messages[:n], kept[n]]
            assert Branches(alone).parents[key] == Branches(messages).parents[key]
