"""The files from which Python in the page starts: the app's zip, the part of the standard library
that it needs, the rest of it, and the snapshot.

Made by `runtime.mjs` in Node and kept in `.cache/`, named by the hash of what they were made from:
a change in `py/` makes them anew in seconds; a new Pyodide's library has to be compiled first.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tooling import stamps
from tooling.parts import diagrams, import_graph, pygments_zip
from tooling.places import HERE, Places
from tooling.report import step
from tooling.setup import npm, wheels
from tooling.setup.programs import run
from tooling.trouble import Trouble

SCRIPT = Path(__file__).with_name("runtime.mjs")
FORMAT = HERE.root / "web/engine/pyodide/memory.mjs"  # which SCRIPT imports
# In the folder of the parts: the wheel of midstream whose sources are in its app.zip.
COMPILED_FROM = "midstream.whl"


@dataclass(frozen=True, slots=True)
class Runtime:
    """The files that boot.mjs loads, in one folder; the wheels are for a start without them."""

    folder: Path
    wheels: list[Path]
    # Fetched when a page first needs them: pygments_zip.py, and diagrams.py beside it, a folder.
    pygments: Path
    mermaid: Path

    @property
    def stdlib(self) -> Path:
        return self.folder / "stdlib.zip"

    @property
    def rest(self) -> Path:
        return self.folder / "rest.zip"

    @property
    def rest_modules(self) -> list[str]:
        """The modules in `rest`."""
        names: list[str] = json.loads((self.folder / "rest.json").read_bytes())
        return names

    @property
    def app(self) -> Path:
        return self.folder / "app.zip"

    @property
    def snapshot(self) -> Path:
        return self.folder / "snapshot.bin"


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
    folder = _parts(places, stdlib, imported, packed)
    pygments = pygments_zip.ensure(places, stdlib, partial(_compile, places, stdlib))
    return Runtime(folder, packed, pygments, diagrams.ensure(places))


def draft(places: Places) -> Runtime:
    """What `ensure` gave last, without its snapshot, and with the sources of the modules that have
    changed since: made in a moment. The page compiles those at each start. Raises Trouble."""
    built = next(iter(places.cache.glob("parts-*")), None) or ensure(places).folder
    packed = wheels.vendored(places)
    sources = places.root / "py"
    folder = places.cache / f"draft-{stamps.digest(sources, built.name)[:16]}"
    if not folder.is_dir():
        with stamps.whole_folder(folder) as fresh:
            for name in ("stdlib.zip", "rest.zip", "rest.json"):
                shutil.copyfile(built / name, fresh / name)
            (fresh / "snapshot.bin").touch()
            _zip_changed(fresh / "app.zip", sources, built)
        stamps.keep_only(places.cache, "draft-*", [folder])
    stdlib = _stdlib(places)
    pygments = pygments_zip.ensure(places, stdlib, partial(_compile, places, stdlib))
    return Runtime(folder, packed, pygments, diagrams.ensure(places))


def _zip_changed(target: Path, sources: Path, built: Path) -> None:
    """The app's zip of `built`, with those of `sources` that it was not compiled from."""
    before = _members(built / COMPILED_FROM)
    now = {file.relative_to(sources).as_posix(): file.read_bytes() for file in stamps.files_in(sources)}
    same = {f"{name}c" for name, data in now.items() if before.get(name) == data}
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in _members(built / "app.zip").items():
            if name in same or not name.startswith("midstream/"):
                archive.writestr(name, data)
        for name, data in now.items():
            if f"{name}c" not in same and not name.startswith(import_graph.SERVER_ONLY):
                archive.writestr(name, data)


def _members(file: Path) -> dict[str, bytes]:
    if not file.exists():
        return {}
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


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


def _parts(places: Places, stdlib: Path, imported: list[Path], packed: list[Path]) -> Path:
    core = _pyscript_core(places)
    names = [stdlib.parent.name, *(wheel.parent.name for wheel in packed)]
    key = stamps.digest(Path(import_graph.__file__), FORMAT, core, *names)
    folder = places.cache / f"parts-{key[:16]}"
    if not folder.is_dir():
        py = places.root / "py"
        with step("taking the snapshot of a started Python"), stamps.whole_folder(folder) as fresh:
            job = {
                "pyodide": _text(pyodide(places)),
                "stdlib": _text(stdlib),
                "core": _text(core),
                "wheels": [_text(wheel) for wheel in imported],
                "skip": list(import_graph.SERVER_ONLY),
                "probed": [_text(wheel) for wheel in packed if wheel not in imported],
                "needs": import_graph.needs(py),
                "imports": import_graph.modules(py),
                "out": _text(fresh),
            }
            _node(places, "parts", job, "taking the snapshot failed")
            shutil.copyfile(packed[0], fresh / COMPILED_FROM)
        stamps.keep_only(places.cache, "parts-*", [folder])
    return folder


def _compile(places: Places, stdlib: Path, job: dict[str, object]) -> None:
    job = {"pyodide": _text(pyodide(places)), "stdlib": _text(stdlib), **job}
    _node(places, "wheels", job, "compiling Pygments failed")


def _pyscript_core(places: Places) -> Path:
    """PyScript's one big file."""
    found = sorted((places.node_modules / "@pyscript/core/dist").glob("core-*.js"))
    if len(found) != 1:
        raise Trouble("PyScript is not complete; delete node_modules and run this again")
    return found[0]


def _node(places: Places, kind: str, job: Mapping[str, object], failure: str) -> None:
    # The clock's zone and the person's own Node options would change the bytes.
    environment = {"TZ": "UTC", "NODE_OPTIONS": None}
    command = (npm.node(places), SCRIPT, kind, json.dumps(job))
    run(places, command, name=f"node-{kind}", failure=failure, env=environment)


def _text(path: Path) -> str:
    return str(path)
