"""S1, S2, S6 and S7 as they are played in each browser, and their score."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.browser.chat import score
from tests.browser.conftest import numbered_answer
from tests.other_browsers.drivers import Driver
from tests.other_browsers.person import WATCH, Person
from tests.support.processes import Replay, free_port, replay, serve
from tests.support.proxy import Proxy


class Stage:
    """Servers behind proxies, for one scenario.

    gateway   browser → proxy → serve (app and gateway) → replay
    direct    browser → proxy → serve (app only), browser → proxy → replay
    """

    def __init__(self, exit: ExitStack, kind: str, dist: Path, rate: float) -> None:
        folder = Path(exit.enter_context(tempfile.TemporaryDirectory()))
        answer = folder / "answer.md"
        answer.write_text(numbered_answer())
        self.kind = kind
        self.upstream: Replay = exit.enter_context(replay(answer, rate=rate, chunk=6))
        self._exit = exit
        self._proxies: list[Proxy] = []
        port = free_port()
        options = ["--port", f"{port}", "--allow-host", "127.0.0.1", "--dist", str(dist)]
        if kind == "gateway":
            options += ["--upstream", self.upstream.url, "--store", f"sqlite:{folder / 'runs'}"]
        else:
            options += ["--direct", self._proxy(self.upstream.port).url + "v1"]
        exit.enter_context(serve(*options))
        self.url = self._proxy(port).url

    def _proxy(self, port: int) -> Proxy:
        proxy = self._exit.enter_context(Proxy(port))
        self._proxies.append(proxy)
        return proxy

    def cut(self) -> None:
        """From now on nothing goes through, and what was open ends in a reset."""
        for proxy in self._proxies:
            proxy.refuse()
            proxy.abort()

    def heal(self) -> None:
        for proxy in self._proxies:
            proxy.accept()

    def asked(self) -> int:
        """How often the upstream was asked."""
        return len(self.upstream.events("open"))


def refreshed(stage: Stage, person: Person) -> None:
    person.open().send()
    for seq in (2, 60, 130):
        person.until_seq(seq)
        person.reload()
    person.until_complete()


def refreshed_when_controlled(stage: Stage, person: Person) -> None:
    """A plain endpoint: the service worker keeps the connection, once it is there."""
    person.open().until_kept()
    refreshed(stage, person)


def cut_for_a_second(stage: Stage, person: Person) -> None:
    person.open().send().until_seq(50)
    stage.cut()
    person.until_state("reconnecting")
    person.wait(1)
    stage.heal()
    person.until_complete()


def reloaded_offline(stage: Stage, person: Person) -> None:
    person.open().until_kept().send().until_seq(60)
    stage.cut()
    person.until_state("reconnecting")
    person.reload()
    person.until_state("reconnecting", "offline")
    stage.heal()
    person.until_complete()


def asked_offline(stage: Stage, person: Person) -> None:
    """At a plain endpoint the prompt waits only where the browser says that there is no network; at the gateway it does
    so wherever nobody answers, which is what is played."""
    person.open().until_kept()
    stage.cut()
    if stage.kind == "direct":
        person.online(False)
    person.send().until_state("queued")
    person.reload().until_state("queued")
    stage.heal()
    person.online(True)
    person.until_complete()
    assert person.count("user") == 1, "the prompt is there twice"


@dataclass(frozen=True)
class Play:
    id: str
    kind: str
    title: str
    act: Callable[[Stage, Person], None]
    rate: float = 60


PLAYS = [
    Play("S1", "gateway", "Refreshed three times", refreshed),
    Play("S1", "direct", "Refreshed three times", refreshed_when_controlled),
    Play("S2", "gateway", "Connection cut for 1 s", cut_for_a_second, rate=30),
    Play("S6", "gateway", "Reloaded while offline", reloaded_offline, rate=30),
    Play("S7", "gateway", "Asked while offline", asked_offline),
    Play("S7", "direct", "Asked while offline", asked_offline),
]


@dataclass(frozen=True)
class Result:
    """`hole`: the most words missing on screen in any sample, of those seen before or followed by later ones."""

    lost: list[str]
    repeated: list[str]
    in_order: bool
    hole: int
    asked: int
    problems: list[str]

    @property
    def clean(self) -> bool:
        nothing = not (self.lost or self.repeated or self.hole or self.problems)
        return nothing and self.in_order and self.asked == 1


def play(browser: Driver, it: Play, dist: Path) -> Result:
    """Plays it on servers of its own; AssertionError or BrowserError when the app does not go on."""
    with ExitStack() as exit:
        stage = Stage(exit, it.kind, dist, it.rate)
        person = Person(browser, stage.url)
        it.act(stage, person)
        person.collect()
        found = score(numbered_answer(), person.text())
        twice = [f"w{number}" for number in sorted(person.view.twice())]
        return Result(
            lost=found.lost,
            repeated=found.repeated or twice,
            in_order=found.in_order,
            hole=person.view.hole(),
            asked=stage.asked(),
            problems=person.problems,
        )


def prepared(browser: Driver) -> Driver:
    browser.preload(WATCH)
    return browser
