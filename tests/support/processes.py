"""`midstream serve` and `midstream replay` as real processes, for tests.

    with replay(file, rate=60) as upstream, serve("--upstream", upstream.url, …) as app:
        …

A process that ends before it answers fails the test at once, with what it printed. Whatever
happens, it is gone at the end.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, TypeVar

T = TypeVar("T")

PROJECT = Path(__file__).parents[2]
_PATIENCE = 60.0  # for a start on a busy machine; a limit for what is broken, not a measure
_END = 15.0
_URL = re.compile(r"http://\S+")


class Process:
    """A running command. `lines` are those of its standard output so far."""

    def __init__(self, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as we do
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "midstream.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=PROJECT,
            env=_environment(env or {}),
        )
        assert self.popen.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.popen.stdout,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.popen.pid

    def errors(self) -> str:
        """What it has written to standard error."""
        self._errors.flush()
        self._errors.seek(0)
        return self._errors.read()

    def wait_for(self, look: Callable[[], T | None], what: str, seconds: float = _PATIENCE) -> T:
        """What `look` finds, asked again after each line and every 50 ms.

        AssertionError when the process ends.
        """
        found = look()
        for _ in range(int(seconds / 0.05)):
            if found is not None:
                return found
            if self.popen.poll() is not None:
                self._reader.join(_END)
                found = look()
                if found is not None:
                    return found
                raise AssertionError(f"ended ({self.popen.returncode}) before {what}:\n{self.output()}")
            with self._news:
                self._news.wait(0.05)
            found = look()
        raise AssertionError(f"no {what} within {seconds:.0f} s:\n{self.output()}")

    def output(self) -> str:
        return "\n".join(self.lines) + "\n" + self.errors()

    def stop(self) -> int:
        """SIGTERM, as a service manager would; gives the exit code."""
        return self._end(signal.SIGTERM)

    def interrupt(self) -> int:
        """SIGINT, as Ctrl-C would."""
        return self._end(signal.SIGINT)

    def kill(self) -> int:
        """SIGKILL: it can do nothing about it."""
        return self._end(signal.SIGKILL)

    def close(self) -> None:
        if self.popen.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
        self._reader.join(_END)
        assert self.popen.stdout is not None
        self.popen.stdout.close()
        self._errors.close()

    def _end(self, number: signal.Signals) -> int:
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        return self.popen.wait(_END)

    def _read(self, output: IO[str]) -> None:
        for line in output:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()


class Serve(Process):
    """`midstream serve`, answering. `url` ends in a slash."""

    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2].strip("/"))


class Replay(Process):
    """`midstream replay`, answering. `url` is the base URL for --upstream."""

    url: str

    @property
    def port(self) -> int:
        return int(self.url.split(":")[2].partition("/")[0])

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The JSON lines so far, all or those of one kind (open, abort, done)."""
        found = [json.loads(line) for line in list(self.lines)]
        return [event for event in found if kind in (None, event["event"])]

    def until(self, condition: Callable[[], object], seconds: float = 20) -> None:
        """Waits until `condition()` is true; it will look at `events`."""
        self.wait_for(lambda: True if condition() else None, "what was waited for", seconds)


@contextlib.contextmanager
def serve(*options: str, env: Mapping[str, str] | None = None) -> Iterator[Serve]:
    """On a free port, unless `options` name one."""
    port = () if "--port" in options else ("--port", "0")
    server = Serve("serve", *options, *port, env=env)
    with contextlib.closing(server):
        server.url = server.wait_for(lambda: _url_in("\n".join(server.lines)), "its URL")
        yield server


@contextlib.contextmanager
def replay(file: str | Path, *, rate: float = 30, chunk: int = 4, port: int = 0) -> Iterator[Replay]:
    options = ("--rate", f"{rate:g}", "--chunk", f"{chunk}", "--port", f"{port}")
    server = Replay("replay", str(file), *options)
    with contextlib.closing(server):
        server.url = server.wait_for(lambda: _url_in(server.errors()), "its URL")
        yield server


def free_port() -> int:
    """Nobody listens there now; for servers whose address has to be known before they start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _url_in(text: str) -> str | None:
    match = _URL.search(text)
    return match.group() if match else None


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Ours, with the checkout's package, and one thread for the model.

    The machine has other work.
    """
    fixed = {"PYTHONPATH": str(PROJECT / "py"), "MIDSTREAM_MODEL_THREADS": "1"}
    return {**os.environ, **fixed, **more}
