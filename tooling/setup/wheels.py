"""The wheels that the page can load: three from the index, and midstream built from `py/`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tooling import stamps
from tooling.places import Places
from tooling.report import step
from tooling.setup.programs import run
from tooling.setup.venv import PIP_ENVIRONMENT, pip_command
from tooling.trouble import Trouble

# The Python inside the page, for which the index must choose. Follows the version of `pyodide`.
PAGE_PYTHON = "3.14"


def vendored(places: Places) -> list[Path]:
    """Wheels of requirements/browser.txt, fetched once. Raises Trouble."""
    return _cached(places, "browser", "wheels")


def pygments(places: Places) -> list[Path]:
    """Wheels of requirements/late.txt: the page gets parts of them, when it needs them."""
    return _cached(places, "late", "latewheels")


def _cached(places: Places, lock: str, name: str) -> list[Path]:
    key = stamps.digest(places.lock(lock), PAGE_PYTHON)
    folder = places.cache / f"{name}-{key[:16]}"
    if not folder.is_dir():
        with step("fetching wheels for the page"), stamps.whole_folder(folder) as fresh:
            fetch(places, lock, fresh, f"--python-version={PAGE_PYTHON}")
        stamps.keep_only(places.cache, f"{name}-*", [folder])
    return sorted(folder.glob("*.whl"))


def fetch(places: Places, lock: str, target: Path, *options: str) -> None:
    """Downloads the wheels of a lock without installing anything; hashes are checked by pip."""
    fixed = ("--require-hashes", "--no-deps", "--only-binary=:all:", "--dest", target)
    command = pip_command(places, "download", *fixed, *options, "-r", places.lock(lock))
    failure = "fetching wheels for the page failed"
    run(places, command, name=f"wheels-{lock}", failure=failure, env=PIP_ENVIRONMENT)


def own(places: Places) -> Path:
    """The wheel of `py/midstream`, built again when something in it changes. Raises Trouble."""
    parts = [places.root / name for name in ("py", "pyproject.toml", "LICENSE")]
    key = stamps.digest(*parts)
    folder = places.cache / f"midstream-{key[:16]}"
    if not folder.is_dir():
        with step("building midstream's wheel"), stamps.whole_folder(folder) as fresh:
            # hatchling writes the same bytes for the same files, whatever the clock says.
            command = (places.python, "-I", "-m", "hatchling", "build", "-t", "wheel", "-d", fresh)
            env = {"SOURCE_DATE_EPOCH": None}
            failure = "building midstream's wheel failed"
            run(places, command, name="wheel-midstream", failure=failure, env=env)
        stamps.keep_only(places.cache, "midstream-*", [folder])
    found = list(folder.glob("*.whl"))
    if len(found) != 1:
        raise Trouble(f"{folder} holds no wheel; delete that folder and run this again")
    return found[0]


def package_list(wheels: list[Path], runtime: dict[str, str]) -> str:
    """Pyodide's lock file (JSON text), cut down to `wheels`; they lie beside it.

    `runtime` is the `info` block of the original: it names the ABI that wheels must fit.
    """
    packages = {entry["name"]: entry for entry in map(_entry, wheels)}
    return json.dumps({"info": runtime, "packages": packages}, sort_keys=True, indent=1) + "\n"


def _entry(wheel: Path) -> dict[str, object]:
    name, version = wheel.name.split("-")[:2]
    return {
        "name": name,
        "version": version,
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": [name],
        "depends": [],
        "unvendored_tests": False,
    }
