"""`pytest tests/other_browsers`: each scenario in each browser that is installed."""

from __future__ import annotations

import pytest

from tests.other_browsers.drivers import Driver
from tests.other_browsers.places import dist
from tests.other_browsers.plays import PLAYS, Play, play


@pytest.mark.parametrize("it", PLAYS, ids=[f"{it.id}-{it.kind}" for it in PLAYS])
def test_nothing_is_lost(browser: Driver, it: Play) -> None:
    result = play(browser, it, dist())
    assert result.clean, result
