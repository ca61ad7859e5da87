"""How the work of something grows with its input. The steps of a regular expression cannot be counted, so it is
measured, in CPU time; the smallest of several measurements counts, since other work can only add to one."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

ENOUGH = 2.5  # times the work for twice the input
DOUBLINGS = 4  # over which it is measured: what a busy machine adds is small beside the square of sixteen
ROUNDS = 40  # a machine may be busy for all of a few
LARGEST = 2**13  # of the smaller input
TOO_SHORT_S = 0.0003  # below it the clock says little


def factor(work: Callable[[str], object], shape: Callable[[int], str], size: int = 64) -> float:
    """How many times the work for twice the input is that for once, measured from `size` on: that grows until its work
    can be measured. The measuring ends when the factor is ENOUGH or less."""
    while seconds(work, shape(size)) < TOO_SHORT_S and size < LARGEST:
        size *= 2
    small = large = float("inf")
    for _ in range(ROUNDS):
        small = min(small, seconds(work, shape(size)))
        large = min(large, seconds(work, shape(size << DOUBLINGS)))
        if large <= max(small, TOO_SHORT_S) * ENOUGH**DOUBLINGS:
            break
    return float((large / max(small, TOO_SHORT_S)) ** (1 / DOUBLINGS))


def seconds(work: Callable[[str], object], text: str) -> float:
    gc.disable()
    try:
        began = time.process_time()
        work(text)
        return time.process_time() - began
    finally:
        gc.enable()
