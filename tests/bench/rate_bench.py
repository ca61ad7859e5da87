"""Answers at their true pace, resumed everywhere by one reader and by hundreds: how long until the first event?

    python -m tests.bench.rate_bench [--store memory|sqlite|redis] [--rate 1|30|400] [--readers N] [--quick]

For each store, pace (events per second) and length (one word; 10,000 events or what comes in six minutes): readers
resume at 0, in the middle, at the head and at the end, when half of the answer is there and when it has ended. Each
reads to the end, and must get each event once. All of them come at the same moment (a third of them to each position of
a live answer). Figures are milliseconds until the first event, p50 and maximum; at the head of a live answer that is
the next one, so the pace is in it. The floor is a small static file from the same server, asked for by as many.
`short`: a thousand answers of one word, which all must end. The whole takes an hour.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.gateway.conftest import redis_server
from tests.gateway.live import chat
from tests.support.processes import Serve, replay, serve

STORES, RATES, EVENTS, LONGEST = ("memory", "sqlite", "redis"), (1, 30, 400), 10_000, 340.0
_SEQ = re.compile(rb"^id: 1-(\d+)$", re.MULTILINE)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.rate_bench", description=__doc__)
    parser.add_argument("--store", action="append", choices=STORES)
    parser.add_argument("--rate", action="append", type=int, choices=RATES)
    parser.add_argument("--readers", type=int, default=400)
    parser.add_argument("--quick", action="store_true", help="20 seconds of each answer")
    options = parser.parse_args()
    for store in options.store or STORES:
        for rate in options.rate or RATES:
            events = int(min(EVENTS, rate * (20 if options.quick else LONGEST)))
            for length in (1, events):
                figures = played(store, rate, length, options.readers)
                print(json.dumps({"store": store, "rate": rate, "events": length, **figures}), flush=True)
        print(json.dumps({"store": store, "short": short(store, 100 if options.quick else 1000)}), flush=True)
    return 0


def played(store: str, rate: int, events: int, readers: int) -> dict[str, Any]:
    with _server(store, rate, events) as app:
        return asyncio.run(_Play(app, readers).figures(events))


def short(store: str, count: int) -> dict[str, Any]:
    """So many answers of one word, ten at a time."""
    with _server(store, 0, 1) as app:
        return asyncio.run(_short(app, count))


@contextlib.contextmanager
def _server(store: str, rate: float, events: int) -> Iterator[Serve]:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        (folder / "answer.md").write_text("word" * events)
        (folder / "index.html").write_text("<!doctype html><title>screen</title>")
        if store == "redis":
            spec = stack.enter_context(redis_server(folder, "--appendonly", "yes"))
        else:
            spec = "memory:" if store == "memory" else f"sqlite:{folder / 'log.db'}"
        upstream = stack.enter_context(replay(folder / "answer.md", rate=rate, chunk=4))
        yield stack.enter_context(serve("--upstream", upstream.url, "--dist", name, "--store", spec))


class _Play:
    def __init__(self, app: Serve, readers: int) -> None:
        self._port, self._readers = app.port, readers
        self._url = app.url

    async def figures(self, events: int) -> dict[str, Any]:
        async with httpx.AsyncClient(base_url=self._url, timeout=None, trust_env=False) as client:
            posting = asyncio.create_task(client.post("/v1/chat/completions", **chat(conversation="c")))
            run, head = await self._reached(client, events // 2)
            places = {"0": 0, "middle": head // 2, "head": head}
            alone = {name: asyncio.create_task(self._read(run, after)) for name, after in places.items()}
            third = self._readers // 3
            groups = {
                name: asyncio.gather(*(self._read(run, after) for _ in range(third))) for name, after in places.items()
            }
            found = {f"live {name} x1": _spread([await task]) for name, task in alone.items()}
            found |= {f"live {name} x{third}": _spread(await group) for name, group in groups.items()}
            assert (await posting).status_code == 200
            head = (await client.get(f"/v1/runs/{run}")).json()["head"]
            for count in (1, self._readers):
                for name, after in {"0": 0, "middle": head // 2, "head": head - 1}.items():
                    found[f"ended {name} x{count}"] = await self._at_once(count, f"/v1/runs/{run}/events?after={after}")
                found[f"end x{count}"] = await self._at_once(count, f"/v1/runs/{run}/events?after={head}")
                found[f"floor x{count}"] = await self._at_once(count, "/")
            return found

    async def _reached(self, client: httpx.AsyncClient, seq: int) -> tuple[str, int]:
        """The id and the head of the run, when it has come so far."""
        while True:
            runs = (await client.get("/v1/conversations/c")).json().get("runs", [])
            if runs and runs[0]["head"] >= seq:
                return runs[0]["id"], runs[0]["head"]
            await asyncio.sleep(0.05)

    async def _at_once(self, count: int, path: str) -> dict[str, float]:
        return _spread(await asyncio.gather(*(self._first(path) for _ in range(count))))

    async def _read(self, run: str, after: int) -> float:
        return await self._first(f"/v1/runs/{run}/events?after={after}")

    async def _first(self, path: str) -> float:
        """Reads to the end; gives the seconds until the first event, or until the head of an answer without any."""
        begun = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        streamed = b"event-stream" in head
        whole = await reader.readuntil(b"\ndata: ") if streamed else b""
        first = time.perf_counter() - begun
        whole += await reader.read()
        writer.close()
        if streamed:
            assert whole.endswith(b"0\r\n\r\n"), "the stream broke"
            seqs, after = [int(seq) for seq in _SEQ.findall(whole)], int(path.rpartition("=")[2])
            assert seqs == list(range(after + 1, after + 1 + len(seqs))), "an event is missing or repeated"
        return first


async def _short(app: Serve, count: int) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=app.url, timeout=60, trust_env=False) as client:
        begun, ended = time.perf_counter(), 0
        for _ in range(0, count, 10):
            answers = await asyncio.gather(*(client.post("/v1/chat/completions", **chat()) for _ in range(10)))
            for answer in answers:
                run = (await client.get(f"/v1/runs/{answer.headers['midstream-run']}")).json()
                ended += run["state"] == "completed" and run["text"] == "word"
    return {"begun": count, "ended": ended, "seconds": round(time.perf_counter() - begun, 1)}


def _spread(seconds: list[float]) -> dict[str, float]:
    """In milliseconds."""
    return {"p50": round(1000 * statistics.median(seconds), 1), "max": round(1000 * max(seconds), 1)}


if __name__ == "__main__":
    sys.exit(main())
