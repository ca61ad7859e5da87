"""What Python in the page starts from: a compiled standard library, the app's zip, the snapshot.

Made by `runtime.mjs` in Node and kept in `.cache/`, named by the hash of what they were made from:
a change in `py/` makes only the last two anew (seconds), a new Pyodide all three.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tooling import npm, preload, stamps, wheels
from tooling.places import Places
from tooling.programs import run
from tooling.report import step

SCRIPT = Path(__file__).with_name("runtime.mjs")


@dataclass(frozen=True, slots=True)
class Runtime:
    """Files that boot.mjs loads; `wheels` also serve the way without any accelerator."""

    stdlib: Path
    app: Path
    snapshot: Path
    wheels: list[Path]


def pyodide(places: Places) -> Path:
    return places.node_modules / "pyodide"


def info(places: Places) -> dict[str, str]:
    """Pyodide's own description: versions of Python, ABI and platform."""
    listing = (pyodide(places) / "pyodide-lock.json").read_bytes()
    found: dict[str, str] = json.loads(listing)["info"]
    return found


def ensure(places: Places) -> Runtime:
    """Makes what is missing. Needs `.venv` and `node_modules`. Raises Trouble."""
    packed = [wheels.own(places), *wheels.vendored(places)]
    imported = [wheel for wheel in packed if wheel.name.startswith(("midstream-", "mistletoe-"))]
    stdlib = _stdlib(places)
    folder = _snapshot(places, stdlib, imported)
    return Runtime(stdlib, folder / "app.zip", folder / "snapshot.bin", packed)


def _stdlib(places: Places) -> Path:
    parts = [pyodide(places) / "pyodide-lock.json", pyodide(places) / "python_stdlib.zip"]
    key = stamps.digest(SCRIPT, *parts)
    folder = places.cache / f"stdlib-{key[:16]}"
    if not folder.is_dir():
        with step("compiling the standard library"), stamps.whole_folder(folder) as fresh:
            job = {"pyodide": _text(pyodide(places)), "out": _text(fresh / "stdlib.zip")}
            _node(places, "stdlib", job, "compiling the standard library failed")
        stamps.keep_only(places.cache, "stdlib-*", [folder])
    return folder / "stdlib.zip"


def _snapshot(places: Places, stdlib: Path, imported: list[Path]) -> Path:
    rules = Path(preload.__file__)
    key = stamps.digest(stdlib.parent.name, rules, *(wheel.parent.name for wheel in imported))
    folder = places.cache / f"snapshot-{key[:16]}"
    if not folder.is_dir():
        with step("taking the snapshot of a started Python"), stamps.whole_folder(folder) as fresh:
            job = {
                "pyodide": _text(pyodide(places)),
                "stdlib": _text(stdlib),
                "wheels": [_text(wheel) for wheel in imported],
                "skip": list(preload.SERVER_ONLY),
                "imports": preload.modules(places.root / "py"),
                "zip": _text(fresh / "app.zip"),
                "out": _text(fresh / "snapshot.bin"),
            }
            _node(places, "snapshot", job, "taking the snapshot failed")
        stamps.keep_only(places.cache, "snapshot-*", [folder])
    return folder


def _node(places: Places, kind: str, job: Mapping[str, object], failure: str) -> None:
    # The clock's zone and the person's own Node options would change the bytes.
    environment = {"TZ": "UTC", "NODE_OPTIONS": None}
    command = (npm.node(places), SCRIPT, kind, json.dumps(job))
    run(places, command, name=f"node-{kind}", failure=failure, env=environment)


def _text(path: Path) -> str:
    return str(path)
