"""The promise by way of the gateway: nothing is lost, repeated or missing, and the state is said in words.

A file for each kind of endpoint, so that both are played side by side.
"""

from __future__ import annotations

from tests.browser.scenarios.acted import acted
from tests.browser.scenarios.stage import GATEWAY
from tests.browser.scenarios.table import Performance

KIND = GATEWAY


def test_scenario(performance: Performance) -> None:
    acted(performance)
