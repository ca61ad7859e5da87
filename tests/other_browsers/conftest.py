"""These tests run when they are asked for by their path: CI has no other browsers, and skips no test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.other_browsers.drivers import Driver, Missing, opened
from tests.other_browsers.plays import prepared

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    asked = (Path(argument.partition("::")[0]).resolve() for argument in config.args)
    return None if any(HERE in (path, *path.parents) for path in asked) else True


@pytest.fixture(scope="module", params=["firefox", "webkit"])
def browser(request: pytest.FixtureRequest) -> Iterator[Driver]:
    try:
        with opened(request.param) as running:
            yield prepared(running)
    except Missing as missing:
        pytest.skip(str(missing))
