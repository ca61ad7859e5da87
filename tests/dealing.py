"""Which tests go to which worker of pytest-xdist, and in which order.

A file whose fixtures are set up once for all of its tests stays together, and so do the files of short tests: to deal
them one by one would cost more than they take. The other tests with a browser are dealt one by one. What waits longest
comes first: it needs a worker, but hardly any of the processor, and the small ones at the end fill the gaps.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

HERE = Path(__file__).parent
BROWSER = HERE / "browser"
FOR_ALL = 'scope="module"'
# By folder of tests/browser: cuts of a minute, lifetimes of 40 s, then what starts whole apps.
FIRST = ("scenarios", "lifetime", "app", "start", "worker", "shell")


def rank(path: Path) -> int:
    """The smaller, the earlier its tests are begun."""
    if not path.is_relative_to(BROWSER):
        return len(FIRST) + 1
    folder = path.relative_to(BROWSER).parts[0]
    return FIRST.index(folder) if folder in FIRST else len(FIRST)


@cache
def together(path: Path) -> bool:
    """Do the tests of this file go to one worker?"""
    beside = path.with_name("conftest.py")
    texts = [each for each in (path, beside) if each.is_file() and each.parent != BROWSER]
    shared = any(FOR_ALL in each.read_text(encoding="utf-8") for each in texts)
    return shared or not path.is_relative_to(BROWSER)


class Dealing(LoadScopeScheduling):
    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        self._root = config.rootpath

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return file if together(self._root / file) else nodeid
