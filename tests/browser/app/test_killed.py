"""The whole browser killed (-9) in the middle of an answer, and started again with the same profile.

Over the raw protocol: a driver that attaches to service workers would keep them alive.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.chat import ENDED, words
from tests.browser.conftest import COMPILED_ONCE
from tests.browser.scenarios.house import House
from tests.browser.scenarios.stage import GATEWAY, PROMPT, Kind, Stage
from tests.browser.scenarios.watch import BINDING, SCRIPT, View
from tests.support.cdp import Chromium, Tab

ASK = """{
  const box = document.querySelector('textarea[name=prompt]');
  box.value = %r;
  box.dispatchEvent(new Event('input', {bubbles: true}));
  document.querySelector('button[name=send]').click();
}"""
ARTICLE = "[...document.querySelectorAll('article[data-author=assistant]')].at(-1)"


@pytest.fixture
def stage(browser: Browser, dist: Path, answer_file: Path, tmp_path: Path, kind: Kind) -> Iterator[Stage]:
    with (
        House(browser, dist, answer_file, tmp_path) as house,
        contextlib.closing(Stage(house, kind, 60, tmp_path)) as stage,
    ):
        yield stage


class Person:
    """What one person sees in a browser that may be killed."""

    def __init__(self, browser: Chromium) -> None:
        self.browser = browser
        self.view = View()

    def open(self, url: str) -> Tab:
        tab = self.browser.open("about:blank")
        tab.call("Runtime.addBinding", name=BINDING)
        tab.call("Page.addScriptToEvaluateOnNewDocument", source=SCRIPT)
        tab.goto(url)
        tab.until("document.documentElement.dataset.engine === 'ready'")
        return tab

    def look(self, tab: Tab) -> None:
        """Takes over what has been on screen until now."""
        tab.evaluate("0")  # comes after everything that was sent before
        for event in self.browser.events:
            if event["method"] == "Runtime.bindingCalled":
                self.view.called(event["params"])
        self.browser.events.clear()


def state(tab: Tab, *wanted: str) -> str:
    """The state of the answer once it is one of these."""
    found = tab.until(f"{list(wanted)}.includes({ARTICLE}?.dataset.state) && {ARTICLE}.dataset.state")
    return str(found)


@pytest.mark.parametrize("kind", ["gateway", "direct"])
def test_a_killed_browser_finds_everything_that_was_on_screen(
    stage: Stage, kind: Kind, answer_file: Path, tmp_path: Path
) -> None:
    model = stage.model()
    model.gate.allow(120)
    url = stage.open_servers(model)
    with Chromium(tmp_path / "profile", [COMPILED_ONCE]) as browser:
        person = Person(browser)
        tab = person.open(url)
        tab.evaluate(ASK % PROMPT)
        tab.until(f"Number({ARTICLE}?.dataset.seq) >= 60")
        person.look(tab)
        shown = max(person.view.samples[-1].words)
        browser.kill()

        browser.start()
        tab = person.open(url)
        model.gate.open()
        if kind == GATEWAY:
            assert state(tab, *ENDED) == "complete"
            model.asked_once()
        else:
            # Nobody holds its connection any more, and the endpoint cannot resume.
            assert state(tab, *ENDED) == "interrupted"
            tab.evaluate(f"{ARTICLE}.querySelector('button[name=continue]').click()")
            tab.until(f"{ARTICLE}.dataset.state !== 'interrupted'")
            assert state(tab, *ENDED) == "complete"
        person.look(tab)
        text = tab.evaluate(f"{ARTICLE}.querySelector('[data-part=content]').innerText")
    assert shown > 10
    assert person.view.hole() == 0
    assert person.view.twice() == set()
    assert words(text) == words(answer_file.read_text())
