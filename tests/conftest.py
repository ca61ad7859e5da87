"""Two tiers. `--quick` is the heart of every room without a browser, in about a minute; a full run is everything.

A test's folder says whether it is quick: all are but those of browsers. A test in the other folders that takes long, or
needs what a fresh clone has not (the built app, the weights of the model, Redis), carries `full_run` with the reason.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.dealing import Dealing, rank

HERE = Path(__file__).parent
# How long an example takes says more of the machine than of us.
settings.register_profile("midstream", deadline=None)
settings.register_profile("quick", settings.get_profile("midstream"), max_examples=20)
settings.load_profile("midstream")
OF_BROWSERS = (HERE / "browser", HERE / "other_browsers")


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "leave out what needs a browser, and what is marked full_run"
    parser.addoption("--quick", action="store_true", help=text)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if config.getoption("--quick") and collection_path in OF_BROWSERS else None


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--quick"):
        settings.load_profile("quick")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Dealing:
    return Dealing(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: rank(item.path))
    marks = [item.get_closest_marker("full_run") for item in items]
    for mark in filter(None, marks):
        if list(mark.kwargs) != ["reason"]:
            raise pytest.UsageError(f"full_run says why by its reason, got: {mark}")
    if config.getoption("--quick"):
        pairs = list(zip(items, marks, strict=True))
        config.hook.pytest_deselected(items=[item for item, mark in pairs if mark])
        items[:] = [item for item, mark in pairs if not mark]
