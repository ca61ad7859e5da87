"""Code that was written to keep a lexer busy: it is given up, and everything else goes on."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from midstream.engine.highlight import colours as colours_module
from midstream.engine.highlight import lexing, reading
from midstream.engine.highlight.code_blocks import Blocks
from midstream.engine.highlight.colours import LONGEST, TRIES, Colours
from midstream.engine.highlight.reading import Reading
from midstream.engine.ports.host import Message
from midstream.engine.ports.watchdog import Watchdog
from midstream.journal import Row
from midstream.patch import ATTR, CLOSE, OPEN, TEXT, Op
from tests.support.watchdog import SignalWatchdog

# Work of each grows with the square of the length, in one step or in the sum of all.
SHAPES = [
    *[
        ("hcl", "a"),
        ("hcl", "-"),
        ("hcl", "A"),
        ("c", "\n"),
        ("c", "/"),
        ("cpp", "\n"),
        ("cpp", "\t\n"),
        ("objc", "//"),
    ],
    *[
        ("java", "a "),
        ("java", "\n"),
        ("csharp", "a\n"),
        ("csharp", "@a\n"),
        ("make", "a"),
        ("make", "("),
        ("make", "é"),
    ],
    *[("markdown", "\n"), ("matlab", "\n"), ("nix", "é"), ("groovy", "a\n"), ("ts", "a."), ("tsx", "a.")],
]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "STEP_S", 0.02)
    monkeypatch.setattr(reading, "TEXT_S", 0.04)
    monkeypatch.setattr(colours_module, "STEP_S", 0.0)


def coloured(ops: list[Op], watchdog: Watchdog) -> list[Message]:
    said: list[Message] = []

    async def library() -> None:
        pass

    async def whole() -> None:
        colours = Colours(said.append, library, watchdog)
        colours.show("a1", [Row("a1", 1, 0, 1, 1, "", ops=ops)])
        while colours._job and not colours._job.done():
            await asyncio.sleep(0)

    asyncio.run(whole())
    return said


def block(node: int, language: str, text: str) -> list[Op]:
    """Ops of one whole block; `node` is the id of its code."""
    pre = node - 1
    attribute: Op = [ATTR, node, "data-language", language]
    return [[OPEN, 0, "pre", pre], [OPEN, pre, "code", node], attribute, [TEXT, node, text], [CLOSE, pre]]


@pytest.mark.parametrize(("language", "shape"), SHAPES)
def test_a_hostile_block_is_given_up(language: str, shape: str) -> None:
    watchdog = SignalWatchdog()
    hostile = (shape * LONGEST)[: LONGEST - 100]
    said = coloured(block(2, language, hostile) + block(4, "python", "x = 1"), watchdog)
    assert said[-1]["node"] == 4 and said[-1]["spans"]  # after it the next one has its colours
    assert watchdog.notes.count("a1/2") == TRIES
    assert watchdog.notes[-1] == ""


def test_one_expression_is_interrupted() -> None:
    class Endless:
        def get_tokens_unprocessed(self, text: str) -> Iterator[Any]:
            yield 0, ("Comment",), "#"
            re.match(r"(?:a|a)*b", text)  # 2 to the power of its length

    one = Reading(SignalWatchdog())
    asyncio.run(one.read(Endless(), "a" * 64))
    assert one.over_time


def test_between_two_turns_of_the_engine_the_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock here goes on by a millisecond with each token."""
    clock = itertools.count(0, 0.001)
    monkeypatch.setattr(time, "process_time", lambda: next(clock))
    monkeypatch.setattr(reading, "TEXT_S", 2.0)
    tokens = 0

    class Long:
        def get_tokens_unprocessed(self, text: str) -> Iterator[Any]:
            nonlocal tokens
            for at in range(100_000):
                tokens += 1
                yield at, (("Comment",), ("Keyword",))[at % 2], "x"

    monkeypatch.setattr(colours_module, "lexer_for", lambda language: Long())
    steps: list[int] = []

    async def other_work() -> None:
        while True:
            steps.append(tokens)
            await asyncio.sleep(0)

    one = Reading(Watchdog())

    async def whole() -> None:
        other = asyncio.ensure_future(other_work())
        await one.read(Long(), "x" * LONGEST)
        other.cancel()

    asyncio.run(whole())
    assert max(b - a for a, b in itertools.pairwise(steps)) <= 10
    assert one.over_time and tokens <= 2000


def test_a_block_over_which_the_engine_was_lost_stays_plain() -> None:
    watchdog = Watchdog()
    watchdog.given_up = frozenset({"a1/2"})
    said = coloured(block(2, "python", "x = 1") + block(4, "python", "y = 2"), watchdog)
    assert [message["node"] for message in said] == [4]


def test_an_op_costs_the_same_among_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in the blocks that are looked at when something closes."""
    looks = 0
    is_in = Blocks._is_in

    def counted(self: Blocks, node: int, other: int) -> bool:
        nonlocal looks
        looks += 1
        return is_in(self, node, other)

    monkeypatch.setattr(Blocks, "_is_in", counted)
    blocks = Blocks()
    for node in range(2, 2002, 2):
        blocks.feed(block(node, "python", "x = 1"))
    assert len(blocks.blocks) == 1000
    assert looks <= 2000


def test_only_what_has_changed_is_looked_at() -> None:
    ops = [op for node in range(2, 20, 2) for op in block(node, "python", "x")]
    followed = colours_module.Followed([Row("a1", 1, 0, 1, 1, "", ops=ops)])
    assert len(followed.take_waiting()) == 9
    assert followed.take_waiting() == []


def test_every_language_of_the_shapes_is_known() -> None:
    assert all(lexing.is_known(language) for language, _ in SHAPES)
