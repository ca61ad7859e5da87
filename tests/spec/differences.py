"""The pinned differences: every example where we mean to differ, and why."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("differences.toml")


@cache
def pinned(corpus: str) -> dict[str, str]:
    """Example (number or name, as a string) -> reason."""
    entries = tomllib.loads(_FILE.read_text(encoding="utf-8"))["difference"]
    return {str(e["example"]): e["reason"] for e in entries if e["corpus"] == corpus}


def judge(corpus: str, example: object, same: bool, detail: str) -> None:
    """Fail on a difference that is not pinned, and on a pinned one that is gone."""
    reason = pinned(corpus).get(str(example))
    if reason is None:
        assert same, detail
    else:
        assert not same, f"{corpus} {example} passes: take it out of differences.toml ({reason})"
