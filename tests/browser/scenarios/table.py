"""The table: what is played, where, and which words the person must have read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.browser.scenarios import plays
from tests.browser.scenarios.house import House
from tests.browser.scenarios.stage import DIRECT, GATEWAY, Kind, Result, Stage

ANY: Kind | None = None
BOTH = (GATEWAY, DIRECT)
PICKED_UP = "# tokens saved here. Picking up the rest…"
LOST = "Connection lost. Trying again"
CUT_OFF = "Interrupted at token #"
STOPPED = "Stopped by you at token #"
DONE = "# tokens, # s, #/s"


@dataclass(frozen=True)
class Scenario:
    """`rate` is the upstream's, in tokens per second. `words`: what must have been said, digits as #; those under None
    on both kinds of endpoint."""

    id: str
    title: str
    play: Callable[[Stage], None]
    words: dict[Kind | None, tuple[str, ...]]
    begin: Callable[[Stage], None] = plays.nothing
    kinds: tuple[Kind, ...] = (GATEWAY,)
    rate: float = 60

    def due(self, kind: Kind) -> tuple[str, ...]:
        return self.words.get(ANY, ()) + self.words.get(kind, ())


def cut(id: str, seconds: float, rate: float, *kinds: Kind) -> Scenario:
    words: dict[Kind | None, tuple[str, ...]] = {
        GATEWAY: (LOST, "# tokens saved here", "server keeps writing."),
        DIRECT: (CUT_OFF,),
    }
    acts = plays.Cut(seconds)
    title = f"Connection cut for {seconds:g} s"
    return Scenario(id, title, acts.play, words, acts.begin, kinds, rate)


TABLE = [
    Scenario("S1", "Refreshed three times", plays.refresh, {ANY: (PICKED_UP,)}, kinds=BOTH),
    cut("S2", 1, 30, *BOTH),
    cut("S3", 10, 15, *BOTH),
    cut("S4", 60, 4, GATEWAY),
    Scenario("S5", "Tab frozen and resumed", plays.frozen, {ANY: (DONE,)}, kinds=BOTH),
    Scenario(
        "S6",
        "Reloaded while offline",
        plays.offline_reload,
        {GATEWAY: (PICKED_UP, LOST), DIRECT: (CUT_OFF,)},
        kinds=BOTH,
    ),
    Scenario(
        "S7",
        "Prompt sent offline, reloaded, then online",
        plays.offline_prompt,
        {ANY: ("Waiting to send",)},
        kinds=BOTH,
    ),
    Scenario(
        "S8",
        "Second tab, then the writer's tab closed",
        plays.second_tab,
        {ANY: (DONE,)},
        kinds=BOTH,
    ),
    Scenario("S8d", "Two more devices, by list and address", plays.second_device, {ANY: (DONE,)}),
    Scenario(
        "S9",
        "Stopped after a reload",
        plays.stop_after_reload,
        {ANY: (STOPPED,)},
        kinds=BOTH,
        rate=10,
    ),
    Scenario("S9d", "Stopped by another device", plays.stop_elsewhere, {ANY: (STOPPED,)}, rate=10),
    Scenario(
        "S10",
        "Gateway killed (-9) and restarted, then Continue",
        plays.gateway_killed,
        {ANY: (LOST, CUT_OFF)},
    ),
    Scenario(
        "S11",
        "Renderer crashed, app reopened",
        plays.renderer_crash,
        {ANY: (PICKED_UP,)},
        kinds=BOTH,
    ),
    Scenario(
        "S12",
        "App updated in the middle",
        plays.update,
        {ANY: ("A new version is ready.", PICKED_UP)},
        kinds=BOTH,
    ),
]

# In a profile that has never seen the app: there a service worker may share the page's process, and crash with it.
FIRST_VISITS = ("S1", "S11", "S12")


class Performance:
    """One scenario on one kind of endpoint, from its beginning to its score."""

    def __init__(self, scenario: Scenario, kind: Kind, house: House) -> None:
        self.scenario = scenario
        self.kind = kind
        folder = Path(house.folder) / f"{scenario.id}-{kind}"
        folder.mkdir()
        installed = scenario.id not in FIRST_VISITS
        self._stage = Stage(house, kind, scenario.rate, folder, installed=installed)
        self._begun = False

    def begin(self) -> None:
        """The part before a long wait; it may be called by itself, so that others are played during the wait."""
        if not self._begun:
            self._begun = True
            self.scenario.begin(self._stage)

    def close(self) -> None:
        self._stage.close()

    def finish(self) -> Result:
        with contextlib.closing(self._stage) as stage:
            self.begin()
            self.scenario.play(stage)
            return stage.result()

    def seen(self) -> str:
        """What there was to see so far, for when it is not finished."""
        return " / ".join(f"{view.states()} {view.said()}" for view in self._stage.views)

    def unsaid(self, result: Result) -> list[str]:
        """The words that should have been read and were not."""
        return [words for words in self.scenario.due(self.kind) if not any(words in line for line in result.said)]
