"""Reading and writing in a long conversation, in one run, each beside a floor of the same browser.

    python3 build.py bench reading

`open`    500 messages, 1 MB: until text stands there, until all of it does, until Python answers
`scroll`  frames per second while it is scrolled upwards, and the longest frame; beside a page that
          scrolls one line of text
`typing`  from a key to the frame that shows it, at 4x processor throttle: alone, and while an answer
          streams, below 500 messages and in a new chat; beside a page of one line, and beside a plain page of the same
          text to which a script adds words at the same rate (`ratio`: of the two p95)

All in Chromium with a profile on disk; times in ms.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from midstream.engine.transfer import archive
from midstream.journal import Change, MemoryStore, Row
from midstream.markdown import VERSION, Parser
from tests.bench.measure import document
from tests.bench.shell import visits
from tests.browser.conftest import PROJECT
from tests.support.processes import Serve, replay, serve

PAIRS = 250
ANSWER = 4000  # characters
THROTTLE = 4
KEYS = 60
RATE = 30  # tokens per second
CHUNK = 4  # characters of a token
GAP_MS = 120  # a fast typist
# A wheel turn per frame, upwards, and how long each frame took.
_SCROLL = """
(seconds) => new Promise((resolve) => {
  const box = document.querySelector('[data-part=scroller]') ?? document.scrollingElement;
  const gaps = [];
  let before = performance.now();
  const until = before + seconds * 1000;
  const frame = (now) => {
    gaps.push(now - before);
    before = now;
    box.scrollTop -= 120;
    if (now < until) requestAnimationFrame(frame);
    else resolve(gaps.slice(1));
  };
  requestAnimationFrame(frame);
})
"""
# One observer for a page, however often it is asked: a second one would count each key twice.
_KEYS = """
() => {
  window.keys = [];
  window.keyed ??= new PerformanceObserver((list) => {
    for (const { name, duration } of list.getEntries()) if (name === 'keydown') window.keys.push(duration);
  });
  window.keyed.observe({ type: 'event', durationThreshold: 16, buffered: false });
}
"""
_TEXT = "() => document.querySelector('[data-part=transcript]').innerHTML"
# What a page without any art does with a stream: it appends and scrolls to the end.
_PLAIN = """
([text, rate, units]) => {
  document.body.innerHTML = '<main style="height: 80vh; overflow-y: auto"></main><textarea></textarea>';
  const main = document.querySelector('main');
  main.innerHTML = text + '<p></p>';
  setInterval(() => {
    main.lastElementChild.append('for '.repeat(units / 4));
    main.scrollTop = main.scrollHeight;
  }, 1000 / rate);
}
"""
_FLOOR = "data:text/html,<body style='height:60000px;margin:0'><p>One line</p><textarea></textarea>"


def measure(quick: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as exit:
        folder = Path(name)
        (folder / "all.json").write_text(asyncio.run(_conversation()), encoding="utf-8")
        (folder / "answer.md").write_text(document("mixed", 60_000))
        app = exit.enter_context(_app(folder))
        context = exit.enter_context(visits.profile(folder / "profile"))
        page = context.pages[0]
        _prepared(page, app.url, folder / "all.json")
        opened = [_opened(page) for _ in range(3 if quick else 7)]
        floor = context.new_page()
        floor.goto(_FLOOR)
        floor.evaluate("scrollTo(0, document.body.scrollHeight)")
        scrolled = {"floor": _scrolled(floor), "500 messages": _scrolled(page)}
        typed = {"floor": _typed(floor)}
        floor.close()
        page.bring_to_front()
        page.get_by_role("button", name="Go to the end").click()
        typed["alone"] = _typed(page)
        typed["streaming"] = _typed(_streaming(page))
        page.locator("button[name=stop]").click()
        page.locator("article[data-state=stopped]").wait_for()
        text = page.evaluate(_TEXT)
        page.locator("nav button[name=new]").click()
        typed["streaming, new chat"] = _typed(_streaming(page))
        page.close()
        typed["plain page, streaming"] = _typed(_plain(context, text))
        ratio = typed["streaming"]["p95"] / typed["plain page, streaming"]["p95"]
        typed["ratio"] = {"p95": round(ratio, 2)}
        medians = {key: round(statistics.median(one[key] for one in opened)) for key in opened[0]}
        return {"open": medians, "scroll": scrolled, "typing": typed}


async def _conversation() -> str:
    """The file of a conversation as the app saves it."""
    store = MemoryStore()
    change = Change().put("conversations", {"id": "long", "title": "Long", "created": 1, "updated": 1})
    text = document("mixed", PAIRS * ANSWER)
    for n in range(PAIRS):
        common = {"conversation": "long", "created": 1, "runs": []}
        question = {"id": f"q{n}", "position": 2 * n, "author": "user", "text": f"Question {n}?"}
        change.put("messages", common | question | {"state": "complete"})
        answer = {"id": f"a{n}", "position": 2 * n + 1, "author": "assistant", "question": f"q{n}"}
        ended = {"state": "complete", "tokens": ANSWER // 4, "seconds": 9, "parser": VERSION}
        endpoint = {"name": "Demo", "kind": "demo", "url": "", "model": ""}
        run = {"key": f"q{n}.a{n}.0", "run": None, "seq": 1, "endpoint": endpoint}
        change.put("messages", common | answer | ended | {"runs": [run]})
        part, parser = text[n * ANSWER : (n + 1) * ANSWER], Parser()
        ops = parser.feed(part) + parser.finish()
        row = Row(f"a{n}", 1, 0, 1, 1, text=part, tokens=ANSWER // 4, ops=ops, whole=True)
        change.put("journal", row.record())
    await store.commit(change)
    return archive.encode(await archive.everything(store))


@contextlib.contextmanager
def _app(folder: Path) -> Iterator[Serve]:
    options = ["--dist", str(PROJECT / "dist"), "--store", f"sqlite:{folder / 'log.db'}"]
    with (
        replay(folder / "answer.md", rate=RATE, chunk=CHUNK) as upstream,
        serve("--direct", upstream.url, *options) as app,
    ):
        yield app


def _prepared(page: Page, url: str, file: Path) -> None:
    page.goto(url)
    page.locator("html[data-engine=ready][data-shell=offline-ready]").wait_for(state="attached")
    page.locator("input[name=file]").set_input_files(file)
    page.locator("nav [data-conversation]").first.click()
    page.wait_for_function(f"() => document.querySelectorAll('article').length === {2 * PAIRS}")
    page.wait_for_timeout(8000)  # the browser's own snapshot


def _opened(page: Page) -> dict[str, float]:
    page.reload(wait_until="commit")
    page.wait_for_function(f"() => document.querySelectorAll('article').length === {2 * PAIRS}")
    whole = page.evaluate("performance.now()")
    page.wait_for_function("() => performance.getEntriesByName('midstream:engine').length > 0")
    marks = "name => performance.getEntriesByName(name)[0].startTime"
    painted, engine = (page.evaluate(marks, f"midstream:{name}") for name in ("painted", "engine"))
    return {"painted": painted, "whole": whole, "engine": engine}


def _streaming(page: Page) -> Page:
    page.fill("textarea", "Go on")
    page.keyboard.press("Enter")
    page.locator("article[data-state=streaming]").wait_for()
    return page


def _plain(context: BrowserContext, text: str) -> Page:
    plain = context.new_page()
    plain.set_viewport_size({"width": 1280, "height": 800})
    plain.evaluate(_PLAIN, [text, RATE, CHUNK])
    plain.wait_for_timeout(3000)  # the first layout of all of it
    return plain


def _scrolled(page: Page) -> dict[str, float]:
    page.bring_to_front()
    gaps = page.evaluate(_SCROLL, 5)
    return {"fps": round(1000 / statistics.mean(gaps), 1), "longest_ms": round(max(gaps))}


def _typed(page: Page) -> dict[str, float]:
    """Event Timing counts from the key to the end of the frame's painting, in steps of 8 ms; what
    took less than 16 counts as 8."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
    page.locator("textarea").focus()
    page.evaluate(_KEYS)
    for n in range(KEYS):
        page.keyboard.press("abcdefgh "[n % 9])
        page.wait_for_timeout(GAP_MS)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    found = sorted(page.evaluate("window.keys"))
    found = [8.0] * (KEYS - len(found)) + found
    page.fill("textarea", "")
    return {"p50": found[KEYS // 2], "p95": found[int(KEYS * 0.95) - 1], "max": found[-1]}
