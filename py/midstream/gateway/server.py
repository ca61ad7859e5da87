"""Runs the app: one process, or several that share a listening socket, until a signal."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import http.client
import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

import uvicorn

from midstream.errors import MachineError, StoreError
from midstream.gateway.addresses import urls_of
from midstream.gateway.config import Config, Limits
from midstream.gateway.http.app import create_app
from midstream.gateway.timed_connection import uvicorn_config

log = logging.getLogger(__name__)

_GRACE = 5  # seconds for answers in flight when the server is stopped
_BACKLOG = 2048


class _Stopped(BaseException):
    """A signal has asked the process to end."""


class Server(uvicorn.Server):
    """Lets the readers go before it waits for connections.

    They would stay for as long as a run lives.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        gateway = self.lifespan.state.get("gateway")
        if gateway is not None:
            gateway.readers.stop()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; MachineError in words when the port is taken or not ours to have."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":  # there it would let two servers have one port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            message, hint = f"Port {port} is taken.", "Choose another with --port."
        elif error.errno == errno.EACCES:
            message, hint = (
                f"Port {port} needs special rights.",
                "Choose one above 1023 with --port.",
            )
        else:
            message, hint = f"Cannot listen on {host}: {error.strerror}.", "Check --host."
        raise MachineError(message, hint=hint, code="port") from error
    return listener


def run(config: Config, listener: socket.socket, announce: Callable[[list[str]], None]) -> None:
    """Serves until SIGINT or SIGTERM. `announce` gets its URLs as soon as it answers."""
    with until_signal():
        stop = threading.Event()
        urls = urls_of(listener)
        waiting = threading.Thread(target=_announce, args=(urls, announce, stop), daemon=True)
        waiting.start()
        try:
            if config.workers == 1:
                serve_app(create_app(config), listener, config.limits)
            else:
                _supervise(config, listener)
        finally:
            stop.set()
            waiting.join()
            listener.close()


def serve_app(app: Any, listener: socket.socket, limits: Limits | None = None) -> None:
    """One process's server, to its end."""
    settings = uvicorn_config(
        app,
        limits or Limits(),
        timeout_keep_alive=75,  # clients that reuse a connection must not meet one that is closing
        timeout_graceful_shutdown=_GRACE,
    )
    server = Server(settings)
    asyncio.run(server.serve([listener]))
    if not server.started:
        raise StoreError("The server could not start.", hint="The lines above say why.")


def configure_logging(level: str | None = None) -> None:
    """Lines on stderr: time, level, words. Libraries that print requests are kept quiet."""
    name = (level or os.environ.get("MIDSTREAM_LOG") or "warning").upper()
    logging.basicConfig(
        level=name if name in logging.getLevelNamesMapping() else "WARNING",
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # What uvicorn says when a stalled reader is let go; we have said it in our own words.
    unfinished = "without completing response"
    logging.getLogger("uvicorn.error").addFilter(lambda line: unfinished not in line.getMessage())
    for library in ("httpx", "httpcore", "hpack", "redis", "asyncio"):
        logging.getLogger(library).setLevel(logging.WARNING)


def _announce(urls: list[str], announce: Callable[[list[str]], None], stop: threading.Event) -> None:
    address = urls[0].removeprefix("http://").rstrip("/")
    while not stop.is_set():
        connection = http.client.HTTPConnection(address, timeout=2)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse()  # whatever it says: a full disk is not for us to wait for
            announce(urls)
            return
        except (OSError, http.client.HTTPException):
            pass  # not yet
        finally:
            connection.close()
        stop.wait(0.02)


# -- several workers


def _supervise(config: Config, listener: socket.socket) -> None:
    """Starts the workers, and again those that die, until a signal."""
    context = multiprocessing.get_context("spawn")

    def start() -> BaseProcess:
        worker = context.Process(target=_worker, args=(config.to_json(), listener), daemon=True)
        worker.start()
        return worker

    workers = [start() for _ in range(config.workers)]
    starts: list[float] = []
    try:
        while True:
            multiprocessing.connection.wait([worker.sentinel for worker in workers])
            for place, worker in enumerate(workers):
                if worker.exitcode is None:
                    continue
                starts = [then for then in starts if time.monotonic() - then < 10]
                starts.append(time.monotonic())
                if len(starts) > 3 * config.workers:
                    raise MachineError("The workers do not stay up.", hint="The lines above say why.")
                log.warning("a worker ended (%s); starting another", worker.exitcode)
                workers[place] = start()
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join(_GRACE + 2)
            if worker.exitcode is None:
                worker.kill()


def _worker(written: str, listener: socket.socket) -> None:
    """The body of a worker process. Ctrl-C reaches the whole group, so only the parent heeds it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logging()
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, name="parent", daemon=True).start()
    config = Config.from_json(written)
    with until_signal():
        serve_app(create_app(config), listener, config.limits)


@contextlib.contextmanager
def until_signal() -> Iterator[None]:
    """SIGTERM, and Ctrl-C where it is not ignored, end the body in order, without a traceback.

    uvicorn takes them while it runs, ends in order, and raises them again afterwards.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise _Stopped

    before = {}
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, stop)
    try:
        yield
    except _Stopped:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
