"""Benchmark of the gateway, each figure beside a floor of the same run.

    python -m tests.bench gateway [--quick]

- `cancel`: from the request to stop a run until the upstream sees its connection closed; the floor
  is a client that closes its own connection to the upstream.
- `restart`: from a kill -9 until a reader of the cut run has its terminal event; the floor is when
  the server that was started again first answers.
- `worker`: the same for one killed worker of four; there is no floor but zero.
- `resume`: from a GET at a position in the middle of a log until the first event; the floor is a
  small static file from the same server. A new connection each.
- `readers`: deliveries per second to readers of one log, on one worker; the floor is uvicorn that
  sends one ready-made event, in pieces as large as the gateway's (tests/bench/floor.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from midstream.gateway.runs.readers import WINDOW
from tests.gateway.test_processes import Stream, ask, children, follow, holds, post
from tests.support.processes import PROJECT, Replay, Serve, replay, serve

WORDS = "".join(f"word{number:05} " for number in range(2000))  # 4 characters per token
TOKENS = len(WORDS) // 4
READERS = (1, 10, 100)


def measure(quick: bool = False) -> dict[str, Any]:
    """All figures; times in milliseconds."""
    times = 5 if quick else 20
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "answer.md").write_text(WORDS)
        (directory / "dist").mkdir()
        (directory / "dist" / "index.html").write_text("<!doctype html><title>screen</title>")
        bench = _Bench(directory)
        return {
            "python": sys.version.split()[0],
            "tokens": TOKENS,
            "cancel": bench.cancel(times),
            "restart": bench.restart(2 if quick else 5),
            "worker": bench.worker(1 if quick else 3),
            "resume": bench.resume(10 * times),
            "readers": bench.readers(READERS[:2] if quick else READERS),
        }


class _Bench:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._logs = 0

    @contextlib.contextmanager
    def _upstream(self, rate: float) -> Iterator[Replay]:
        with replay(self._directory / "answer.md", rate=rate, chunk=4) as upstream:
            yield upstream

    @contextlib.contextmanager
    def _server(self, upstream: Replay, log: Path, *options: str) -> Iterator[Serve]:
        fixed = ["--upstream", upstream.url, "--dist", str(self._directory / "dist")]
        with serve(*fixed, "--store", f"sqlite:{log}", *options) as app:
            yield app

    def _log(self) -> Path:
        self._logs += 1
        return self._directory / f"log{self._logs}.db"

    def cancel(self, times: int) -> dict[str, Any]:
        def stopped(app: Serve, stream: Stream) -> None:
            ask(app, "POST", f"/v1/runs/{stream.run}/cancel")

        with self._upstream(50) as upstream, self._server(upstream, self._log()) as app:
            gateway = [_until_closed(upstream, app, stopped) for _ in range(times)]
            floor = [
                _until_closed(upstream, upstream, lambda _, stream: stream.close())  # type: ignore[arg-type]
                for _ in range(times)
            ]
        return {"gateway": _spread(gateway), "floor": _spread(floor)}

    def restart(self, times: int) -> dict[str, Any]:
        found, floor = [], []
        with self._upstream(50) as upstream:
            for _ in range(times):
                log = self._log()
                with self._server(upstream, log) as app:
                    stream = post(app)
                    stream.until(3)
                    killed = time.perf_counter()
                    app.kill()
                with self._server(upstream, log) as app:
                    floor.append(time.perf_counter() - killed)
                    _read_to_end(app, stream.run)
                    found.append(time.perf_counter() - killed)
        return {"interrupted": _spread(found), "floor": _spread(floor)}

    def worker(self, times: int) -> dict[str, Any]:
        found = []
        with self._upstream(50) as upstream:
            for _ in range(times):
                log = self._log()
                with self._server(upstream, log, "--workers", "4") as app:
                    stream = post(app)
                    stream.until(3)
                    with contextlib.closing(sqlite3.connect(log)) as db:
                        ((writer,),) = db.execute("SELECT writer FROM runs").fetchall()
                    (worker,) = [pid for pid in children(app.pid, "spawn_main") if holds(pid, writer)]
                    killed = time.perf_counter()
                    os.kill(worker, signal.SIGKILL)
                    _read_to_end(app, stream.run)
                    found.append(time.perf_counter() - killed)
        return {"interrupted": _spread(found)}

    def resume(self, times: int) -> dict[str, Any]:
        with self._upstream(0) as upstream, self._server(upstream, self._log()) as app:
            run = _finished(app)
            gateway, floor = [], []
            for _ in range(times):
                gateway.append(_first_byte(app, f"/v1/runs/{run}/events?after=1-{TOKENS // 2}"))
                floor.append(_first_byte(app, "/"))
        return {"gateway": _spread(gateway), "floor": _spread(floor)}

    def readers(self, counts: tuple[int, ...]) -> dict[str, Any]:
        """Medians of three rounds, deliveries per second."""
        found: dict[str, Any] = {}
        with (
            self._upstream(0) as upstream,
            self._server(upstream, self._log()) as app,
            _floor(TOKENS, WINDOW) as floor,
        ):
            path = f"{app.url}v1/runs/{_finished(app)}/events"
            for count in counts:
                rates: dict[str, list[float]] = {"gateway": [], "floor": []}
                for _ in range(3):
                    rates["gateway"].append(asyncio.run(_deliveries(path, count)))
                    rates["floor"].append(asyncio.run(_deliveries(floor, count)))
                row = {name: round(statistics.median(some)) for name, some in rates.items()}
                found[str(count)] = row | {"share": round(row["gateway"] / row["floor"], 2)}
        return found


def _until_closed(upstream: Replay, begun_at: Serve, stop: Callable[[Serve, Stream], None]) -> float:
    """Seconds from the stop until the upstream says that its connection is closed."""
    aborts = len(upstream.events("abort"))
    with contextlib.closing(post(begun_at)) as stream:
        stream.until(3)
        begun = time.perf_counter()
        stop(begun_at, stream)
        upstream.until(lambda: len(upstream.events("abort")) > aborts)
        return time.perf_counter() - begun


def _read_to_end(app: Serve, run: str) -> None:
    """Comes back when the worker at the other end was the one that has died."""
    while True:
        with (
            contextlib.suppress(OSError),
            contextlib.closing(follow(app, run)) as reader,
        ):
            messages = reader.rest()
            if messages and messages[-1].data == "[DONE]":
                assert "interrupted" in messages[-2].data
                return


def _finished(app: Serve) -> str:
    with contextlib.closing(post(app)) as stream:
        stream.rest()
        return stream.run


def _first_byte(app: Serve, path: str) -> float:
    begun = time.perf_counter()
    with contextlib.closing(Stream(app, "GET", path)) as stream:
        assert stream.response.read1(1)
        return time.perf_counter() - begun


async def _deliveries(url: str, count: int) -> float:
    """Events per second that `count` readers get together."""
    place = urlsplit(url)
    request = f"GET {place.path or '/'} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode()

    async def read() -> int:
        reader, writer = await asyncio.open_connection(place.hostname, place.port, limit=1 << 20)
        writer.write(request)
        events, end = 0, b""
        while not end.endswith(b"0\r\n\r\n"):
            piece = await reader.read(1 << 18)
            assert piece, "the stream broke"
            events += piece.count(b"data: ")
            end = (end + piece)[-8:]
        writer.close()
        return events

    begun = time.perf_counter()
    events = sum(await asyncio.gather(*(read() for _ in range(count))))
    assert events > 0.99 * count * TOKENS
    return events / (time.perf_counter() - begun)


@contextlib.contextmanager
def _floor(events: int, at_once: int) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.bench.floor", str(events), str(at_once)]
    path = os.pathsep.join([str(PROJECT / "py"), str(PROJECT)])
    env = {**os.environ, "PYTHONPATH": path}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def _spread(seconds: list[float]) -> dict[str, float]:
    """In milliseconds."""
    ordered = sorted(1000 * value for value in seconds)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return {"p50": round(statistics.median(ordered), 2), "p95": round(p95, 2), "n": len(ordered)}
