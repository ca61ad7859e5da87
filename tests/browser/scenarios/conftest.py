"""The plays of one file, each on a stage of its own in one house."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from playwright.sync_api import Browser

from tests.browser.scenarios.house import House
from tests.browser.scenarios.stage import Kind
from tests.browser.scenarios.table import TABLE, Performance, Scenario

LONG = ("S4",)  # begun before the others and ended after them: its cut lasts while they are played


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every scenario of the table that the file's KIND of endpoint has; the long one is scored last."""
    if "scenario" in metafunc.fixturenames:
        cases = [each for each in TABLE if metafunc.module.KIND in each.kinds]
        cases.sort(key=lambda each: each.id in LONG)
        metafunc.parametrize("scenario", cases, ids=lambda each: each.id)


@pytest.fixture(scope="module")
def house(
    chromium: Browser, dist: Path, answer_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with House(chromium, dist, answer_file, tmp_path_factory.mktemp("scenarios")) as house:
        yield house


@pytest.fixture(scope="module")
def performances(house: House, request: pytest.FixtureRequest) -> Iterator[dict[str, Performance]]:
    kind: Kind = request.module.KIND
    items = [item for item in request.session.items if item.getparent(pytest.Module) is request.node]
    played: list[Scenario] = [
        cast(Scenario, item.callspec.params["scenario"]) for item in items if isinstance(item, pytest.Function)
    ]
    made = {each.id: Performance(each, kind, house) for each in played}
    for id, performance in made.items():
        if id in LONG:
            performance.begin()
    yield made
    for performance in made.values():
        performance.close()


@pytest.fixture
def performance(scenario: Scenario, performances: dict[str, Performance]) -> Performance:
    return performances[scenario.id]
