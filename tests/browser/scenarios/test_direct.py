"""The promise on a plain endpoint: nothing is lost, repeated or missing, and the state is said in words.

A file for each kind of endpoint, so that both are played side by side.
"""

from __future__ import annotations

from tests.browser.scenarios.acted import acted
from tests.browser.scenarios.stage import DIRECT
from tests.browser.scenarios.table import Performance

KIND = DIRECT


def test_scenario(performance: Performance) -> None:
    acted(performance)
