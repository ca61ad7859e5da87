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
from midstream.engine.highlight.lexing import is_known, lexer_for
from midstream.engine.highlight.reading import STEP_S, Reading
from midstream.engine.ports.host import Message
from midstream.engine.ports.jobs import Jobs
from midstream.engine.ports.watchdog import Watchdog
from midstream.journal import Row
from midstream.patch import opened, unpack

# Characters of a block that are coloured; the text after them stays plain.
LONGEST = 30_000
# After a reading that took t the block is not read again before REST·t, but at once when it closes.
REST = 4
# Readings of a block that took too long, after which it stays as it is. One may have been the machine's fault.
TRIES = 2
# Seconds until the next try, when Pygments could not be loaded.
AGAIN_S = 60.0


class Colours:
    def __init__(
        self,
        post: Callable[[Message], None],
        load_pygments: Callable[[], Awaitable[None]],
        watchdog: Watchdog,
    ) -> None:
        """`load_pygments` makes Pygments importable."""
        self._post = post
        self._load_pygments = load_pygments
        self._watchdog = watchdog
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
        pause: float | None = 0
        while pause is not None:
            await asyncio.sleep(pause)
            pause = await self._pass()
            self._watchdog.note("")

    async def _pass(self) -> float | None:
        """Reads every block that waits and may be read; gives the seconds until the next pass, None without one."""
        pause = None
        for message, followed in reversed(list(self._answers.items())):
            for block in followed.take_waiting():
                if (left := block.rest_until - time.monotonic()) > 0 and block.open:
                    followed.put_back(block)
                    pause = left if pause is None else min(pause, left)
                elif self._answers.get(message) is followed:
                    await self._colour(message, followed, block)
                    pause = 0
            await asyncio.sleep(0)
        return pause

    async def _colour(self, message: str, followed: Followed, block: Block) -> None:
        work = f"{message}/{block.node}"
        text = readable(block)
        if not text or (block.language, text) == block.seen or work in self._watchdog.given_up:
            return
        lexer = await self._lexer(block.language)
        if lexer is None:
            return
        self._watchdog.note(work)
        reading = Reading(self._watchdog)
        coloured = await reading.read(lexer, text)
        block.seen = ("", "") if reading.over_time else (block.language, text)
        block.rest_until = time.monotonic() + REST * reading.cost
        block.overtimes += reading.over_time
        kept = _common(block.spans, coloured)
        same = kept == len(coloured) == len(block.spans)
        if not same and self._answers.get(message) is followed:
            block.spans = coloured
            flat = [number for span in coloured[kept:] for number in span]
            self._post({"type": "colours", "message": message, "node": block.node, "kept": kept, "spans": flat})
        if reading.over_time:  # there may be a hundred such blocks, and somebody waits for an answer
            followed.put_back(block)
            await asyncio.sleep(REST * STEP_S)

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

    def take_waiting(self) -> list[Block]:
        """The blocks that have changed since, in a known language."""
        self._read_rows()
        changed, self._blocks.changed = self._blocks.changed, {}
        return [block for block in changed.values() if is_known(block.language) and block.overtimes < TRIES]

    def put_back(self, block: Block) -> None:
        """It waits still."""
        self._blocks.changed[block.node] = block

    def add(self, patch: Message) -> bool:
        """False when there is a hole before the patch. One that was there before changes nothing."""
        self._read_rows()
        n = int(patch["n"])
        if not patch.get("reset") and n != self._n + 1:
            return n <= self._n
        self._n = n
        self._feed(unpack(patch["packed"], self._newest))
        return True

    def _read_rows(self) -> None:
        rows, self._rows = self._rows, []
        for row in rows:
            self._feed(row.ops)

    def _feed(self, ops: list[Any]) -> None:
        self._blocks.feed(ops)
        self._newest += opened(ops)


def readable(block: Block) -> str:
    """The part of a block that can be coloured: whole lines, or all of a closed block."""
    text = block.text
    if block.open or len(text) > LONGEST:
        text = text[: text.rfind("\n", 0, LONGEST) + 1]
    return text


def _common(one: Sequence[Span], other: Sequence[Span]) -> int:
    """How many spans at the beginning of both are the same."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
