"""What several scenarios share: a browser, the built app, an upstream for each rate, gateways that nobody harms."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import FLAGS, PROJECT, numbered_answer
from tests.browser.home import Home, furnished
from tests.support.patience import PATIENCE_MS
from tests.support.processes import Replay, Serve, replay, serve

CHUNK = 6  # characters per event of the upstream


@dataclass
class House:
    browser: Browser
    dist: Path
    answer: Path
    folder: Path
    homes: list[Home] = field(default_factory=list)  # nobody's at the moment
    _exit: ExitStack = field(default_factory=ExitStack)
    _upstreams: dict[float, Replay] = field(default_factory=dict)
    _apps: dict[str, Serve] = field(default_factory=dict)

    def __enter__(self) -> House:
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def upstream(self, rate: float) -> Replay:
        """`rate` in tokens per second."""
        if rate not in self._upstreams:
            running = replay(self.answer, rate=rate, chunk=CHUNK)
            self._upstreams[rate] = self._exit.enter_context(running)
        return self._upstreams[rate]

    def app(self, upstream: Replay) -> Serve:
        """A gateway that is not to be harmed."""
        if upstream.url not in self._apps:
            store = f"sqlite:{self.folder / f'shared-{len(self._apps)}.sqlite'}"
            options = ("--upstream", upstream.url, "--store", store, "--dist", str(self.dist))
            running = serve(*options, "--allow-host", "127.0.0.1")
            self._apps[upstream.url] = self._exit.enter_context(running)
        return self._apps[upstream.url]

    @contextmanager
    def home(self) -> Iterator[Home]:
        """A profile with the app, for one scenario at a time."""
        if self.homes:
            home = self.homes.pop()
        else:
            making = furnished(self.browser, self.dist, PATIENCE_MS)
            home = self._exit.enter_context(making)
        yield home
        home.tidy()
        self.homes.append(home)


@contextmanager
def at_home() -> Iterator[House]:
    """A house outside of pytest; dist/ is the checkout's, or $MIDSTREAM_DIST."""
    dist = Path(os.environ.get("MIDSTREAM_DIST", PROJECT / "dist"))
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        answer = Path(folder) / "answer.md"
        answer.write_text(numbered_answer())
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        with House(browser, dist, answer, Path(folder)) as house:
            yield house
        browser.close()
