"""The commands of build.py: what each needs, in which order, and how it ends."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from tooling import stamps, watch
from tooling.assets import brotli, dist
from tooling.checks import preflight
from tooling.parts import runtime
from tooling.places import HERE, Places
from tooling.report import say
from tooling.setup import machine, model, npm, other_python, venv
from tooling.trouble import USAGE, Trouble, from_os_error

HELP = """\
usage: python3 build.py [COMMAND] [OPTIONS]

  serve   set up what is missing, build, and serve app + gateway on http://127.0.0.1:8765
          (options: python3 build.py serve --help; --watch: a change in web/ or py/ is there
          after a reload)
  test    set up what is missing, a browser and redis-server included, and run the tests
          (options go to pytest; --quick: those that need neither, in about a minute)
  bench   benchmarks, results in bench/results/
  (none)  build dist/, a static site for any host
"""

CORES = os.cpu_count() or 1
# Nearly half of what a worker does in a full run is waiting for servers and clocks, so two more than there are cores.
# tests/dealing.py says which test goes to which. A later `-n 0` undoes it.
WORKERS = min(4, CORES + 2)
SIDE_BY_SIDE = ("--dist=loadscope", "--no-loadscope-reorder")


def main(arguments: Sequence[str], places: Places = HERE) -> int:
    """Runs one command; returns the exit code. Every known failure is one line on stderr."""
    try:
        return _run(arguments, places)
    except Trouble as trouble:
        return _fail(str(trouble), trouble.code)
    except OSError as error:
        return _fail(str(from_os_error(error)), 1)
    except KeyboardInterrupt:
        return _fail("stopped; run it again to go on", 130)
    except Exception as error:
        return _unforeseen(error, places)


def _run(arguments: Sequence[str], places: Places) -> int:
    command, *options = arguments or ("build",)
    if command in ("-h", "--help", "help"):
        say(HELP.rstrip())
        return 0
    commands: dict[str, Callable[[Places, list[str]], int]] = {
        "build": build,
        "serve": serve,
        "test": test,
        "bench": bench,
    }
    if command not in commands:
        raise Trouble(f"there is no command {command!r}; see: python3 build.py --help", USAGE)
    return commands[command](places, options)


def build(places: Places, options: list[str]) -> int:
    if options:
        raise Trouble(f"build takes no options, got: {' '.join(options)}", USAGE)
    with alone(places):
        _set_up(places)
    say(f"built {places.dist}")
    return 0


def serve(places: Places, options: list[str]) -> int:
    # Said before minutes of set-up, not after.
    watched = "--watch" in options
    options = [option for option in options if option != "--watch"]
    wanted = preflight.serve_options(places, options)
    preflight.port_is_free(wanted.host, wanted.port)
    with alone(places):
        if watched:
            watch.set_up(places)
        else:
            _set_up(places, packed=not preflight.is_loopback(wanted.host))
        if _is_local(wanted):
            _set_up_model(places)
    command: list[str | Path] = [places.script("midstream"), "serve", *options]
    if watched:
        return watch.serve(places, command, _environment(places))
    _become(places, command)


def test(places: Places, options: list[str]) -> int:
    quick = "--quick" in options  # pytest knows it, too (tests/conftest.py)
    with alone(places):
        if quick:
            venv.ensure(places, "test")
            npm.ensure(places, types=True)
        else:
            _set_up(places, lock="test", types=True)
            _set_up_model(places)
            machine.ensure(places)
            other_python.ensure(places)
    workers = CORES if quick else WORKERS
    command: list[str | Path] = [
        places.python,
        "-m",
        "pytest",
        f"--numprocesses={workers}",
        *SIDE_BY_SIDE,
    ]
    _become(places, [*command, *options])


def bench(places: Places, options: list[str]) -> int:
    with alone(places):
        _set_up(places, lock="test", types=True)
        venv.ensure(places, "bench")
    _become(places, [places.python, "-m", "tests.bench", *options])


def _set_up(places: Places, *, lock: str = "app", types: bool = False, packed: bool = True) -> None:
    venv.ensure(places, lock)
    npm.ensure(places, types=types)
    dist.ensure(places, runtime.ensure(places))
    brotli.ensure(places, make=packed)


def _is_local(wanted: argparse.Namespace) -> bool:
    elsewhere = wanted.upstream or wanted.direct or wanted.static_only
    return wanted.model in (None, "local") and not elsewhere


def _set_up_model(places: Places) -> None:
    try:
        venv.ensure(places, "local")
        model.ensure(places)
    except Trouble as trouble:
        other = "without the built-in model: serve --model demo, or --upstream URL"
        raise Trouble(f"{trouble}; {other}", trouble.code) from trouble


def _become(places: Places, command: list[str | Path]) -> NoReturn:
    """Goes on as `command`, which then gets the signals and gives the exit code."""
    environment = _environment(places)
    words = [str(part) for part in command]
    sys.stdout.flush()
    if os.name == "nt":  # there, exec would leave the terminal to two programs
        sys.exit(subprocess.call(words, cwd=places.root, env=environment))
    os.chdir(places.root)
    os.execve(words[0], words, environment)


def _environment(places: Places) -> dict[str, str]:
    environment = {**os.environ, "MIDSTREAM_DIST": str(places.dist)}
    if model.path(places).exists():
        environment["MIDSTREAM_MODEL_FILE"] = str(model.path(places))
    browsers = places.cache / "browsers"
    if browsers.exists():
        environment["PLAYWRIGHT_BROWSERS_PATH"] = str(browsers)
    return environment


@contextlib.contextmanager
def alone(places: Places) -> Iterator[None]:
    """Two builds in one checkout take turns."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    places.cache.mkdir(exist_ok=True)
    with (places.cache / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another build.py is at work in this checkout; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fail(message: str, code: int) -> int:
    print(f"build.py: {message}", file=sys.stderr)
    return code


def _unforeseen(error: Exception, places: Places) -> int:
    """A fault in our own code: the person gets a line, whoever mends it the traceback."""
    log = places.logs / "build.log"
    text = "".join(traceback.format_exception(error))
    try:
        stamps.write_text(log, text)
    except OSError:
        print(text, file=sys.stderr)
    return _fail(f"unexpected {type(error).__name__}: {error} (details: {log})", 1)
