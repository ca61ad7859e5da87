"""What a scenario is played on: processes, proxies that cut, and tabs that are watched.

    gateway   tab → proxy → serve (app and gateway) → replay
    direct    tab → proxy → serve (app only)
              tab → proxy → replay

Whatever is cut is cut in the proxies: the browser's own offline mode leaves a stream that is under way alone.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from playwright.sync_api import BrowserContext, Page

from tests.browser.chat import Chat, words
from tests.browser.scenarios.house import CHUNK, House
from tests.browser.scenarios.watch import View, unique
from tests.support.gate import Model
from tests.support.patience import PATIENCE_MS
from tests.support.processes import Replay, Serve, replay, serve
from tests.support.proxy import Proxy
from tooling.assets.dist import swap
from tooling.assets.filling import MARKER, integrity, substitute

Kind = Literal["gateway", "direct"]
GATEWAY: Kind = "gateway"
DIRECT: Kind = "direct"
PROMPT = "numbered words, please"


class Tab(Chat):
    """A page of the app, watched. `view` is the person's, over crashes and reloads."""

    def __init__(self, page: Page, url: str, view: View) -> None:
        super().__init__(page, url)
        self.view = view
        view.watch(page)

    def start(self) -> Self:
        """Opens the app, asks, and returns when the first event is on screen."""
        self.open()
        self.send(PROMPT)
        self.until_seq(1)
        return self

    def refreshed(self) -> Self:
        """Reloads and returns when the engine is there."""
        self.reload()
        self.until_ready()
        return self

    def online(self, online: bool) -> None:
        """What the browser thinks, with its event. Nothing is cut by this: the proxies do that."""
        session = self.page.context.new_cdp_session(self.page)
        conditions = {"offline": not online, "latency": 0}
        unlimited = {"downloadThroughput": -1, "uploadThroughput": -1}
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", conditions | unlimited)

    def shell(self, state: str) -> None:
        self.page.wait_for_selector(f"html[data-shell={state}]", state="attached")

    def press(self, name: str) -> None:
        self.answer.locator(f"button[name={name}]").click()

    def settled(self) -> None:
        """Lets two frames pass, so that the last state is in the samples."""
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


