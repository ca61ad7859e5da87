"""A browser profile in which the app is at home, for tests that are not about a first visit.

A first visit costs more of the processor than most of what is tested after it: the app is fetched and stored, and
Python compiled and kept as a snapshot. So one is made for many tests. What a test has written is taken away after it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext

from tests.browser.start.snapshots import UNTIL_KEPT
from tests.support.processes import Serve, serve
from tests.support.proxy import Proxy

EMPTY = "icons/icon.svg"  # a page of the same origin that runs nothing
# The address stays and its server changes: the next one has a config.json of its own.
FORGET_CONFIG = """async () => {
  const config = new URL('../config.json', location);
  for (const name of await caches.keys()) await (await caches.open(name)).delete(config);
}"""


@dataclass
class Home:
    """The app is at `line`; which server is behind that changes with each test."""

    context: BrowserContext
    line: Proxy
    dist: Path

    @property
    def url(self) -> str:
        return self.line.url

    def show(self, app: Serve) -> str:
        """The address of a server that was started with `--allow-host 127.0.0.1`."""
        self.line.target = app.port
        self.line.abort()  # a browser keeps connections, and would go on with the server before
        return self.url

    @contextlib.contextmanager
    def serve(self, *options: str) -> Iterator[Serve]:
        """A server behind the line; its `url` is that of the line."""
        with serve(*options, "--dist", str(self.dist), "--allow-host", "127.0.0.1") as running:
            running.url = self.show(running)
            yield running

    def tidy(self) -> None:
        """Nothing is open, at work or stored any more but the app itself."""
        self.line.accept()
        for page in self.context.pages:
            page.close()
        page = self.context.new_page()
        page.goto(self.url + EMPTY)
        page.evaluate(FORGET_CONFIG)
        session = self.context.new_cdp_session(page)
        session.send("ServiceWorker.enable")
        session.send("ServiceWorker.stopAllWorkers")
        what = {"origin": self.url.rstrip("/"), "storageTypes": "cookies,indexeddb,local_storage"}
        session.send("Storage.clearDataForOrigin", what)
        page.close()


@contextlib.contextmanager
def furnished(browser: Browser, dist: Path, patience_ms: float) -> Iterator[Home]:
    with Proxy(0) as line:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(patience_ms)
        home = Home(context, line, dist)
        with home.serve("--static-only"):
            page = context.new_page()
            page.goto(home.url)
            page.wait_for_selector("html[data-shell=offline-ready]", state="attached")
            page.evaluate(UNTIL_KEPT)
            home.tidy()
        yield home
        context.close()
