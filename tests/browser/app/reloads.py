"""Reloads at random times: `python -m tests.browser.app.reloads --count 200 [--kind gateway|direct] [--seed N]`.

A tab asks, and is then reloaded again and again, in whatever it is doing: sending, booting, catching up, live. When the
answer has ended, the events that it counts are compared with those the upstream sent, its text with the whole text, and
every frame of every document with what had been on screen before. Exit code 1 when anything differs.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from midstream.markdown import Parser
from midstream.patch import Node, Tree
from tests.browser.chat import ENDED
from tests.browser.scenarios.house import House, at_home
from tests.browser.scenarios.stage import PROMPT, Kind, Stage, Tab

RATE = 20.0  # tokens per second of the upstream: an answer takes about 13 s
LONGEST = 2.0  # s between two reloads; a boot takes about half of it


@dataclass
class Tally:
    """What became of all reloads. `lost` and `repeated` are events; `hole` is in words."""

    reloads: int = 0
    answers: int = 0
    lost: int = 0
    repeated: int = 0
    hole: int = 0
    asked: int = 0  # requests at the upstream
    aborted: int = 0  # of them, those whose connection broke
    unequal: list[int] = field(default_factory=list)  # answers whose text is not the whole text
    first: list[float] = field(default_factory=list)

    @property
    def good(self) -> bool:
        once = self.asked == self.answers and self.aborted == 0
        return once and not (self.lost or self.repeated or self.hole or self.unequal)

    def __str__(self) -> str:
        first = f"{statistics.median(self.first):.2f} s" if self.first else "-"
        return (
            f"{self.reloads} reloads in {self.answers} answers: {self.lost} events lost, "
            f"{self.repeated} repeated, largest hole {self.hole} words, "
            f"{len(self.unequal)} texts differ, {self.asked} requests upstream, "
            f"{self.aborted} of them aborted, first text after {first}"
        )


def reload_at_random(house: House, kind: Kind, count: int, seed: int) -> Tally:
    """`count` reloads over as many answers as that takes."""
    chance = random.Random(seed)
    tally = Tally()
    while tally.reloads < count:
        folder = house.folder / f"reloads-{kind}-{tally.answers}"
        folder.mkdir()
        with closing(Stage(house, kind, RATE, folder, installed=True)) as stage:
            answer(stage, tally, chance, count)
        print(f"{kind}: {tally.reloads} of {count}, {tally.answers} answers", file=sys.stderr)
    return tally


def answer(stage: Stage, tally: Tally, chance: random.Random, count: int) -> None:
    upstream = stage.own_upstream()
    tab = stage.tab(stage.open_servers(upstream))
    tab.open()
    tab.send(PROMPT)
    while tally.reloads < count:
        if chance.random() < 0.5:
            tab.until_ready()  # else a busy machine would see nothing but pages that are booting
        tab.page.wait_for_timeout(chance.uniform(0, LONGEST) * 1000)  # the random time itself
        if ended(tab):
            break
        tab.reload()
        tally.reloads += 1
    tab.until_ready()
    tab.until_ended()
    tab.settled()
    upstream.until(lambda: not upstream.events("open") or upstream.events()[-1]["event"] != "open")
    sent, shown = sum(event["sent"] for event in upstream.events("done")), tokens(tab)
    tally.answers += 1
    tally.lost += max(0, sent - shown)
    tally.repeated += max(0, shown - sent)
    tally.hole = max(tally.hole, tab.view.hole())
    tally.asked += len(upstream.events("open"))
    tally.aborted += len(upstream.events("abort"))
    tally.first += tab.view.first_texts()
    if squeezed(tab.text()) != squeezed(as_shown(stage.house.answer)):
        tally.unequal.append(tally.answers)


def ended(tab: Tab) -> bool:
    selector = ", ".join(f"article[data-author=assistant][data-state={state}]" for state in ENDED)
    return tab.page.query_selector(selector) is not None


def tokens(tab: Tab) -> int:
    """The count that the line under the answer says."""
    line = tab.answer.locator("[data-part=status]").inner_text()
    found = re.search(r"(\d+) tokens", line)
    return int(found[1]) if found else 0


def as_shown(file: Path) -> str:
    parser = Parser()
    tree = Tree().apply(parser.feed(file.read_text()) + parser.finish())
    return "".join(map(text, tree.root.children))


def text(node: Node | str) -> str:
    return node if isinstance(node, str) else "".join(map(text, node.children))


def squeezed(text: str) -> str:
    """Without white space: the page lays blocks out on lines of their own."""
    return "".join(text.split())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.app.reloads")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--kind", choices=["gateway", "direct"])
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    kinds: list[Kind] = [options.kind] if options.kind else ["gateway", "direct"]
    good = True
    with at_home() as house:
        for kind in kinds:
            tally = reload_at_random(house, kind, options.count, options.seed)
            print(f"{kind}, seed {options.seed}: {tally}", flush=True)
            good = good and tally.good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
