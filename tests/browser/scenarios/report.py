"""The score table as Markdown, kept between two markers: all of it in docs/scenarios.md, three rows in README.md."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.browser.scenarios.stage import DIRECT, GATEWAY, Kind, Result
from tests.browser.scenarios.table import Scenario

BEGIN, END = "<!-- scenarios -->", "<!-- /scenarios -->"
HEAD = (
    "| | Scenario | Endpoint | Words lost | Repeated | Largest hole | First text | Said |\n"
    "|:--|:--|:--|--:|--:|--:|--:|:--|"
)
ENDPOINTS = {"gateway": "gateway", "direct": "plain"}
# The rows in the README: a refresh without a gateway, a long cut, a killed server.
EXCERPT = (("S1", DIRECT), ("S4", GATEWAY), ("S10", GATEWAY))


@dataclass(frozen=True)
class Row:
    scenario: Scenario
    kind: Kind
    result: Result | None
    unsaid: Sequence[str] = ()
    trouble: str = ""

    @property
    def good(self) -> bool:
        result = self.result
        return result is not None and not (result.lost or result.repeated or result.hole or self.unsaid)

    def markdown(self) -> str:
        head = f"| {self.scenario.id} | {self.scenario.title} | {ENDPOINTS[self.kind]} "
        result = self.result
        if result is None:
            return f"{head}| | | | | not finished: {self.trouble} |"
        first = f"{statistics.median(result.first):.2f} s" if result.first else ""
        counts = f"{len(result.lost)} | {len(result.repeated)} | {result.hole} | {first}"
        return f"{head}| {counts} | {self._said()} |"

    def _said(self) -> str:
        if self.unsaid:
            return "missing: " + ", ".join(map(quoted, self.unsaid))
        return ", ".join(map(quoted, self.scenario.due(self.kind)))


def quoted(words: str) -> str:
    return f"“{words.replace('#', 'n').rstrip('.')}”"


def table(rows: Sequence[Row]) -> str:
    lines = [HEAD, *(row.markdown() for row in rows)]
    return "\n".join([*lines, *notes(rows)])


def excerpt(rows: Sequence[Row]) -> str:
    return table([row for row in rows if (row.scenario.id, row.kind) in EXCERPT])


def notes(rows: Sequence[Row]) -> list[str]:
    """Each note once, after the scenarios that it belongs to."""
    found: dict[tuple[str, Kind], list[str]] = {}
    for row in rows:
        for note in row.result.notes if row.result else []:
            found.setdefault((note, row.kind), []).append(row.scenario.id)
    lines = [f"{', '.join(ids)} ({ENDPOINTS[kind]}): {note}." for (note, kind), ids in found.items()]
    return ["", "\\\n".join(lines)] if lines else []


def write(file: Path, text: str) -> None:
    """Replaces what stands between the markers. Raises ValueError where there are none."""
    whole = file.read_text(encoding="utf-8")
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{file.name} has no {BEGIN} … {END}")
    file.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
