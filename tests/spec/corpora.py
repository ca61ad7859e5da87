"""The corpora that are not part of the repository: where they are, and what to do without them.

They lie in the folder named by MIDSTREAM_CORPORA, else in `../shared/corpora` beside the repository.
Without them a test skips and says so; where CI is set that would hide a hole, so it fails.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "corpora"


def find(name: str) -> Path | None:
    """The path of a corpus, or None."""
    path = Path(os.environ.get("MIDSTREAM_CORPORA") or _BESIDE) / name
    return path if path.is_file() else None


def load(name: str) -> Any:
    """The content of a corpus; an empty list when there is none (see `need`)."""
    path = find(name)
    return json.loads(path.read_text(encoding="utf-8")) if path else []


def need(name: str) -> None:
    """Skip the test that needs this corpus when it is missing; fail in CI."""
    if find(name) is None:
        why = f"{name} is missing: set MIDSTREAM_CORPORA to the folder that holds it"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
