"""The promise: no word lost, none repeated, none missing on screen in any frame, and the state said in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.scenarios.stage import House, Kind
from tests.browser.scenarios.table import TABLE, Performance, Scenario
from tests.browser.scenarios.watch import View

CASES = [(scenario, kind) for scenario in TABLE for kind in scenario.kinds]
NAMES = [f"{scenario.id}-{kind}" for scenario, kind in CASES]


@pytest.fixture(scope="module")
def house(
    browser: Browser, dist: Path, answer_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with House(browser, dist, answer_file, tmp_path_factory.mktemp("scenarios")) as house:
        yield house


@pytest.mark.parametrize(("scenario", "kind"), CASES, ids=NAMES)
def test_scenario(scenario: Scenario, kind: Kind, house: House) -> None:
    performance = Performance(scenario, kind, house)
    result = performance.finish()
    assert (result.lost, result.repeated, result.hole) == ([], [], 0)
    assert performance.unsaid(result) == [], f"said was only {result.said}"


def test_the_watch_sees_what_is_missing_for_one_frame(page: Page) -> None:
    view = View()
    view.watch(page)
    page.goto("about:blank")
    page.evaluate(
        """async () => {
          const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          document.body.innerHTML =
            '<article data-author="assistant"><p data-part="content"></p></article>';
          const content = document.querySelector('p');
          const show = async (text) => { content.textContent = text; await frame(); };
          await show('w1 w2 w3 w4 w');
          await show('w1 w2 w4 w5 ');
          await show('w1 w2 w3 w4 w5 w5 ');
          content.hidden = true;
          await frame();
        }"""
    )
    assert view.holes()[-1] == 5
    assert max(view.holes()[:-1]) == 1
    assert view.twice() == {5}
