"""One reading of a text by a lexer, within a budget.

Many lexers have expressions whose work grows with the square of the text, and a model may write that
text. So a step that takes long is interrupted, and a reading that takes long is ended. What was found until
then stays.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from midstream.engine.highlight.code_blocks import Span
from midstream.engine.highlight.lexing import spans
from midstream.engine.ports.watchdog import OverTime, Watchdog

# Seconds of reading after which everything else in the engine has its turn.
SLICE_S = 0.008
# Seconds after which a slice is interrupted: one step of the lexer does not come to its end.
STEP_S = 0.25
# Seconds that a lexer may take for a text: a slow phone needs one for all that is coloured of a long block.
TEXT_S = 4.0


class Reading:
    def __init__(self, watchdog: Watchdog) -> None:
        self.cost = 0.0  # seconds
        self.over_time = False
        self._watchdog = watchdog

    async def read(self, lexer: Any, text: str) -> list[Span]:
        """The spans of the text, or of its beginning; the engine goes on meanwhile."""
        found: list[Span] = []
        source = spans(lexer, text)
        while self._slice(source, found):
            await asyncio.sleep(0)
        return found

    def _slice(self, source: Iterator[Span], found: list[Span]) -> bool:
        """False when there is nothing more to be found."""
        began, more = time.process_time(), False
        try:
            with self._watchdog.limit(STEP_S):
                for span in source:
                    found.append(span)
                    if more := time.process_time() > began + SLICE_S:
                        break
        except OverTime:
            self.over_time = True
        except Exception as error:  # a lexer that is missing inside another one, or that fails on this text
            print(f"midstream: a part of the code stays plain: {type(error).__name__}: {error}")
            more = False
        self.cost += time.process_time() - began
        self.over_time |= self.cost > TEXT_S
        return more and not self.over_time
