"""One page in a real Chromium with a profile of its own: what it marks, paints and transfers."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.browser.conftest import FLAGS
from tests.support.patience import PATIENCE_MS
from tests.support.proxy import Proxy

# In every document, before its own scripts. The moment at which text of an answer was first on
# screen is that of the first candidate for the largest paint which lies in an answer.
WATCH = """
window.bench = {long: [], text: null};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.bench.long.push(Math.round(entry.duration));
}).observe({type: 'longtask', buffered: true});
new PerformanceObserver((list) => {
  for (const {element, renderTime} of list.getEntries()) {
    if (element?.closest('[data-part=content]')) window.bench.text ??= renderTime;
  }
}).observe({type: 'largest-contentful-paint', buffered: true});
"""

_UNTIL = """
(name) => new Promise((resolve) => {
  const look = () => {
    const [mark] = performance.getEntriesByName(name);
    if (mark) resolve(mark.startTime); else setTimeout(look, 5);
  };
  look();
})
"""


class Meter(Proxy):
    """Counts what a browser is sent, and when."""

    def __init__(self, target: int) -> None:
        super().__init__(target)
        self.log: list[tuple[float, int]] = []

    def _received(self, data: bytes) -> None:
        super()._received(data)
        self.log.append((time.time(), len(data)))

    def until(self, moment: float) -> int:
        return sum(length for at, length in self.log if at <= moment)


@contextlib.contextmanager
def profile(folder: Path, *flags: str) -> Iterator[BrowserContext]:
    """A browser with a profile on disk: only such a one keeps compiled code between visits."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(folder),
            executable_path=path,
            args=[*FLAGS, *flags],
            viewport={"width": 1280, "height": 800},
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(WATCH)
        yield context
        context.close()


def reload(page: Page, mark: str | None) -> dict[str, Any]:
    """A reload until `mark` (or the load event) and the paint of an answer's text, in ms since the
    navigation began."""
    if mark is None:
        page.reload(wait_until="load")
        marked = None
    else:
        page.reload(wait_until="commit")
        marked = page.evaluate(_UNTIL, mark)
    return {"mark": marked, **looked(page)}


def looked(page: Page) -> dict[str, Any]:
    """First contentful paint, paint of an answer's text, long tasks of all documents so far."""
    paint = page.evaluate(
        """() => ({
          first: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null,
          text: window.bench.text,
          origin: performance.timeOrigin,
        })"""
    )
    long = [each for frame in page.frames for each in frame.evaluate("window.bench?.long ?? []")]
    return {**paint, "long": long}


def machine_code(page: Page) -> int:
    """Bytes of kept machine code that a reload of the page uses for Python, 0 when there is none."""
    found: list[dict[str, Any]] = []
    ended: list[object] = []
    tracing = page.context.new_cdp_session(page)
    tracing.on("Tracing.dataCollected", lambda message: found.extend(message["value"]))
    tracing.on("Tracing.tracingComplete", lambda message: ended.append(message))
    config = {"includedCategories": ["disabled-by-default-devtools.timeline"]}
    tracing.send("Tracing.start", {"transferMode": "ReportEvents", "traceConfig": config})
    reload(page, "midstream:engine")
    tracing.send("Tracing.end")
    while not ended:
        page.wait_for_timeout(50)
    if any(event["name"] == "v8.wasm.moduleCacheInvalid" for event in found):
        return 0
    hits = [event["args"] for event in found if event["name"] == "v8.wasm.moduleCacheHit"]
    return max((int(hit["consumedCacheSize"]) for hit in hits), default=0)


def way(page: Page) -> str:
    """How Python was started (web/engine/pyodide/boot.mjs)."""
    for worker in page.workers:
        with contextlib.suppress(Exception):  # a worker of another kind, or one that is going
            if isinstance(found := worker.evaluate("globalThis.midstreamBoot"), str):
                return found
    return ""
