"""What the tests need on the machine itself: a Chromium and a Redis server."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from tooling import stamps
from tooling.places import Places
from tooling.report import step
from tooling.setup.programs import run
from tooling.trouble import Trouble

BROWSERS = ("chromium", "chromium-browser")
SMALL_BROWSER = "chromium-headless-shell"
SERVERS = ("redis-server", "valkey-server")


def ensure(places: Places) -> None:
    """Installs what is missing, from Debian's packages where we may. Raises Trouble."""
    missing = []
    if not any(map(shutil.which, SERVERS)):
        missing.append("redis-server")
    if not has_browser(places) and is_debian():
        missing.append("chromium")
    if missing and may_install():
        _apt(places, missing)
    elif "redis-server" in missing:
        raise Trouble(
            "the tests need redis-server on the PATH; install it (Debian, Ubuntu: apt-get install"
            " redis-server; macOS: brew install redis), then run this again"
        )
    if not has_browser(places):
        _playwright(places)
    if not shutil.which(SMALL_BROWSER) and is_debian() and may_install():
        with contextlib.suppress(Trouble):  # it saves time; without it the other browser is used
            _apt(places, [SMALL_BROWSER])


def has_browser(places: Places) -> bool:
    """A Chromium on the PATH, or the one that Playwright fetched earlier."""
    return any(map(shutil.which, BROWSERS)) or (places.cache / "browsers" / "done").exists()


def may_install() -> bool:
    return os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def is_debian(release: Path = Path("/etc/os-release")) -> bool:
    """Debian itself: Ubuntu's chromium package is a snap, which containers cannot run."""
    return release.is_file() and "ID=debian" in release.read_text(encoding="utf-8").split()


def _apt(places: Places, packages: list[str]) -> None:
    with step(f"installing {' and '.join(packages)}"):
        env = {"DEBIAN_FRONTEND": "noninteractive"}
        failure = f"installing {' and '.join(packages)} failed"
        run(places, ["apt-get", "update", "-q"], name="apt-update", failure=failure, env=env)
        command = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages]
        run(places, command, name="apt-install", failure=failure, env=env)


def _playwright(places: Places) -> None:
    folder = places.cache / "browsers"
    with step("fetching a Chromium for the tests"):
        command = (places.python, "-m", "playwright", "install", "chromium")
        failure = (
            "there is no Chromium for the tests and fetching one failed; install the package"
            " chromium, then run this again"
        )
        env = {"PLAYWRIGHT_BROWSERS_PATH": str(folder)}
        run(places, command, name="browser", failure=failure, env=env)
    stamps.write_text(folder / "done", "")
