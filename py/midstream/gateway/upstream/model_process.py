"""Keeps the local model running.

One child process for all workers, started again when it crashes.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from midstream.errors import MachineError
from midstream.gateway.config import project_directory
from midstream.gateway.upstream.model_server import Order
from midstream.gateway.upstream.model_state import Child, ModelState

log = logging.getLogger(__name__)

_CRASHES = 5  # in _WINDOW seconds, then it is left alone
_WINDOW = 60.0
_STOP_PATIENCE = 3.0
_COMMAND = [sys.executable, "-m", "midstream.gateway.upstream.model_server"]


def find_model_file(option: str | None) -> Path:
    """--model-file, else MIDSTREAM_MODEL_FILE, else the first .gguf in the checkout's cache."""
    given = option or os.environ.get("MIDSTREAM_MODEL_FILE")
    if given:
        file = Path(given)
        if not file.is_file():
            raise MachineError(f"There is no model file {given}.", hint="Check --model-file.")
        return file
    project = project_directory()
    cached = sorted((project / ".cache" / "models").glob("*.gguf")) if project else []
    if not cached:
        raise MachineError(
            "No local model is installed.",
            hint="Run `python3 build.py serve`, or use --model-file FILE, --upstream URL or --model demo.",
        )
    return cached[0]


def require_engine() -> None:
    if importlib.util.find_spec("xllamacpp") is None:
        raise MachineError(
            "The local model needs xllamacpp.",
            hint="pip install 'midstream[local]', or use --upstream URL or --model demo.",
        )


def default_threads() -> int:
    """One core stays free: threads that share a busy core wait for each other at every token."""
    set_by_hand = os.environ.get("MIDSTREAM_MODEL_THREADS", "")
    if set_by_hand.isdigit() and int(set_by_hand) > 0:
        return int(set_by_hand)
    return max(1, min(4, _cores() - 1))


def _cores() -> int:
    """Those that this process may use, where the system says so."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


class ModelProcess:
    """The supervisor: a thread that starts the child, says where it is, and waits for its end."""

    def __init__(self, file: Path, threads: int | None = None) -> None:
        self._file = file
        self._model = file.name.partition(".")[0].lower()
        self._threads = threads or default_threads()
        self._directory = tempfile.TemporaryDirectory(prefix="midstream-")  # 0700: it holds a key
        self.state_file = Path(self._directory.name) / "model.json"
        self._state = ModelState(self.state_file)
        self._child: subprocess.Popen[str] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="model", daemon=True)

    def start(self) -> None:
        """Returns at once; the model takes a second or more to load."""
        self._say("starting")
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            if self._child is not None and self._child.stdin is not None:
                with contextlib.suppress(OSError):
                    self._child.stdin.close()  # its sign to end
            self._thread.join(_STOP_PATIENCE)
            if self._child is not None and self._child.poll() is None:
                self._child.kill()
                self._thread.join(_STOP_PATIENCE)
        self._directory.cleanup()

    def _supervise(self) -> None:
        crashes: list[float] = []
        while not self._stopping.is_set():
            failed = self._one_life()
            if self._stopping.is_set():
                return
            now = time.monotonic()
            crashes = [then for then in crashes if now - then < _WINDOW] + [now]
            if failed or len(crashes) >= _CRASHES:
                reason = failed or "it crashed again and again"
                # Every client may read it: without the place of the file.
                self._say("failed", error=reason.replace(str(self._file), self._file.name))
                log.error("the local model does not run: %s", reason)
                return
            log.warning("the local model crashed (%s); starting it again", self._how())
            self._say("starting")
            self._stopping.wait(0.2 * len(crashes))

    def _one_life(self) -> str:
        """Runs the child to its end; the reason when it could not serve at all, else ""."""
        key = secrets.token_urlsafe(24)
        order = Order(str(self._file), self._model, key, self._threads)
        paths = [str(Path(__file__).resolve().parents[3]), os.environ.get("PYTHONPATH", "")]
        with subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            start_new_session=True,  # Ctrl-C is for us; the child ends when we do
        ) as child:
            self._child = child
            assert child.stdin is not None and child.stdout is not None
            try:
                child.stdin.write(order.to_line())
                child.stdin.flush()
            except OSError:  # it has ended already, and may have said why
                with contextlib.suppress(OSError):
                    child.stdin.close()  # or the rest would be written, and refused, once more
            line = child.stdout.readline()
            answer = json.loads(line) if line else {}
            if "url" in answer:
                self._say("ready", url=answer["url"], key=key, pid=child.pid)
            child.wait()
        return str(answer.get("error", "")).strip(". ")

    def _how(self) -> str:
        code = self._child.returncode if self._child else None
        if code is not None and code < 0:
            return signal.Signals(-code).name
        return f"exit code {code}"

    def _say(self, state: str, **more: str | int) -> None:
        child = {"state": state, "model": self._model, **more}
        with contextlib.suppress(FileNotFoundError):  # the directory is gone: we are being stopped
            self._state.write(Child(**child))  # type: ignore[arg-type]
