"""Where the built app lies."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def dist() -> Path:
    """dist/ or $MIDSTREAM_DIST. FileNotFoundError when it is not built."""
    path = Path(os.environ.get("MIDSTREAM_DIST", PROJECT / "dist"))
    if not (path / "index.html").exists():
        raise FileNotFoundError(f"{path} is not built: run `python3 build.py` first")
    return path
