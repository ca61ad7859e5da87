"""`build.py serve --watch`: a change in web/ or py/ is in the page after a reload, in seconds.

Python's sources go into the page as they are, without a snapshot, and the service worker keeps no
file. So the page starts later than a built one and does not work offline; the rest is the same.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tooling.assets import dist
from tooling.parts import runtime
from tooling.places import Places
from tooling.report import say
from tooling.setup import npm, venv
from tooling.trouble import Trouble

PERIOD_S = 0.2
# Parts of the package that only the page runs: a server needs no new start for them.
PAGE_ONLY = ("py/midstream/engine/", "py/midstream/markdown/")


def set_up(places: Places) -> None:
    """All that the first page needs; the first time of all it takes as long as a build."""
    venv.ensure(places, "app")
    npm.ensure(places, types=False)
    make(places)


def make(places: Places) -> None:
    dist.ensure(places, runtime.draft(places), offline=False)


def serve(places: Places, command: Sequence[str | Path], environment: Mapping[str, str]) -> int:
    """Runs the server and makes `dist/` again after each change, until one of the two is ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # by way of `finally`: no server is left

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(list(map(str, command)), cwd=places.root, env=dict(environment))

    server = start()
    seen = state(places)
    try:
        while server.poll() is None:
            time.sleep(PERIOD_S)
            now = state(places)
            changed = {name for name, _ in seen ^ now}
            seen = now
            if changed and _made(places) and any(map(_is_of_server, changed)):
                _end(server)
                server = start()
    finally:
        _end(server)
    return server.returncode


def state(places: Places) -> set[tuple[str, int]]:
    """The files that a page or server is made of, with the time of their last change."""
    found = set()
    for folder in ("web", "py"):
        for file in (places.root / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                found.add((file.relative_to(places.root).as_posix(), file.stat().st_mtime_ns))
    return found


def _made(places: Places) -> bool:
    """Whether it could be made: a mistake in a script is said, and the next change tries again."""
    try:
        make(places)
    except Trouble as trouble:
        say(f"not built: {trouble}")
        return False
    say("built: reload the page")
    return True


def _is_of_server(name: str) -> bool:
    return name.startswith("py/") and not name.startswith(PAGE_ONLY)


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait()
