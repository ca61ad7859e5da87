"""The project's own `.venv` with exactly the locked packages in it.

A kill in the middle leaves BUSY behind, and the next run starts from nothing; a failure that pip
itself reports (no network, wrong hash) happens before it installs, so then the rest is kept.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tooling import stamps
from tooling.places import Places
from tooling.report import Progress, say, step
from tooling.setup.programs import LineWatcher, run
from tooling.trouble import Trouble

BUSY = ".midstream-busy"

# A person's own pip settings for other places must not send our packages elsewhere.
PIP_ENVIRONMENT: dict[str, str | None] = {
    "PIP_USER": "0",
    "PIP_TARGET": None,
    "PIP_PREFIX": None,
    "PIP_ROOT": None,
    "PIP_REQUIRE_HASHES": None,
    "PIP_NO_INPUT": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PYTHONDONTWRITEBYTECODE": None,
    "VIRTUAL_ENV": None,
}


def ensure(places: Places, lock: str) -> None:
    """Makes `.venv` hold the packages of `lock` ("app", "test", "local") and midstream itself.

    "test" holds all of "app". Raises Trouble.
    """
    _ensure_base(places)
    if not _has(places, lock):
        with step(f"installing Python packages ({lock})") as progress, _busy(places):
            _install_lock(places, lock, progress)
        _mark(places, lock)
    if not _has_project(places):
        with step("installing midstream into .venv"), _busy(places):
            _install_project(places)
        stamps.write_text(_stamp(places, "project"), _project_key(places))


def pip_command(places: Places, *arguments: str | Path) -> list[str | Path]:
    # -I: a PYTHONPATH or a user site of the person's own must not mix in.
    return [places.python, "-I", "-m", "pip", *arguments]


def watch_bytes(progress: Progress) -> LineWatcher:
    """Turns pip's raw progress lines into a note like "12 of 34 MB"."""

    def watch(line: str) -> bool:
        found = re.match(r"Progress (\d+) of (\d+)", line)
        if found:
            done, total = (int(number) / 1e6 for number in found.groups())
            progress.note = f"{done:.0f} of {total:.0f} MB"
        elif line.startswith("Installing"):
            progress.note = "unpacking"
        return found is not None

    return watch


def _ensure_base(places: Places) -> None:
    key = _base_key(places)
    if places.python.exists() and _has_base(places, key) and not (places.venv / BUSY).exists():
        return
    if places.venv.exists():
        say("the folder .venv is half-made or of another Python; making it anew")
    _require_modules()
    with step("making .venv"):
        stamps.remove(places.venv)
        options = ["-m", "venv", "--symlinks"] if os.name != "nt" else ["-m", "venv"]
        failure = "making .venv failed"
        run(places, [sys.executable, *options, places.venv], name="venv", failure=failure)
    with step("installing pip"):
        _pip_install(places, "pip", "installing pip failed")
    stamps.write_text(_stamp(places, "base"), key + "\n" + _real_python(places))


def _base_key(places: Places) -> str:
    # The checkout's path counts: a moved .venv has programs that point to the old place.
    return stamps.digest(places.lock("pip"), str(places.root))


def _has_base(places: Places, key: str) -> bool:
    # The link `.venv/bin/python` may lead to a newer Python after a system upgrade.
    return stamps.read(_stamp(places, "base")) == key + "\n" + _real_python(places)


def _real_python(places: Places) -> str:
    return os.path.realpath(places.python)


def _require_modules() -> None:
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise Trouble(
                f"this Python ({sys.executable}) lacks its module {module!r}; install it (Debian,"
                " Ubuntu: apt-get install python3-venv), then run this again"
            )


def _stamp(places: Places, name: str) -> Path:
    return places.venv / f".midstream-{name}"


def _lock_key(places: Places, lock: str) -> str:
    return stamps.digest(places.lock(lock))


def _has(places: Places, lock: str) -> bool:
    return stamps.read(_stamp(places, lock)) == _lock_key(places, lock)


def _mark(places: Places, lock: str) -> None:
    stamps.write_text(_stamp(places, lock), _lock_key(places, lock))
    if lock == "test":  # its versions are held to those of app.txt, so app is complete too
        stamps.write_text(_stamp(places, "app"), _lock_key(places, "app"))


def _has_project(places: Places) -> bool:
    return stamps.read(_stamp(places, "project")) == _project_key(places)


def _project_key(places: Places) -> str:
    return stamps.digest(places.root / "pyproject.toml")


@contextlib.contextmanager
def _busy(places: Places) -> Iterator[None]:
    """Marks the time in which a kill would leave packages half-installed."""
    marker = places.venv / BUSY
    stamps.write_text(marker, "")
    try:
        yield
    except Trouble:
        marker.unlink()
        raise
    marker.unlink()


def _install_lock(places: Places, lock: str, progress: Progress) -> None:
    failure = f"installing Python packages ({lock}) failed"
    _pip_install(places, lock, failure, "--progress-bar=raw", watch=watch_bytes(progress))


def _pip_install(places: Places, lock: str, failure: str, *options: str, watch: LineWatcher | None = None) -> None:
    fixed = ("--require-hashes", "--no-deps", "--only-binary=:all:")
    command = pip_command(places, "install", *fixed, *options, "-r", places.lock(lock))
    run(places, command, name=f"pip-{lock}", failure=failure, env=PIP_ENVIRONMENT, watch=watch)


def _install_project(places: Places) -> None:
    command = pip_command(places, "install", "--no-deps", "--no-build-isolation", "--editable", places.root)
    failure = "installing midstream into .venv failed"
    run(places, command, name="pip-project", failure=failure, env=PIP_ENVIRONMENT)
