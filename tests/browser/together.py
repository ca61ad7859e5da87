"""web/ as the build puts it together: a page of three scripts instead of sixty, which cost half of a small test."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from tooling.bundle import bundle
from tooling.filling import substitute
from tooling.places import HERE

WEB = HERE.root / "web"
# Beside Python, which is not there: the build puts them together, too.
PYODIDE = ("boot.js", "snapshot.js", "pyodide.js")
NOTHING: dict[str, object] = {"version": "dev", "parts": [], "shell": [], "runtime": [], "late": []}


@functools.cache
def together() -> Path:
    """The folder; made once in each process."""
    folder = Path(tempfile.mkdtemp(prefix="midstream-web-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = folder / "web"
    shutil.copytree(WEB, target)
    for name in PYODIDE:
        (target / "pyodide" / name).touch()
    bundle(HERE, target)
    for name in PYODIDE:
        (target / "pyodide" / name).unlink()
    substitute(target / "sw.js", NOTHING)
    return target
