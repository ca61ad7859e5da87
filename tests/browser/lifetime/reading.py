"""A page that reads a spool from a worker of its own and pings the service worker, as the engine does, under a debugger
that is attached to the page only."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from tests.browser.screen_support import Site
from tests.browser.worker.worker_support import ROWS
from tests.support.cdp import Chromium, Tab
from tests.support.servers.scripted import Call, Scripted

PING_MS = 12_000  # as py/midstream/engine/transport/spool_client.py has it
PAGE = "page.xhtml"
READER = """
onmessage = async ({data: [base, method, path, body, ping]}) => {
  if (ping) setInterval(() => fetch(`${base}spool/ping`, {method: 'POST'}), ping);
  const response = await fetch(base + path, {method, body});
  const head = {status: response.status, state: response.headers.get('midstream-spool'), text: '', over: false};
  postMessage(head);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return postMessage({...head, over: true});
    head.text += value;
    postMessage(head);
  }
};
"""
FOLLOW = """
(message) => {
  window.read = null;
  const worker = new Worker('reader.js');
  worker.onmessage = ({data}) => (window.read = data);
  worker.postMessage([new URL('./', location.href).href, ...message]);
}
"""


@contextlib.contextmanager
def prepared() -> Iterator[Site]:
    """A site whose page.xhtml can be a reader; the app's policy would not let it start a worker."""
    site = Site()
    site.mock_pyscript()
    site.files[PAGE] = b'<html xmlns="http://www.w3.org/1999/xhtml"><title>A reader</title></html>'
    site.files["reader.js"] = READER.encode()
    try:
        yield site
    finally:
        site.stop()


class Reader:
    """One tab. The app has to have been opened there once, for its service worker: see `install`."""

    def __init__(self, browser: Chromium, site: Site, *, hidden: bool = False) -> None:
        self.tab: Tab = browser.open(site.url + PAGE, hidden)
        self.tab.until("navigator.serviceWorker.controller !== null")

    @classmethod
    def install(cls, browser: Chromium, site: Site) -> None:
        tab = browser.open(site.url)
        tab.until("navigator.serviceWorker.controller !== null")
        tab.close()

    def follow(self, method: str, path: str, value: Any = None, ping: int = PING_MS) -> None:
        """Reads the answer in the page's worker from now on; `ping` in ms, 0 for none."""
        message = [method, path, None if value is None else json.dumps(value), ping]
        self.tab.evaluate(f"({FOLLOW})({json.dumps(message)})")

    def until_text(self, text: str) -> None:
        self.tab.until(f"window.read?.text === {json.dumps(text)}")

    def state(self) -> str:
        return str(self.tab.until("window.read?.state"))

    def ask(self, method: str, path: str, value: Any = None) -> int:
        """The status of the answer."""
        body = "undefined" if value is None else json.dumps(json.dumps(value))
        options = f"{{method: {json.dumps(method)}, body: {body}}}"
        return int(self.tab.evaluate(f"fetch({json.dumps(path)}, {options}).then((r) => r.status)"))

    def until_stored(self, size: int) -> None:
        self.tab.until(f"({ROWS})('chunks').then((rows) => rows.spools.some((row) => row.size >= {size}))")


def begin(reader: Reader, upstream: Scripted, key: str = "k1", ping: int = PING_MS) -> Call:
    """An answer of which `one ` has come and is stored."""
    reader.follow("POST", f"spool/{key}", {"url": upstream.url, "headers": {}, "body": "{}"}, ping)
    call = upstream.call(len(upstream.calls) or 1)
    call.send(b"one ")
    reader.until_text("one ")
    reader.until_stored(4)
    return call
