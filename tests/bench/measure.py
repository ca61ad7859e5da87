"""What the benchmark of the Markdown engine measures; runs in CPython and in Pyodide alike.

A token is 4 characters, a flush is one `feed`. Times are of this process's processor time (in
Pyodide that of Node), so that a busy machine spoils them less.
"""

from __future__ import annotations

import json
import math
import random
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import mistletoe

from midstream.markdown import Parser
from midstream.patch import opened, pack

TOKEN = 4
KINDS = ("mixed", "list", "table", "paragraph", "fence")
_WORDS = (
    *("the", "model", "of", "a", "language", "can", "write", "text", "and", "then", "list", "some"),
    *("items", "with", "care", "while", "most", "words", "stay", "plain", "here", "so", "that"),
    *("a", "reader", "sees", "what", "an", "answer", "looks", "like", "as", "it", "comes", "in"),
)


def _node_clock() -> float:
    import js

    used = js.process.cpuUsage()
    return float(used.user + used.system) / 1e6


_clock: Callable[[], float] = _node_clock if sys.platform == "emscripten" else time.process_time


def document(kind: str, size: int) -> str:
    """A document of one kind and about that many characters, always the same."""
    make = _Writer(random.Random(f"{kind}"))
    parts: list[str] = []
    total = 0
    while total < size:
        part = getattr(make, kind)(not parts)
        parts.append(part)
        total += len(part)
    return "".join(parts)[:size]


class _Writer:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def sentence(self, least: int, most: int) -> str:
        words = [self.chance.choice(_WORDS) for _ in range(self.chance.randint(least, most))]
        for share, form in (
            (0.35, "**{}**"),
            (0.25, "`{}()`"),
            (0.1, "*{}*"),
            (0.1, "[{0}](https://example.org/{0})"),
        ):
            if self.chance.random() < share:
                k = self.chance.randrange(len(words))
                words[k] = form.format(words[k])
        return " ".join(words).capitalize() + "."

    def sentences(self, least: int, most: int) -> str:
        return " ".join(self.sentence(6, 16) for _ in range(self.chance.randint(least, most)))

    def mixed(self, _: bool) -> str:
        kind = self.chance.random()
        if kind < 0.38:
            return self.sentences(2, 5) + "\n\n"
        if kind < 0.65:
            count = self.chance.randint(3, 7)
            return "".join(self.list(False) for _ in range(count)) + "\n"
        if kind < 0.72:
            return "".join(self.table(k == 0) for k in range(self.chance.randint(3, 6))) + "\n"
        if kind < 0.81:
            return "```python\n" + "".join(self.fence(False) for _ in range(8)) + "```\n\n"
        return "#" * self.chance.randint(1, 4) + " " + self.sentence(3, 6) + "\n\n"

    def list(self, _: bool) -> str:
        return "- " + self.sentence(4, 14) + "\n"

    def table(self, first: bool) -> str:
        head = "| a | b | c |\n|---|:-:|--:|\n" if first else ""
        return head + "| " + " | ".join(self.sentence(2, 4) for _ in range(3)) + " |\n"

    def paragraph(self, _: bool) -> str:
        return self.sentence(6, 16) + " "

    def fence(self, first: bool) -> str:
        words = " ".join(self.chance.choice(_WORDS) for _ in range(6))
        return ("```python\n" if first else "") + "    " * self.chance.randint(0, 2) + words + "()\n"


def stream(text: str, tokens: int) -> float:
    """Seconds for streaming a text with that many tokens per flush."""
    parser, step = Parser(), TOKEN * tokens
    begun = _clock()
    for at in range(0, len(text), step):
        parser.feed(text[at : at + step])
    parser.finish()
    return _clock() - begun


def flushes(text: str, tokens: int) -> list[list[Any]]:
    """The ops of every flush."""
    parser, step = Parser(), TOKEN * tokens
    fed = [parser.feed(text[at : at + step]) for at in range(0, len(text), step)]
    return [*fed, parser.finish()]


def once(text: str) -> float:
    """Seconds for mistletoe at once."""
    begun = _clock()
    mistletoe.markdown(text)
    return _clock() - begun


def best(run: Callable[[], float], size: int) -> float:
    """The best of some runs; large documents run once."""
    return min(run() for _ in range(3 if size <= 100_000 else 1))


def measure(sizes: list[int]) -> dict[str, Any]:
    """All figures: per kind and size, and the growth exponent per kind from first to last size."""
    stream(document("mixed", 20_000), 4)  # warm
    kinds: dict[str, Any] = {}
    for kind in KINDS:
        rows: dict[str, Any] = {}
        for size in sizes:
            text = document(kind, size)
            seconds = best(partial(stream, text, 4), size)
            alone = best(partial(once, text), size)
            whole = best(partial(stream, text, len(text)), size)
            rows[str(size)] = {
                "us_per_token": round(seconds / (size / TOKEN) * 1e6, 2),
                "us_per_kb": round(seconds / size * 1e9, 1),
                "at_once_us_per_kb": round(whole / size * 1e9, 1),
                "mistletoe_us_per_kb": round(alone / size * 1e9, 1),
                "times_mistletoe": round(seconds / alone, 2),
                "times_at_once": round(seconds / whole, 2),
            }
        first, last = (rows[str(size)]["us_per_kb"] * size for size in (sizes[0], sizes[-1]))
        growth = math.log(last / first) / math.log(sizes[-1] / sizes[0])
        kinds[kind] = {"sizes": rows, "exponent": round(growth, 3)}
    return {"python": sys.version.split()[0], "platform": sys.platform, "kinds": kinds, **patches()}


def patches() -> dict[str, Any]:
    """Sizes of patches on 100 KB of mixed text."""
    text = document("mixed", 100_000)
    single = flushes(text, 1)
    eight = flushes(text, 8)
    wire = newest = 0
    for ops in filter(None, eight):
        packed = pack(ops, newest)
        newest += opened(ops)
        wire += len(json.dumps(packed, ensure_ascii=False, separators=(",", ":")).encode())
    return {
        "ops_per_token_median": statistics.median(len(ops) for ops in single),
        "ops_per_token_mean": round(sum(map(len, single)) / len(single), 3),
        "patch_bytes_per_character": round(wire / len(text), 3),
    }


if __name__ == "__main__":
    print(json.dumps(measure([int(size) for size in sys.argv[1:]])))
