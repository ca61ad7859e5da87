"""How long the service worker holds an upstream's connection: `python -m tests.browser.lifetime [seconds]`.

Every case has an origin, and so a service worker, of its own; they run side by side in one browser.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from pathlib import Path

from tests.browser.lifetime.reading import PING_MS, Reader, begin, prepared
from tests.browser.screen_support import Site
from tests.support.cdp import Chromium
from tests.support.servers.scripted import Call, Scripted

# What a service worker that only passes requests on does.
PLAIN = b"""
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  if (!event.request.url.includes('/spool/')) return;
  event.respondWith(event.request.json().then(async ({url, body}) => {
    const {body: stream} = await fetch(url, {method: 'POST', body});
    const reader = stream.getReader();
    (async () => { while (!(await reader.read()).done); })().catch(() => {});
    return new Response('one ');
  }));
});
"""
CASES = (  # what, milliseconds between pings, reading goes on, hidden, page closed
    ("an in-flight fetch alone, page open", 0, False, False, False),
    ("spool, read, pings, page visible", PING_MS, True, False, False),
    ("spool, read, pings, page hidden", PING_MS, True, True, False),
    ("spool, read, no pings, page open", 0, True, True, False),
    ("spool, nobody reads, page open", 0, False, True, False),
    ("spool, page closed", PING_MS, True, False, True),
)


def started(stack: contextlib.ExitStack, browser: Chromium, case: tuple[str, int, bool, bool, bool]) -> Call:
    what, ping, read, hidden, closed = case
    site = stack.enter_context(prepared())
    upstream = stack.enter_context(Scripted())
    if not what.startswith("spool"):
        return _plain(browser, site, upstream)
    Reader.install(browser, site)
    reader = Reader(browser, site, hidden=hidden)
    call = begin(reader, upstream, ping=ping)
    if closed:
        reader.tab.close()
    elif not read:
        reader.tab.reload()
    return call


def _plain(browser: Chromium, site: Site, upstream: Scripted) -> Call:
    site.files["sw.js"] = PLAIN
    Reader.install(browser, site)
    reader = Reader(browser, site, hidden=True)
    reader.ask("POST", "spool/k1", {"url": upstream.url, "body": "{}"})
    return upstream.call(1)


def main(limit: float) -> None:
    with contextlib.ExitStack() as stack:
        profile = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        browser = stack.enter_context(Chromium(profile / "profile"))
        calls = [(case, started(stack, browser, case), time.monotonic()) for case in CASES]
        lived: dict[str, float] = {}
        end = time.monotonic() + limit
        while time.monotonic() < end and len(lived) < len(calls):
            for (what, *_), call, begun in calls:
                if what not in lived and call.left_within(0.1):
                    lived[what] = time.monotonic() - begun
        print(f"{'case':<40} connection held for")
        for (what, *_), _, begun in calls:
            still = f"{time.monotonic() - begun:.0f} s and on"
            print(f"{what:<40} {f'{lived[what]:.0f} s' if what in lived else still}")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 420.0)
