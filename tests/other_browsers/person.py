"""What a person does with the app and sees of it, in any browser that a driver can speak to."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.browser.chat import ENDED, UNTIL, words
from tests.browser.scenarios.watch import SCRIPT, Sample, View
from tests.other_browsers.drivers import Driver, until

PROMPT = "numbered words, please"

# The samples of watch.js stay in the page until they are fetched: there is no binding of a debugger here.
WATCH = (
    """
Object.defineProperty(Navigator.prototype, 'onLine', {get: () => !sessionStorage.getItem('test.offline')});
window.watchedSamples = [];
window.watchedProblems = [];
window.midstreamSample = (sample) => window.watchedSamples.push(sample);
addEventListener('error', (event) => window.watchedProblems.push(event.message));
addEventListener('unhandledrejection', (event) => window.watchedProblems.push(String(event.reason)));
addEventListener('securitypolicyviolation', (event) =>
  window.watchedProblems.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""
    + SCRIPT
)
ANSWER = "[...document.querySelectorAll('article[data-author=assistant]')].at(-1)"
STATE = f"({ANSWER}?.dataset.state ?? '')"
ARTICLES = "document.querySelectorAll('article[data-author={}]')"


class Person:
    """In front of one tab. `view` is what was on screen, over all reloads; `problems` the page's errors."""

    def __init__(self, browser: Driver, url: str) -> None:
        self.browser = browser
        self.url = url
        self.view = View()
        self.problems: list[str] = []

    def open(self) -> Person:
        self.browser.goto(self.url)
        return self.until_ready()

    def reload(self) -> Person:
        """Reloads; returns when saved text is on screen and the engine is there."""
        before = set(words(self.text()))
        self.collect()
        self.browser.reload()
        self.until("() => performance.getEntriesByName('midstream:painted').length > 0")
        gone = before - set(words(self.text()))
        assert not gone, f"stood there before the reload and has gone: {sorted(gone)}"
        return self.until_ready()

    def send(self, text: str = PROMPT) -> Person:
        self.browser.evaluate(f"""(() => {{
            const box = document.querySelector('textarea[name=prompt]');
            box.value = {json.dumps(text)};
            box.dispatchEvent(new InputEvent('input', {{bubbles: true}}));
            document.querySelector('button[name=send]').click();
        }})()""")
        return self

    def online(self, online: bool) -> None:
        """What the browser says of the network, now and after a reload; neither protocol can set it. The network itself
        is another matter."""
        self.browser.evaluate(
            f"({json.dumps(online)} ? sessionStorage.removeItem('test.offline')"
            " : sessionStorage.setItem('test.offline', '1'),"
            " dispatchEvent(new Event(navigator.onLine ? 'online' : 'offline')))"
        )

    def press(self, name: str) -> None:
        self.browser.evaluate(f"{ANSWER}.querySelector('button[name={name}]').click()")

    def text(self) -> str:
        part = f"{ANSWER}?.querySelector('[data-part=content]')?.textContent ?? ''"
        return str(self.browser.evaluate(part))

    def status(self) -> str:
        part = f"{ANSWER}?.querySelector('[data-part=status]')?.textContent ?? ''"
        return str(self.browser.evaluate(part))

    def count(self, author: str) -> int:
        return int(self.browser.evaluate(ARTICLES.format(author) + ".length"))

    def until(self, predicate: str, argument: Any = None) -> None:
        """Until a state of the page, looked at in each frame."""
        waiting = UNTIL.replace("PREDICATE", predicate)
        self.browser.evaluate(f"({waiting})({json.dumps(argument)})")

    def until_ready(self) -> Person:
        self.until("() => ['ready', 'failed'].includes(document.documentElement.dataset.engine)")
        engine = self.browser.evaluate("document.documentElement.dataset.engine")
        assert engine == "ready", "the engine did not start: " + self.visible_text()
        return self

    def until_kept(self) -> Person:
        """Until all of the app is stored for use without a network."""
        self.until("() => document.documentElement.dataset.shell === 'offline-ready'")
        return self

    def until_state(self, *states: str) -> str:
        self.until(f"(states) => states.includes({STATE})", states)
        return str(self.browser.evaluate(STATE))

    def until_complete(self) -> None:
        state = self.until_state(*ENDED)
        assert state == "complete", f"the answer ended as {state}: {self.status()}"

    def until_seq(self, seq: int) -> None:
        self.until(f"(seq) => Number({ANSWER}?.dataset.seq ?? 0) >= seq", seq)

    def wait(self, seconds: float) -> None:
        """For a cut that has a length of its own."""
        end = time.monotonic() + seconds
        until(lambda: time.monotonic() >= end, "end of the cut", seconds + 1)

    def visible_text(self) -> str:
        return str(self.browser.evaluate("document.body.innerText"))

    def collect(self) -> None:
        """Takes what was seen in this document. Before it goes, and at the end."""
        settled = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        self.browser.evaluate(settled)
        seen = self.browser.evaluate("[window.watchedSamples.splice(0), window.watchedProblems.splice(0)]")
        self.view.samples += map(Sample.of, seen[0])
        self.problems += seen[1]
