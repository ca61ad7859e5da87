"""A second Python for the gateway's tests: the newest beside ours, or the oldest if ours is the newest.

Versions differ in what they do with cancellations and time limits, and ours may forgive what another does not.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tooling import stamps
from tooling.places import Places
from tooling.report import say, step
from tooling.setup import venv
from tooling.setup.programs import run
from tooling.trouble import Trouble

Version = tuple[int, ...]

OLDEST = 11  # of Python 3
NEWEST = 30  # that anybody will have in the years to come
# Of the lock "test": what the gateway's tests import, and what that imports.
_NAMES = (
    "anyio certifi click execnet h11 httpcore httpx hypothesis idna iniconfig mistletoe packaging pluggy pygments"
    " pytest pytest-timeout pytest-xdist redis sortedcontainers starlette typing-extensions uvicorn"
)
PACKAGES = frozenset(_NAMES.split())
_ASK = "import sys, venv, ensurepip, sqlite3, ssl; print(*sys.version_info[:3])"
_READY = ".midstream-ready"


def ensure(places: Places) -> None:
    """Makes the environment, or says that there is no other Python or that it cannot be had. Raises nothing."""
    found = newest()
    if found is None:
        return say("no other Python from 3.11 on is on this machine: the gateway is tested with this one alone")
    version, program = found
    key = stamps.digest(_lock(places), str(program), str(version))
    if stamps.read(places.other_venv / _READY) == key:
        return None
    name = ".".join(map(str, version))
    try:
        with step(f"preparing Python {name} for the gateway's tests"):
            _make(places, program)
    except Trouble as trouble:  # the tests say then that it is missing
        return say(f"the gateway's tests will not run with Python {name}: {trouble}")
    return stamps.write_text(places.other_venv / _READY, key)


def ready(places: Places) -> Path | None:
    """The interpreter that `ensure` has prepared."""
    return places.other_python if (places.other_venv / _READY).exists() else None


def newest(ours: Version = sys.version_info[:3]) -> tuple[Version, Path] | None:
    """The version and program farthest from ours, the newer side first; None when there is no other."""
    found = {version: program for program in _programs() if (version := _version(program)) is not None}
    others = {version: program for version, program in found.items() if version[:2] != ours[:2]}
    if not others:
        return None
    last = max(others)
    chosen = last if last > ours else min(others)
    return chosen, others[chosen]


def _programs() -> Iterator[Path]:
    """On the PATH, and pyenv's: its programs on the PATH work only for the versions that are switched on."""
    for minor in range(OLDEST, NEWEST):
        if (program := shutil.which(f"python3.{minor}")) is not None:
            yield Path(program)
    home = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(home.glob("versions/3.*/bin/python"))


def _version(program: Path) -> Version | None:
    """None when it does not run, is too old, or lacks a standard module."""
    with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
        said = subprocess.run([program, "-I", "-c", _ASK], capture_output=True, text=True, timeout=20, check=True)
        version = tuple(map(int, said.stdout.split()))
        return version if version >= (3, OLDEST) else None
    return None


def _make(places: Places, program: Path) -> None:
    stamps.remove(places.other_venv)
    failure = "making its environment failed"
    run(places, [program, "-m", "venv", places.other_venv], name="other-venv", failure=failure)
    lock = places.other_venv / "requirements.txt"
    stamps.write_text(lock, _lock(places))
    fixed = ("--require-hashes", "--no-deps", "--only-binary=:all:")
    command: list[str | Path] = [places.other_python, "-I", "-m", "pip", "install", *fixed, "-r", lock]
    run(places, command, name="other-pip", failure="installing failed", env=venv.PIP_ENVIRONMENT)


def _lock(places: Places) -> str:
    """The lines of the lock "test" for PACKAGES, hashes included."""
    lines, wanted = [], False
    for line in places.lock("test").read_text(encoding="utf-8").splitlines(keepends=True):
        if line[:1].isalnum():
            wanted = line.partition("=")[0] in PACKAGES
        if wanted and line[:1] != "#":
            lines.append(line)
    return "".join(lines)
