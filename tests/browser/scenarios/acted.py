"""What every play has to show."""

from __future__ import annotations

from tests.browser.scenarios.table import Performance


def acted(performance: Performance) -> None:
    """No word lost, none repeated, none missing on screen in any frame, and the state said in words."""
    result = performance.finish()
    assert (result.lost, result.repeated, result.hole) == ([], [], 0)
    assert performance.unsaid(result) == [], f"said was only {result.said}"
