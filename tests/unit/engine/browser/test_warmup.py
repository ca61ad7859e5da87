"""What a Python rehearses whose machine code the browser is to keep."""

from __future__ import annotations

import sys

from midstream.engine.browser.warmup import rehearse


def test_it_runs_what_an_answer_runs() -> None:
    ran: set[str] = set()

    def look(frame: object, event: str, arg: object) -> None:
        ran.add(frame.f_globals.get("__name__", ""))  # type: ignore[attr-defined]

    sys.setprofile(look)
    try:
        rehearse(1)
    finally:
        sys.setprofile(None)
    assert {"midstream.markdown.parser", "midstream.markdown.blocks.tables", "json.encoder"} <= ran


def test_each_round_draws_the_same() -> None:
    assert rehearse(2) == 2 * rehearse(1) > 0
