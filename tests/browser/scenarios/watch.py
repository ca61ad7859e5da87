"""What a person had on screen in every frame, over reloads and crashes, and what was missing from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

BINDING = "midstreamSample"
SCRIPT = (Path(__file__).parent / "watch.js").read_text()


@dataclass(frozen=True)
class Sample:
    """One change of what stands on screen. `at` and `painted` are in ms since the document's navigation began;
    `painted` is None until saved text was painted. `ends`: the words at the ends of texts, which may still grow."""

    document: str
    at: float
    painted: float | None
    words: frozenset[int]
    twice: frozenset[int]
    ends: tuple[int, ...]
    state: str
    said: tuple[str, ...]

    @classmethod
    def of(cls, payload: str) -> Sample:
        raw: dict[str, Any] = json.loads(payload)
        sets = {name: frozenset(numbers(raw[name])) for name in ("words", "twice")}
        said, ends = tuple(filter(None, raw["said"])), tuple(raw["ends"])
        return cls(**raw | sets | {"said": said, "ends": ends})


def numbers(ranges: str) -> Iterator[int]:
    """ "1-3 7-7" → 1, 2, 3, 7."""
    for item in ranges.split():
        first, last = map(int, item.split("-"))
        yield from range(first, last + 1)


@dataclass
class View:
    """One person's view of the answer: a tab with all its reloads, or a tab and the one opened in its place."""

    samples: list[Sample] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """To be called before the page goes anywhere."""
        session = page.context.new_cdp_session(page)
        session.on("Runtime.bindingCalled", self.called)
        session.send("Runtime.enable")
        session.send("Runtime.addBinding", {"name": BINDING})
        page.add_init_script(SCRIPT)

    def called(self, event: dict[str, Any]) -> None:
        if event["name"] == BINDING:
            self.samples.append(Sample.of(event["payload"]))

    def holes(self) -> list[int]:
        """For every sample that counts: how many words are missing in it. A word is missing when this person has seen
        it before, in whatever document, or when a later word is there.

        A document counts from the paint of the saved text on, or from its first word on where nothing was saved: until
        then it is a page that is being loaded.
        """
        seen: set[int] = set()
        found = []
        for sample in self.counted():
            due = seen.union(range(1, max(sample.words, default=0)))
            found.append(len(due - sample.words - set(sample.ends)))
            seen |= sample.words
        return found

    def hole(self) -> int:
        return max(self.holes(), default=0)

    def counted(self) -> Iterator[Sample]:
        started = set()
        for sample in self.samples:
            if sample.words or sample.painted is not None:
                started.add(sample.document)
            if sample.document in started:
                yield sample

    def twice(self) -> frozenset[int]:
        """Words that stood on screen more than once in any sample."""
        return frozenset[int]().union(*(sample.twice for sample in self.samples))

    def first_texts(self) -> list[float]:
        """Seconds from navigation to saved text, for each document that had any to show."""
        times: dict[str, float] = {}
        seen: set[int] = set()
        for sample in self.counted():
            if seen and sample.document not in times:
                times[sample.document] = (sample.painted or sample.at) / 1000
            if not seen:
                times[sample.document] = -1.0  # nothing had been shown before it
            seen |= sample.words
        return [seconds for seconds in times.values() if seconds >= 0]

    def said(self) -> list[str]:
        """Every line that was said, digits as #, in the order of its first appearance."""
        return unique(line for sample in self.samples for line in sample.said)

    def states(self) -> list[str]:
        return unique(sample.state for sample in self.samples if sample.state)


def unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
