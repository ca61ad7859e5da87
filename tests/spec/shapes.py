"""Builds the texts of pathological.json from their parts."""

from __future__ import annotations

from typing import Any


def build(parts: list[Any], n: int, i: int = 0) -> str:
    """The text of a shape at size n; the format stands in the corpus itself."""
    out = []
    for part in parts:
        if isinstance(part, dict):
            first, last = (_value(bound, n, i) for bound in part["for"])
            out += [build(part["parts"], n, k) for k in range(first, last)]
        else:
            text, count = part
            out.append(text.replace("{i}", str(i)) * _value(count, n, i))
    return "".join(out)


def _value(expression: int | str, n: int, i: int) -> int:
    """Counts are numbers or arithmetic in n and i; the corpus is ours, so eval may read it."""
    if isinstance(expression, int):
        return expression
    return int(eval(expression, {"__builtins__": {}}, {"n": n, "i": i}))
