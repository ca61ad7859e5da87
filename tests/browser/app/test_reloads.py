"""Some reloads at random times; `python -m tests.browser.app.reloads --count 200` makes more of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.app.reloads import reload_at_random
from tests.browser.home import Home
from tests.browser.scenarios.house import House
from tests.browser.scenarios.stage import Kind

COUNT = 6


@pytest.mark.parametrize("kind", ["gateway", "direct"])
def test_no_reload_loses_an_event(browser: Browser, home: Home, answer_file: Path, tmp_path: Path, kind: Kind) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # shown when it fails; main() of tests.browser.app.reloads takes it
    with House(browser, home.dist, answer_file, tmp_path, [home]) as house:
        tally = reload_at_random(house, kind, COUNT, seed)
    assert tally.reloads == COUNT
    assert tally.good, tally
