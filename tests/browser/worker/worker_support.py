"""Drives the real service worker by the fetches that the engine makes, from a page of the app without its Python."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.screen_support import Site
from tests.support.patience import PATIENCE_MS

BARE = "bare.html"
# Everything a page keeps for a test hangs on this; a reload forgets it, as it does with an engine.
ASK = """
async ([method, path, body]) => {
  const response = await fetch(path, {method, body: body ?? undefined});
  return {
    status: response.status, headers: Object.fromEntries(response.headers), text: await response.text(),
  };
}
"""
FOLLOW = """
async ([method, path, body]) => {
  const response = await fetch(path, {method, body: body ?? undefined});
  const read = {headers: Object.fromEntries(response.headers), status: response.status, text: '', over: false};
  window.read = read;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  (async () => {
    for (;;) {
      const {done, value} = await reader.read();
      if (done) break;
      read.text += value;
    }
    read.over = true;
  })().catch((error) => (read.over = String(error)));
  return {headers: read.headers, status: read.status};
}
"""
UNTIL = """
(look) => new Promise((resolve, reject) => {
  const late = setTimeout(() => reject(new Error('never')), PATIENCE);
  const again = async () => {
    const found = await (LOOK)();
    if (found) { clearTimeout(late); resolve(found); } else setTimeout(again, 20);
  };
  again();
})
"""
# Only if it is there: opening a database that is not makes an empty one, and the worker's stores would never be made.
ROWS = """
async (without) => {
  const found = {spools: [], chunks: [], outbox: []};
  if (!(await indexedDB.databases()).some(({name}) => name === 'midstream-sw')) return found;
  const request = indexedDB.open('midstream-sw');
  const database = await new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
  for (const name of database.objectStoreNames) {
    if (name === without) continue;
    const all = database.transaction(name).objectStore(name).getAll();
    await new Promise((resolve) => (all.onsuccess = resolve));
    found[name] = all.result.map((row) => row.bytes ? {...row, bytes: new TextDecoder().decode(row.bytes)} : row);
  }
  database.close();
  return found;
}
"""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str = ""

    @property
    def state(self) -> str:
        return self.headers.get("midstream-spool", "")

    def json(self) -> Any:
        return json.loads(self.text)


class Client:
    """A page that the service worker controls."""

    def __init__(self, context: BrowserContext, url: str, page: str = BARE) -> None:
        self.context = context
        self.url = url
        self.page: Page = context.new_page()
        self.page.goto(url + page)
        self.until("() => navigator.serviceWorker.controller !== null")

    def reload(self) -> Client:
        self.page.reload()
        return self

    def ask(self, method: str, path: str, value: Any = None) -> Answer:
        """The whole answer."""
        body = None if value is None else json.dumps(value)
        return Answer(**self.page.evaluate(ASK, [method, self.url + path, body]))

    def follow(self, method: str, path: str, value: Any = None) -> Answer:
        """The answer without its body, which is read on in the page: see `text`."""
        body = None if value is None else json.dumps(value)
        return Answer(**self.page.evaluate(FOLLOW, [method, self.url + path, body]))

    def text(self) -> str:
        return str(self.page.evaluate("window.read.text"))

    def until(self, look: str) -> Any:
        """What the function gives once that is true."""
        return self.page.evaluate(UNTIL.replace("LOOK", look).replace("PATIENCE", str(PATIENCE_MS)), None)

    def until_text(self, characters: int) -> str:
        self.until(f"() => window.read.text.length >= {characters}")
        return self.text()

    def until_over(self) -> str:
        assert self.until("() => window.read.over") is True
        return self.text()

    def rows(self, without: str = "") -> dict[str, list[dict[str, Any]]]:
        """What the service worker has stored, of all stores but one."""
        found: dict[str, list[dict[str, Any]]] = self.page.evaluate(ROWS, without)
        return found

    def sync(self, tag: str) -> None:
        """What the browser does when it believes that there is a network again.

        It tells of its registrations when it has read them from its disk, which `enable` does not
        wait for.
        """
        session = self.context.new_cdp_session(self.page)
        found: list[str] = []
        session.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda event: found.extend(row["registrationId"] for row in event["registrations"]),
        )
        session.send("ServiceWorker.enable")
        late = time.monotonic() + PATIENCE_MS / 1000
        while not found:
            assert time.monotonic() < late, "the browser told no registration"
            self.page.wait_for_timeout(20)  # events come while one waits
        origin = self.page.evaluate("origin")
        for registration in found:
            event = {"origin": origin, "registrationId": registration}
            session.send("ServiceWorker.dispatchSyncEvent", {**event, "tag": tag, "lastChance": False})
        session.detach()

    def stop_worker(self) -> None:
        """Ends the service worker as the browser does with one that it takes for idle."""
        session = self.context.new_cdp_session(self.page)
        session.send("ServiceWorker.enable")
        session.send("ServiceWorker.stopAllWorkers")
        session.detach()

    def forget_all(self) -> None:
        """Nothing is live or stored afterwards."""
        rows = self.rows(without="chunks")
        for part, store in (("spool", "spools"), ("outbox", "outbox")):
            for row in rows[store]:
                self.ask("DELETE", f"{part}/{row['key']}")


@contextlib.contextmanager
def installed(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """A browser profile in which the app with its service worker is at home. Further pages need not be the app."""
    site.mock_pyscript()
    site.files[BARE] = b"<!doctype html><title>A page</title>"
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    Client(context, site.url, "").page.close()
    yield context
    context.close()
