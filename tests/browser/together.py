"""web/ as the build puts it together: a page of three scripts instead of sixty, which cost half of a small test."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from tooling.assets.bundle import bundle
from tooling.assets.dist import copy_sources
from tooling.assets.filling import substitute
from tooling.places import HERE

WEB = HERE.root / "web"
# Of Python and PyScript, which are not there: the build puts them together, too.
ABSENT = tuple(f"engine/pyodide/{name}.js" for name in ("boot", "reader", "snapshot_maker", "pyodide"))
ABSENT += ("pyscript/core.js",)
SHARED = ("shared/storage_limit.js",)
NOTHING: dict[str, object] = {"version": "dev", "shell": [], "runtime": [], "late": []}


@functools.cache
def together() -> Path:
    """The folder; made once in each process."""
    folder = Path(tempfile.mkdtemp(prefix="midstream-web-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = folder / "web"
    copy_sources(HERE, target)
    (target / "pyscript").mkdir()
    for name in ABSENT:
        (target / name).touch()
    bundle(HERE, target)
    # The modules that start Python are not put together here (a test that asks for one gets it as it is written), and
    # what they import has to be there.
    for name in SHARED:
        (target / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(WEB / name, target / name)
    for name in ABSENT:
        (target / name).unlink()
    substitute(target / "sw.js", NOTHING)
    return target
