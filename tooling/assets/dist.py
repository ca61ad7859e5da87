"""Puts `dist/` together: the page, PyScript, Pyodide, wheels; same inputs, same bytes."""

from __future__ import annotations

import ctypes
import hashlib
import json
import shutil
import sys
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

from tooling import stamps
from tooling.assets import boot_files, bundle, catalogue, plain_names, policies, sbom
from tooling.assets.filling import integrity, substitute
from tooling.parts import runtime
from tooling.places import Places
from tooling.report import step
from tooling.trouble import Trouble

STAMP = ".build"

# The files of PyScript that a worker script needs, without its editors, terminals and games.
PYSCRIPT = ("core.js", "core-*.js", "error-*.js")
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")

# The service worker does not store itself and its off switch, the configuration that the server
# writes at each start, pictures for the time before installing, packed files, what only auditors read, and
# the files from which Python rarely starts.
NOT_STORED = (
    "sw.js",
    "sw-off.js",
    "config.json",
    "screenshots/*",
    "*.br",
    sbom.BILL,
    sbom.LICENCES,
    *boot_files.RARE,
)
# The shell: a first visit must have it before it counts as installed. All else is the runtime.
SHELL_SUFFIXES = (".html", ".css", ".js", ".json", ".svg", ".png", ".ico", ".woff2", ".py")
RUNTIME_FOLDERS = ("pyscript/", "engine/pyodide/", "wheels/")
# Not needed by everybody: stored when it is first requested.
LATE_FOLDER = "late/"


def ensure(places: Places, made: runtime.Runtime, *, offline: bool = True) -> None:
    """Makes `dist/` anew when one of its inputs changed. Without `offline` the service worker keeps
    no file, so that each reload shows what lies there now. Raises Trouble."""
    key = _key(places, made) + ("" if offline else " not offline")
    if stamps.read(places.dist / STAMP) == key:
        return
    with step("putting dist/ together"):
        fresh, old = (places.root / f"dist.{end}" for end in ("new", "old"))
        stamps.remove(fresh, old)
        _fill(places, made, fresh)
        _write_worker(fresh, stamps.files_in(fresh) if offline else [])
        stamps.write_text(fresh / STAMP, key)
        swap(fresh, places.dist)
        stamps.remove(fresh, old)


def _key(places: Places, made: runtime.Runtime) -> str:
    # The cached parts are named by the hash of what is in them, so their names will do.
    names = [
        made.folder.name,
        made.pygments.parent.name,
        made.mermaid.name,
        *(wheel.parent.name for wheel in made.wheels),
    ]
    locks = [places.root / "package-lock.json", *map(places.lock, sbom.PYTHON_LOCKS)]
    return stamps.digest(places.root / "web", *locks, Path(__file__).parent, json.dumps(names))


def _fill(places: Places, made: runtime.Runtime, target: Path) -> None:
    copy_sources(places, target)
    _copy(places.node_modules / "@pyscript/core/dist", target / "pyscript", PYSCRIPT)
    _copy(runtime.pyodide(places), target / "engine/pyodide", PYODIDE)
    _copy_all(made.wheels, target / "wheels")
    _copy_all([made.pygments], target / "late")
    _write_temml(places, target / "late/temml.js")
    boot_files.write(places, made, target / "engine/pyodide")
    plain_names.give(target)
    bundle.bundle(places, target)
    shutil.copytree(made.mermaid, target / "late/mermaid")
    sbom.write(places, target)


def copy_sources(places: Places, target: Path) -> None:
    """Copies `web/` and completes it with the texts and policies of Python. Raises Trouble."""
    ignored = shutil.ignore_patterns(".*", "*~", "*.d.*ts")
    shutil.copytree(places.root / "web", target, ignore=ignored)
    catalogue.write(places, target)
    policies.write(places, target)


def _write_temml(places: Places, target: Path) -> None:
    """Temml as a module: its own one is three times as large."""
    source = places.node_modules / "temml/dist/temml.min.js"
    code = source.read_text(encoding="utf-8")
    if not code.startswith("var temml="):
        raise Trouble(f"{source} is not what it was")
    stamps.write_text(target, f"{code}\nexport default temml;\n")


def _copy(source: Path, target: Path, patterns: Iterable[str]) -> None:
    for pattern in patterns:
        found = sorted(source.glob(pattern))
        if not found:
            raise Trouble(f"{source} lacks {pattern}; delete node_modules and run this again")
        _copy_all(found, target)


def _copy_all(files: Iterable[Path], target: Path) -> None:
    target.mkdir(exist_ok=True)
    for file in files:
        shutil.copyfile(file, target / file.name)


def _write_worker(target: Path, files: Iterable[Path]) -> None:
    lists: dict[str, list[dict[str, str | int]]] = {"shell": [], "runtime": [], "late": []}
    version = hashlib.sha256()
    for file in files:
        url = file.relative_to(target).as_posix()
        data = file.read_bytes()
        entry: dict[str, str | int] = {"url": url, "hash": integrity(data), "size": len(data)}
        if url == "sw.js" or is_stored(url):
            version.update(json.dumps(entry).encode())
        if is_stored(url):
            lists[_list_of(url)].append(entry)
    substitute(target / "sw.js", {"version": version.hexdigest()[:16], **lists})


def is_stored(url: str) -> bool:
    return not any(fnmatch(url, pattern) for pattern in NOT_STORED)


def _list_of(url: str) -> str:
    if url.startswith(LATE_FOLDER):
        return "late"
    return "shell" if _is_shell(url) else "runtime"


def _is_shell(url: str) -> bool:
    return url.endswith(SHELL_SUFFIXES) and not url.startswith(RUNTIME_FOLDERS)


def swap(fresh: Path, target: Path) -> None:
    """Puts the folder `fresh` in the place of `target` so that no reader sees half of it.

    Linux can exchange two folders in one step; elsewhere `target` is missing for an instant.
    """
    if target.exists() and not _exchange(fresh, target):
        target.rename(target.with_name(f"{target.name}.old"))
    if not target.exists():
        fresh.rename(target)


def _exchange(one: Path, other: Path) -> bool:
    at_working_folder, exchange = -100, 2
    if sys.platform != "linux":
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):  # an older or another C library
        return False
    paths = (str(one).encode(), str(other).encode())
    done: int = rename(at_working_folder, paths[0], at_working_folder, paths[1], exchange)
    return done == 0
