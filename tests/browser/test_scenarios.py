"""The promise: no word lost, none repeated, none missing on screen in any frame, and the state said in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.scenarios.house import House
from tests.browser.scenarios.stage import Kind
from tests.browser.scenarios.table import TABLE, Performance, Scenario
from tests.browser.scenarios.watch import View

LONG = (
    "S3",
    "S4",
)  # begun before the others and ended after them: their cuts last while the others are played
CASES = [(scenario, kind) for scenario in TABLE for kind in scenario.kinds]
CASES.sort(key=lambda case: case[0].id in LONG)


def name(scenario: Scenario, kind: Kind) -> str:
    return f"{scenario.id}-{kind}"


@pytest.fixture(scope="module")
def house(
    browser: Browser, dist: Path, answer_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with House(browser, dist, answer_file, tmp_path_factory.mktemp("scenarios")) as house:
        yield house


@pytest.fixture(scope="module")
def performances(house: House, request: pytest.FixtureRequest) -> Iterator[dict[str, Performance]]:
    wanted = {item.callspec.id for item in request.session.items if hasattr(item, "callspec")}
    cases = [case for case in CASES if name(*case) in wanted]
    made = {name(*case): Performance(*case, house) for case in cases}
    for scenario, kind in cases:
        if scenario.id in LONG:
            made[name(scenario, kind)].begin()
    yield made
    for performance in made.values():
        performance.close()


@pytest.mark.parametrize("case", [name(*case) for case in CASES])
def test_scenario(case: str, performances: dict[str, Performance]) -> None:
    performance = performances[case]
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
          await show('w1 w2 w4 w5 w');
          await show('w1 w2 w3 w4 w5 w5 w');
          content.hidden = true;
          await frame();
        }"""
    )
    assert view.holes()[-1] == 5
    assert max(view.holes()[:-1]) == 1
    assert view.twice() == {5}
