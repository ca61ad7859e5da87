"""Every message that an engine posts in these tests is one that docs/port.md has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.engine.support import FAULTS


@pytest.fixture(autouse=True)
def port() -> Iterator[None]:
    FAULTS.clear()
    yield
    # Not where it is posted: an engine says what goes wrong in it, and carries on.
    assert FAULTS == []
