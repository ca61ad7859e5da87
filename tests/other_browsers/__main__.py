"""`python -m tests.other_browsers [firefox|webkit …]`: the scenarios as a table. Wants a built dist/."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.other_browsers.drivers import BrowserError, Driver, Missing, opened
from tests.other_browsers.places import dist
from tests.other_browsers.plays import PLAYS, Play, play, prepared

HEAD = "| scenario | endpoint | lost | repeated | hole | asked | seconds | |"


def row(browser: Driver, it: Play, folder: Path) -> tuple[str, bool]:
    start = time.monotonic()
    try:
        result = play(browser, it, folder)
    except (AssertionError, BrowserError) as error:
        return f"| {it.id} {it.title} | {it.kind} | | | | | | FAILED: {error} |", False
    figures = [len(result.lost), len(result.repeated), result.hole, result.asked]
    cells = [f"{it.id} {it.title}", it.kind, *figures, f"{time.monotonic() - start:.1f}"]
    end = "; ".join(result.problems) or ("" if result.in_order else "out of order")
    return "| " + " | ".join(map(str, cells)) + f" | {end} |", result.clean


def table(kind: str, folder: Path) -> bool:
    with opened(kind) as browser:
        prepared(browser)
        print(f"\n{browser.name}\n\n{HEAD}\n|:--|:--|--:|--:|--:|--:|--:|:--|", flush=True)
        clean = True
        for it in PLAYS:
            line, good = row(browser, it, folder)
            print(line, flush=True)
            clean = clean and good
        return clean


def main(kinds: list[str]) -> int:
    try:
        results = [table(kind, dist()) for kind in kinds or ["firefox", "webkit"]]
    except (Missing, FileNotFoundError) as error:
        print(f"other_browsers: {error}", file=sys.stderr)
        return 2
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
