"""How the page starts and paints, beside a static page and plain PyScript, in one run.

    python3 build.py bench shell

`ready`      reload until Python answers ÷ the same of PyScript in a worker with micropip installs
`text`       reload until the answer's text is on screen ÷ the same text as static HTML, from the
             same service worker
`long`       main-thread tasks over 50 ms while it starts, in ms
`code`       machine code of Python that the browser has kept and uses, in bytes
`first`      what a first visit transfers, in bytes: in all, and before its first paint
`lighthouse` its categories, of 100

All in Chromium with a profile on disk; times in ms after the navigation began, medians.
"""

from __future__ import annotations

import contextlib
import itertools
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.bench.shell import lighthouse, sites, visits
from tests.browser.start.snapshots import KEPT
from tests.support.processes import Serve, replay, serve

KILOBYTES = 30  # of the stored answer
PRIMING = 3  # visits until the browser has compiled and kept what it will
PRIMING_MS = 3000  # each: it keeps machine code some seconds after it has made it
REST_MS = 1500  # what a site still does after it is there must not meet the next one's visit
ORDERS = list(itertools.permutations(("ours", "static", "peer")))
QUIET_MS = 3000  # after which a visit counts as having fetched all it wants
SNAPSHOT_S = 60  # the page makes it some seconds after its start


def measure(quick: bool) -> dict[str, Any]:
    rounds = 6 if quick else 18
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as exit:
        folder = Path(name)
        markdown = sites.answer(KILOBYTES)
        (folder / "answer.md").write_text(markdown)
        sites.ours(folder / "dist", markdown)
        sites.peer(folder / "peer")
        app = exit.enter_context(_app(folder))
        peer = exit.enter_context(sites.served(folder / "peer"))
        first = _first_visit(folder, app)
        with visits.profile(folder / "profile") as context:
            figures = _reloads(context, app.url, peer, rounds)
        # In a browser of its own, with the profile of the other: it wants the only tab.
        with visits.profile(folder / "profile", "--remote-debugging-port=0"):
            scores = lighthouse.scores(lighthouse.port(folder / "profile"), app.url, folder)
        return {**figures, "first": first, "lighthouse": scores}


@contextlib.contextmanager
def _app(folder: Path) -> Iterator[Serve]:
    options = ["--dist", str(folder / "dist"), "--store", f"sqlite:{folder / 'log.db'}"]
    with (
        replay(folder / "answer.md", rate=2000, chunk=40) as upstream,
        serve("--upstream", upstream.url, "--allow-host", "127.0.0.1", *options) as app,
    ):
        yield app


def _first_visit(folder: Path, app: Serve) -> dict[str, Any]:
    """A browser that has never been here, until nothing more is fetched."""
    with visits.Meter(app.port) as meter, visits.profile(folder / "first") as context:
        page = context.pages[0]
        page.goto(meter.url)
        page.wait_for_selector("html[data-shell=offline-ready]", state="attached")
        _until_quiet(page, lambda: meter.down)
        looked = visits.looked(page)
        painted = (looked["origin"] + looked["first"]) / 1000
        return {
            "bytes": meter.down,
            "bytes_before_paint": meter.until(painted),
            "long": sorted(looked["long"], reverse=True),
        }


def _until_quiet(page: Page, count: Callable[[], int]) -> None:
    before = -1
    while before != (before := count()):
        page.wait_for_timeout(QUIET_MS)


def _reloads(context: BrowserContext, ours: str, peer: str, rounds: int) -> dict[str, Any]:
    _answered(context.pages[0], ours)
    tabs = {"ours": context.pages[0], "static": context.new_page(), "peer": context.new_page()}
    tabs["static"].goto(ours + sites.STATIC)
    tabs["peer"].goto(peer)
    marks = {"ours": "midstream:engine", "static": None, "peer": "peer:ready"}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in tabs}
    for number in range(PRIMING + rounds):
        # In turns: what the machine does meets all three. And each comes after each other one equally
        # often: the browser still works for a heavy page when the next one is visited.
        for name in ORDERS[number % len(ORDERS)]:
            page = tabs[name]
            page.bring_to_front()
            visit = visits.reload(page, marks[name])
            page.wait_for_timeout(PRIMING_MS if number < PRIMING else REST_MS)
            visit |= visits.looked(page)
            if number >= PRIMING:
                found[name].append(visit)
    started = visits.way(tabs["ours"])
    tabs["ours"].bring_to_front()
    code = visits.machine_code(tabs["ours"])
    for page in (tabs["static"], tabs["peer"]):
        page.close()
    return {**_figures(found), "way": started, "code": code}


def _answered(page: Page, url: str) -> None:
    """One whole answer stands there, everything is stored, and Python has its snapshot."""
    page.goto(url)
    page.wait_for_selector("html[data-engine=ready]", state="attached")
    page.fill("textarea[name=prompt]", sites.PROMPT)
    page.click("button[name=send]")
    page.wait_for_selector("article[data-author=assistant][data-state=complete]")
    page.wait_for_selector("html[data-shell=offline-ready]", state="attached")
    for _ in range(SNAPSHOT_S):
        if page.evaluate(KEPT):
            return
        page.wait_for_timeout(1000)
    raise AssertionError("the browser has made no snapshot")


def _figures(found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    def median(name: str, what: str) -> float:
        values = [visit[what] for visit in found[name] if visit[what] is not None]
        return round(statistics.median(values), 1) if values else float("nan")

    ready, plain = median("ours", "mark"), median("peer", "mark")
    text, static = median("ours", "text"), median("static", "text")
    return {
        "ready": {"ours": ready, "pyscript": plain, "ratio": round(ready / plain, 3)},
        "text": {"ours": text, "static": static, "ratio": round(text / static, 3)},
        "first_paint": {"ours": median("ours", "first"), "static": median("static", "first")},
        "long": sorted((ms for visit in found["ours"] for ms in visit["long"]), reverse=True)[:10],
        "rounds": len(found["ours"]),
    }
