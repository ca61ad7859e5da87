"""The warm-up: the work of Python in a page, many times over, at an idle time.

A browser optimizes code that runs often, and stores the result for later visits. So
`web/engine/pyodide/snapshot_maker.mjs` runs the warm-up in a Python that has started from the new
snapshot, as the next page will.
"""

from __future__ import annotations

import json

from midstream.markdown import Parser
from midstream.providers.demo import tokens

# Chromium keeps code when a megabyte of it was optimized, which a start alone does not reach.
ROUNDS = 400


def rehearse(rounds: int = ROUNDS) -> int:
    """Draws the demo's answer word by word, as it is streamed, and writes and reads its patches.
    Gives the number of patches."""
    patches = 0
    for _ in range(rounds):
        parser = Parser()
        for token in tokens("rehearsal"):
            patches += len(json.loads(json.dumps(parser.feed(token))))
        patches += len(parser.finish())
    return patches
