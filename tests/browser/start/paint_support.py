"""A page of the service worker whose own scripts wait: what it has printed can be looked at alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, expect

from tests.browser.screen_support import STORE_JS, Screen, Site, saved_rows

REGISTER_JS = """
async () => {
  await navigator.serviceWorker.register('../sw.js', {type: 'module', updateViaCache: 'none'});
  const controlled = new Promise(done => (navigator.serviceWorker.oncontrollerchange = done));
  if (!navigator.serviceWorker.controller) await controlled;
}
"""
# The screen comes when a test says so.
GATE = "await (window.wait ??= new Promise(done => (window.letIn = done)));"
SCREEN = f"{GATE} await import('./behind.js');"
EARLY = f"{GATE} export const {{ catalogue, start, stored }} = await import('./early-behind.js');"
# From the first frame on: how far elements have moved by themselves, and which nodes came or went.
WATCH_JS = """
window.shifts = [];
window.changed = [];
new PerformanceObserver(list => shifts.push(...list.getEntries().map(({value, sources}) =>
  `${value} ${sources.map(({node}) => node?.parentElement?.outerHTML.slice(0, 200))}`)))
  .observe({type: 'layout-shift', buffered: true});
window.watchNodes = () => {
  const seen = new MutationObserver(records => changed.push(...records.flatMap(
    ({addedNodes, removedNodes}) => [...addedNodes, ...removedNodes].map(node => node.nodeName))));
  for (const part of document.querySelectorAll('[data-part=transcript]'))
    seen.observe(part, {childList: true, subtree: true});
};
"""


class Painted(Screen):
    """One page; its articles are printed by the service worker."""

    def __init__(self, browser: Browser, site: Site, **options: Any) -> None:
        super().__init__(browser, site, viewport={"width": 1280, "height": 800}, **options)
        self.page.goto(site.url + "icons/icon.svg")  # a page of the same origin with no policy
        self.page.evaluate(REGISTER_JS)
        self.page.add_init_script(WATCH_JS)

    def store(self, rows: list[list[Any]]) -> Painted:
        self.page.goto(self.site.url + "icons/icon.svg")
        return self.add(rows)

    def add(self, rows: list[list[Any]]) -> Painted:
        self.page.evaluate(STORE_JS, rows)
        return self

    def see(self, query: str = "?c=c1") -> Painted:
        """The page as it is printed, without any module of the screen."""
        self.goto(query)
        expect(self.page.locator("article").last).to_be_visible()
        return self

    def let_in(self) -> Painted:
        self.page.evaluate("letIn()")
        expect(self.html).to_have_attribute("data-paint", "done")
        return self

    def until(self, look: str) -> None:
        """Asked anew until it is true: the policy of the page forbids Playwright's own way."""
        self.page.evaluate(
            f"new Promise(done => {{ const look = () => ({look}) ? done() : setTimeout(look, 20); look(); }})"
        )

    def shifts(self) -> list[str]:
        moved: list[str] = self.page.evaluate("new Promise(requestAnimationFrame).then(() => shifts)")
        return moved

    def top(self) -> float:
        top: float = self.part("scroller").evaluate("e => e.scrollTop")
        return top

    def below(self) -> float:
        below: float = self.part("scroller").evaluate("e => e.scrollHeight - e.clientHeight - e.scrollTop")
        return below


@contextmanager
def painted(browser: Browser, script: str = SCREEN, **options: Any) -> Iterator[Painted]:
    site = Site()
    site.mock_engine()
    site.files["screen/behind.js"] = site.content("screen/main.js")
    site.files["screen/main.js"] = script.encode()
    site.files["screen/early-behind.js"] = site.content("screen/preload.js")
    site.files["screen/preload.js"] = EARLY.encode()
    site.build("1")
    page = Painted(browser, site, **options)
    try:
        yield page
        assert page.problems == []
    finally:
        page.close()
        site.stop()


def many(answers: list[list[list[list[Any]]]], state: str = "complete", conversation: str = "c1") -> list[list[Any]]:
    """Rows of a conversation with these answers: the patches of each."""
    rows: list[list[Any]] = [["conversations", {"id": conversation, "title": "Tides", "created": 1, "updated": 2}]]
    for k, patches in enumerate(answers, 1):
        for store, row in saved_rows(*patches, state=state)[1:]:
            named = dict(row)
            for key in ("id", "message"):
                if key in named:
                    named[key] = f"{named[key][0]}{k}" if conversation == "c1" else f"{named[key][0]}-{k}"
            if store == "messages":
                named |= {
                    "conversation": conversation,
                    "position": 2 * k + (named["author"] == "assistant"),
                }
            rows.append([store, named])
    return rows