class Stage:
    def __init__(self, house: House, kind: Kind, rate: float, folder: Path, *, installed: bool = False) -> None:
        self.house = house
        self.installed = installed  # the first tabs are of a profile that has the app already
        self.kind = kind
        self.rate = rate
        self.folder = folder
        self.views: list[View] = []
        self.tabs: list[Tab] = []
        self.expected: str | None = None  # what must have been said; None is the whole answer
        self.notes: list[str] = []
        self._exit = ExitStack()
        self._proxies: list[Proxy] = []
        self._cut_at = 0.0
        self._context: BrowserContext | None = None  # of the first device

    def close(self) -> None:
        self._exit.close()

    # -- servers

    @property
    def upstream(self) -> Replay:
        return self.house.upstream(self.rate)

    def own_upstream(self) -> Replay:
        """One whose log holds this scenario's requests only."""
        return self._exit.enter_context(replay(self.house.answer, rate=self.rate, chunk=CHUNK))

    def model(self) -> Model:
        """An upstream of its own that stops in the middle of its answer until it is told to go on."""
        return Model(self.own_upstream(), self._exit)

    @contextlib.contextmanager
    def server(self, port: int, upstream: Replay | Model, dist: Path | None = None) -> Iterator[Serve]:
        """A gateway of our own on this port; the same run log each time."""
        options = ["--port", f"{port}", "--upstream", upstream.url, "--allow-host", "127.0.0.1"]
        options += ["--store", f"sqlite:{self.folder / 'own.sqlite'}"]
        with serve(*options, "--dist", str(dist or self.house.dist)) as running:
            yield running

    def open_servers(self, upstream: Replay | Model | None = None, dist: Path | None = None) -> str:
        """Everything a tab needs; gives the app's URL, behind a proxy."""
        if self.kind == GATEWAY:
            if upstream is None:
                return self.front(self.house.app(self.upstream), dist)
            server = self.server(0, upstream, dist)
            return self.front(self._exit.enter_context(server), dist)
        endpoint = self.proxy((upstream or self.upstream).port)
        options = ["--direct", f"{endpoint.url}v1", "--allow-host", "127.0.0.1"]
        options += ["--dist", str(dist or self.house.dist)]
        return self.front(self._exit.enter_context(serve(*options)), dist)

    def front(self, app: Serve, dist: Path | None) -> str:
        """The address of the app for the tabs; another build has one that no profile knows."""
        if not self.installed or dist:
            return self.proxy(app.port).url
        home = self._exit.enter_context(self.house.home())
        self._proxies.append(home.line)
        self._context = home.context
        return home.show(app)

    def proxy(self, port: int) -> Proxy:
        proxy = self._exit.enter_context(Proxy(port))
        self._proxies.append(proxy)
        return proxy

    def cut(self) -> None:
        """From now on nothing goes through, and what was open ends in a reset."""
        for proxy in self._proxies:
            proxy.refuse()
            proxy.abort()
        self._cut_at = time.monotonic()

    def heal(self, after: float = 0) -> None:
        """Everything goes through again, `after` seconds since the cut at the earliest."""
        left = self._cut_at + after - time.monotonic()
        if left > 0:
            self.tabs[-1].page.wait_for_timeout(left * 1000)  # a scenario of its own length
        for proxy in self._proxies:
            proxy.accept()

    # -- tabs

    def context(self) -> BrowserContext:
        """A browser profile of its own: another device."""
        context = self.house.browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(PATIENCE_MS)
        self._exit.callback(context.close)
        return context

    def tab(
        self,
        url: str,
        *,
        instead_of: Tab | None = None,
        context: BrowserContext | None = None,
        begin: Callable[[Page], None] = lambda page: None,
    ) -> Tab:
        """A new tab. `instead_of`: the same person reopens what has crashed or was closed, and has seen its text."""
        if instead_of:
            self.tabs.remove(instead_of)
            context = context or instead_of.page.context
        if context is None:
            context = self._context = self._context or self.context()
        view = instead_of.view if instead_of else View()
        if not instead_of:
            self.views.append(view)
        page = context.new_page()
        begin(page)
        tab = Tab(page, url, view)
        self.tabs.append(tab)
        return tab

    def closed(self, tab: Tab) -> None:
        tab.settled()
        tab.page.close()
        self.tabs.remove(tab)

    # -- the end

    def result(self) -> Result:
        """Scores what all tabs show now and what was on screen all the while."""
        expected = self.house.answer.read_text() if self.expected is None else self.expected
        lost: set[str] = set()
        repeated: set[str] = set()
        for tab in self.tabs:
            tab.settled()
            wanted, found = words(expected), words(tab.text())
            # Counted, since an answer that was stopped may end in "w1" of "w17".
            lost |= set(Counter(wanted) - Counter(found))
            repeated |= set(Counter(found) - Counter(wanted))
            assert lost or repeated or found == wanted, "words are out of order"
        repeated |= {f"w{word}" for view in self.views for word in view.twice()}
        return Result(
            lost=sorted(lost, key=number),
            repeated=sorted(repeated, key=number),
            hole=max(view.hole() for view in self.views),
            first=[seconds for view in self.views for seconds in view.first_texts()],
            said=unique(line for view in self.views for line in view.said()),
            states=unique(state for view in self.views for state in view.states()),
            notes=self.notes,
        )


@dataclass(frozen=True)
class Result:
    """`lost` and `repeated` words; `hole`: the most words missing on screen in any sample; `first`: seconds to the
    first text after each reload; `said`: every line in words that was on screen, digits as #."""

    lost: list[str]
    repeated: list[str]
    hole: int
    first: list[float]
    said: list[str]
    states: list[str]
    notes: list[str]


def number(word: str) -> int:
    return int(word.removeprefix("w"))


def ask(url: str) -> Any:
    with urllib.request.urlopen(url) as response:
        return json.load(response)


def text_in_the_log(url: str) -> str:
    """What the gateway has of the only answer it ever wrote for the newest conversation."""
    newest = ask(f"{url}v1/conversations")["data"][0]
    run = ask(f"{url}v1/conversations/{newest['id']}")["runs"][0]
    return str(ask(f"{url}v1/runs/{run['id']}")["text"])


class Builds:
    """A served folder with the built app that can be exchanged for the next version, as a deployment does it."""

    def __init__(self, dist: Path, folder: Path) -> None:
        self.folder = folder / "served"
        self._next = folder / "next"
        shutil.copytree(dist, self.folder)
        shutil.copytree(dist, self._next)
        self.mark = "/* the next version */"
        style = self._next / "style.css"
        style.write_text(style.read_text() + self.mark)
        worker = self._next / "sw.js"
        build = json.loads(worker.read_text().split(MARKER)[1])
        build["version"] = "next"
        for entry in build["shell"]:
            if entry["url"] == style.name:
                entry |= {"hash": integrity(style.read_bytes()), "size": style.stat().st_size}
        for changed in (style, worker):  # they would be sent compressed as they were
            changed.with_name(f"{changed.name}.br").unlink(missing_ok=True)
        substitute(worker, build)

    def switch(self) -> None:
        swap(self._next, self.folder)
