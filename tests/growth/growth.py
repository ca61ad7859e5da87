"""How the work of something grows with its input. The steps of a regular expression cannot be counted, so it is
measured, in CPU time: sixteen pieces of an input one after the other against all of it at once. Both take as long where
the work grows in proportion, and whatever a busy machine adds, it adds to both."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

ENOUGH = 2.5  # times the work for twice the input
DOUBLINGS = 4
PIECES = 2**DOUBLINGS
ROUNDS = 40  # a machine may be busy for all of a few
TOO_SHORT_S = 0.001  # for all pieces: below it the clock says little
LARGEST = 2**13  # characters of a piece


def factor(work: Callable[[str], object], shape: Callable[[int], str], size: int = 64) -> float:
    """How many times the work for twice the input is that for once. `size`: of the first piece that is tried; it grows
    until its work can be measured. The measuring ends when the factor is ENOUGH or less."""
    while seconds(work, shape(size), PIECES) < TOO_SHORT_S and size < LARGEST:
        size *= 2
    pieces = whole = float("inf")
    for _ in range(ROUNDS):
        pieces = min(pieces, seconds(work, shape(size), PIECES))
        whole = min(whole, seconds(work, shape(size * PIECES)))
        if whole <= pieces * (ENOUGH / 2) ** DOUBLINGS:
            break
    return float(2 * (whole / pieces) ** (1 / DOUBLINGS))


def seconds(work: Callable[[str], object], text: str, times: int = 1) -> float:
    gc.disable()
    try:
        began = time.process_time()
        for _ in range(times):
            work(text)
        return time.process_time() - began
    finally:
        gc.enable()
