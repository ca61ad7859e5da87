"""Keeps work on foreign text from stopping the engine: a limit that interrupts it, and a note of it outside of
Python, for the case that Python does not come back. For a page `engine/browser/watchdog.py` implements it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext


class OverTime(Exception):
    """The work in a limit took longer."""


class Watchdog:
    """This one interrupts nothing, for an engine without a page."""

    def __init__(self) -> None:
        self.given_up: frozenset[str] = frozenset()  # what an earlier engine was at when it was lost

    def limit(self, seconds: float) -> AbstractContextManager[None]:
        """The block in it raises OverTime some time after so many seconds, inside of a regular expression too.
        No await may stand in it."""
        return nullcontext()

    def note(self, work: str) -> None:
        """From now on the engine is at this; "" at nothing that could stop it."""
