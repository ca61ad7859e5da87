"""Stores, servers and clients for the gateway's tests. Async tests run on anyio's plugin."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis

from midstream.gateway.store.factory import make_store
from midstream.gateway.store.interface import RunStore
from tests.gateway.support import until


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def redis_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a real redis-server without persistence, for this session only."""
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield Path(url.removeprefix("unix://"))


@contextlib.contextmanager
def redis_server(directory: Path, *options: str) -> Iterator[str]:
    """A real redis-server with its data in that folder; gives the URL of its socket there."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("no redis-server on this machine")
    socket = directory / "redis.sock"
    fixed = ["--port", "0", "--unixsocket", str(socket), "--dir", str(directory), "--save", ""]
    with subprocess.Popen([program, *fixed, *options], stdout=subprocess.DEVNULL) as server:
        try:
            until(lambda: server.poll() is not None or _answers(socket), "redis-server")
            assert server.poll() is None
            yield f"unix://{socket}"
        finally:
            server.terminate()


def _answers(socket: Path) -> bool:
    try:
        with redis.Redis(unix_socket_path=str(socket)) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.fixture
def redis_url(redis_socket: Path) -> str:
    with redis.Redis(unix_socket_path=str(redis_socket)) as client:
        client.flushall()
    return f"unix://{redis_socket}"


# Those that outlive a process. In memory is what --quick looks at: the rules are the same.
LASTING = [
    pytest.param(kind, marks=pytest.mark.full_run(reason="the same in memory is quicker"))
    for kind in ("sqlite", "redis")
]


@pytest.fixture(params=["memory", *LASTING])
def store_spec(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What --store would say, for each kind."""
    if request.param == "redis":
        return str(request.getfixturevalue("redis_url"))
    return "memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'log.db'}"


@pytest.fixture
async def store(store_spec: str) -> AsyncIterator[RunStore]:
    opened = make_store(store_spec)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def small_dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built app in miniature: one file of each kind."""
    directory = tmp_path_factory.mktemp("dist")
    for folder in ("engine/pyodide", "late"):
        (directory / folder).mkdir(parents=True)
    files = {
        "index.html": "<!doctype html><title>screen</title>",
        "engine.html": "<!doctype html><title>engine</title>",
        "late/diagram.html": "<!doctype html><title>diagrams</title>",
        "sw.js": "// worker",
        "style.css": "p {}",
        "manifest.json": "{}",
        "config.json": '{"endpoints": [], "default": "file"}',
        "icon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "engine/pyodide/pyodide.mjs": "export {}",
        "engine/pyodide/pyodide.asm.wasm": "\0asm",
        "engine/engine.py": "pass",
        "unknown.bin": "x",
    }
    for name, text in files.items():
        (directory / name).write_text(text)
    return directory
