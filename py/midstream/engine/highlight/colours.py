"""Colours the code of the visible answers, beside the other work of the engine.

The screen gets spans for a node, as numbers; they make and change no node. They are not stored: an
answer that is shown again is coloured again. An open block is coloured up to its last whole line: an
incomplete line changes its meaning with every token. Each time all of the block is read, since a line
may change the meaning of earlier ones. So the time between two readings grows with the time that one
takes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from midstream.engine.highlight.code_blocks import Block, Blocks, Span
from midstream.engine.highlight.lexing import is_known, lexer_for, spans
from midstream.engine.ports.host import Message
from midstream.engine.ports.jobs import Jobs
from midstream.journal import Row
from midstream.patch import opened, unpack

# Characters of a block that are coloured; the text after them stays plain.
LONGEST = 30_000
# Seconds of reading after which everything else in the engine has its turn.
SLICE_S = 0.008
# After a reading that took t the block is not read again before REST·t, but at once when it closes.
REST = 4
# Seconds until the next try, when Pygments could not be loaded.
AGAIN_S = 60.0


class Colours:
    def __init__(self, post: Callable[[Message], None], load_pygments: Callable[[], Awaitable[None]]) -> None:
        """`load_pygments` makes Pygments importable."""
        self._post = post
        self._load_pygments = load_pygments
        self._lexers: dict[str, Any] = {}
        self._refused = -AGAIN_S  # when Pygments could not be loaded
        self._answers: dict[str, Followed] = {}  # the newest last
        self._jobs = Jobs(post)
        self._job: asyncio.Task[None] | None = None

    def clear(self) -> None:
        """The screen shows another conversation."""
        self._answers = {}

    def show(self, message: str, rows: Sequence[Row]) -> None:
        """The screen has the ops of these rows, or is about to get them."""
        self._answers[message] = Followed(rows)
        self._begin()

    def patch(self, patch: Message) -> None:
        """The screen gets this patch."""
        message = str(patch["message"])
        followed = self._answers.get(message)
        if patch.get("reset") or (followed is None and patch["n"] == 1):
            followed = self._answers[message] = Followed()
        if followed and not followed.add(patch):
            del self._answers[message]  # a hole: the screen will request all of it
        self._begin()

    def _begin(self) -> None:
        if self._job is None or self._job.done():
            self._job = self._jobs.spawn(self._run())

    async def _run(self) -> None:
        """Until there is nothing left to colour."""
        while True:
            pause = None
            for message, followed in reversed(list(self._answers.items())):
                for block in followed.waiting():
                    if (left := followed.rests[block] - time.monotonic()) > 0 and block.open:
                        pause = left if pause is None else min(pause, left)
                    else:
                        await self._colour(message, followed, block)
                        pause = 0
                await asyncio.sleep(0)
            if pause is None:
                return
            await asyncio.sleep(pause)

    async def _colour(self, message: str, followed: Followed, block: Block) -> None:
        block.dirty = False
        text = readable(block)
        if not text or (block.language, text) == block.seen:
            return
        lexer = await self._lexer(block.language)
        if lexer is None:
            return
        block.seen = (block.language, text)
        coloured, cost = await _read(lexer, text)
        followed.rests[block] = time.monotonic() + REST * cost
        kept = _common(block.spans, coloured)
        same = kept == len(coloured) == len(block.spans)
        if same or self._answers.get(message) is not followed:
            return
        block.spans = coloured
        flat = [number for span in coloured[kept:] for number in span]
        self._post({"type": "colours", "message": message, "node": block.node, "kept": kept, "spans": flat})

    async def _lexer(self, language: str) -> Any:
        """None without one: then the text stays plain, and nothing else changes."""
        if language in self._lexers:
            return self._lexers[language]
        if time.monotonic() < self._refused + AGAIN_S:
            return None
        try:
            await self._load_pygments()
            self._lexers[language] = lexer_for(language)
        except Exception as error:  # whatever it is, the answer can be read without colours
            print(f"midstream: code stays plain: {type(error).__name__}: {error}")
            self._refused = time.monotonic()
            return None
        return self._lexers[language]


class Followed:
    """The blocks of an answer. Its rows are read late: a long conversation has many, and the newest
    answer comes first."""

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        self._rows = list(rows)
        self._blocks = Blocks()
        self._n = rows[-1].n if rows else 0
        self._newest = 0  # the id of the newest element
        self.rests: dict[Block, float] = {}  # until when a block is left alone

    def waiting(self) -> list[Block]:
        rows, self._rows = self._rows, []
        for row in rows:
            self._feed(row.ops)
        blocks = [block for block in self._blocks.blocks.values() if block.dirty]
        for block in blocks:
            self.rests.setdefault(block, 0)
        return [block for block in blocks if is_known(block.language)]

    def add(self, patch: Message) -> bool:
        """False when there is a hole before the patch. One that was there before changes nothing."""
        self.waiting()
        n = int(patch["n"])
        if not patch.get("reset") and n != self._n + 1:
            return n <= self._n
        self._n = n
        self._feed(unpack(patch["packed"], self._newest))
        return True

    def _feed(self, ops: list[Any]) -> None:
        self._blocks.feed(ops)
        self._newest += opened(ops)


def readable(block: Block) -> str:
    """The part of a block that can be coloured: whole lines, or all of a closed block."""
    text = block.text
    if block.open or len(text) > LONGEST:
        text = text[: text.rfind("\n", 0, LONGEST) + 1]
    return text


async def _read(lexer: Any, text: str) -> tuple[list[Span], float]:
    """The spans of a text, and the seconds that it took; the engine goes on meanwhile."""
    result: list[Span] = []
    cost, began = 0.0, time.perf_counter()
    try:
        for span in spans(lexer, text):
            result.append(span)
            taken = time.perf_counter() - began
            if taken > SLICE_S:
                await asyncio.sleep(0)
                cost, began = cost + taken, time.perf_counter()
    except Exception as error:  # a lexer that is missing inside another one, or that fails on this text
        print(f"midstream: a part of the code stays plain: {type(error).__name__}: {error}")
    return result, cost + time.perf_counter() - began


def _common(one: Sequence[Span], other: Sequence[Span]) -> int:
    """How many spans at the beginning of both are the same."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
