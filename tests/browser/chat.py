"""The page as a person uses it: by the names that ARCHITECTURE.md lists as stable, never by the screen's insides."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from playwright.sync_api import Locator, Page, Request

from tests.support.patience import PATIENCE_MS

ENDED = ("complete", "stopped", "interrupted", "failed", "length")

# Runs before any script of the page: remembers what was on screen when, for a test to ask later.
WATCH = """
window.watched = {paintedText: null, engineAtPaint: null, samples: []};
const articleText = () =>
  [...document.querySelectorAll('article[data-author=assistant] [data-part=content]')]
    .map((part) => part.textContent).join('\\n');
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.name !== 'midstream:painted' || window.watched.paintedText !== null) continue;
    window.watched.paintedText = articleText();
    window.watched.engineAtPaint = document.documentElement.dataset.engine;
  }
}).observe({type: 'mark', buffered: true});
// In each frame that could show something else than the one before. To ask for every frame would make the browser paint
// sixty a second where nothing changes.
let asked = false;
const sample = () => {
  asked = false;
  window.watched.samples.push(articleText().length);
};
new MutationObserver(() => {
  if (!asked) requestAnimationFrame(sample);
  asked = true;
}).observe(document, {childList: true, characterData: true, subtree: true});
"""

# A promise for a moment at which the predicate is true. Not looked at in every frame, for the same reason.
UNTIL = """
(argument) => new Promise((resolve, reject) => {
  const predicate = PREDICATE;
  const late = setTimeout(() => reject(new Error('never: ' + predicate)), PATIENCE);
  const look = () => {
    if (!predicate(argument)) return setTimeout(look, 20);
    clearTimeout(late);
    resolve(undefined);
  };
  look();
})
"""


@dataclass(frozen=True)
class Score:
    """What became of a text whose words are all different."""

    lost: list[str]
    repeated: list[str]
    in_order: bool


def score(expected: str, shown: str) -> Score:
    wanted, found = words(expected), words(shown)
    counts = Counter(found)
    return Score(
        lost=[word for word in wanted if word not in counts],
        repeated=[word for word, count in counts.items() if count > 1],
        in_order=[word for word in found if word in set(wanted)] == wanted,
    )


def words(text: str) -> list[str]:
    """The numbered words of a test answer, like w17."""
    return re.findall(r"w\d+", text)


class Chat:
    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.foreign: list[str] = []  # requests to any other origin
        self.problems: list[str] = []  # errors and policy violations in the console
        page.add_init_script(WATCH)
        page.on("request", self._request)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: self._console(message.type, message.text))

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "blob:", "data:")):
            self.foreign.append(request.url)

    def _console(self, kind: str, text: str) -> None:
        if kind == "error" or "Content Security Policy" in text:
            self.problems.append(text)

    def open(self) -> Self:
        self.page.goto(self.url)
        return self.until_ready()

    def until_ready(self) -> Self:
        self.page.wait_for_selector("html[data-engine=ready]", state="attached")
        return self

    def reload(self) -> None:
        self.page.reload(wait_until="commit")

    def send(self, words: str) -> Self:
        self.page.fill("textarea[name=prompt]", words)
        self.page.click("button[name=send]")
        return self

    @property
    def answer(self) -> Locator:
        return self.page.locator("article[data-author=assistant]").last

    @property
    def content(self) -> Locator:
        return self.answer.locator("[data-part=content]")

    def text(self) -> str:
        return self.content.inner_text()

    def state(self) -> str:
        return self.answer.get_attribute("data-state") or ""

    def until_state(self, *states: str) -> str:
        selector = ", ".join(f'article[data-author=assistant][data-state="{s}"]' for s in states)
        self.page.wait_for_selector(selector)
        return self.state()

    def until_ended(self) -> str:
        return self.until_state(*ENDED)

    def until(self, predicate: str, argument: object = None) -> None:
        """Waits for a state of the page. Playwright's own wait_for_function evaluates a string inside
        the page, which its policy forbids; this comes through the debugger."""
        self.page.evaluate(UNTIL.replace("PREDICATE", predicate).replace("PATIENCE", str(PATIENCE_MS)), argument)

    def until_seq(self, seq: int) -> None:
        self.until(
            """(seq) => [...document.querySelectorAll('article[data-author=assistant]')]
                 .some((article) => Number(article.dataset.seq) >= seq)""",
            seq,
        )

    def until_status(self, words: str) -> None:
        self.answer.locator("[data-part=status]", has_text=words).wait_for()

    def watched(self) -> dict[str, Any]:
        return dict(self.page.evaluate("window.watched"))

    def until_painted(self) -> str:
        """The text that stood on screen when saved text was first painted after a load."""
        self.until("() => window.watched && window.watched.paintedText !== null")
        return str(self.watched()["paintedText"])

    def assert_clean(self) -> None:
        assert self.foreign == [], "a request left the origin"
        assert self.problems == []
