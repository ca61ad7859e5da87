"""How the work of something grows with its input. The steps of a regular expression cannot be counted, so it is
measured, in CPU time; the smallest of several measurements counts, since other work can only add to one."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

ROUNDS = 12
TOO_SHORT_S = 0.0005  # below it the clock says nothing


def factor(work: Callable[[str], object], shape: Callable[[int], str], enough: float = 2.5) -> float:
    """How many times the work for twice the input is that for once. The input grows until its work can be
    measured. The measuring ends when the factor is `enough` or less."""
    size = 250
    while seconds(work, shape(size)) < TOO_SHORT_S and size < 2**18:
        size *= 2
    least = [float("inf")] * 2
    for _ in range(ROUNDS):
        for n, text in enumerate((shape(size), shape(2 * size))):
            least[n] = min(least[n], seconds(work, text))
        if least[1] <= enough * least[0]:
            break
    return least[1] / max(least[0], TOO_SHORT_S / 2)


def seconds(work: Callable[[str], object], text: str) -> float:
    gc.disable()
    try:
        began = time.process_time()
        work(text)
        return time.process_time() - began
    finally:
        gc.enable()
