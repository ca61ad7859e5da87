"""Clients that stand still: their sockets are given back, counted as the system counts them."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from uvicorn.server import ServerState

from midstream.gateway.config import Limits
from midstream.gateway.http.requests import OWNER
from midstream.gateway.timed_connection import uvicorn_config
from tests.gateway.live import FINISH, Gateway, live, word_chunk
from tests.gateway.support import created, eventually, write

pytestmark = [pytest.mark.anyio, pytest.mark.full_run(reason="waits until the server has lost its patience")]

QUICK = {"stalled_reader": 0.2, "request": 0.2}
MANY = 20
OPEN = Path("/proc/self/fd")


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with live(limits=QUICK) as running:
        yield running


async def long_run(gateway: Gateway) -> str:
    """6 MB, more than the system's buffers hold."""
    run = await created(gateway.store, owner=OWNER, conversation="c")
    await write(gateway.store, run, *(word_chunk("x" * 10_000) for _ in range(600)), FINISH, end="completed")
    return run.id


def accepted(gateway: Gateway) -> int:
    """The sockets of this process that have the gateway's port: listening, or taken."""
    port, count = gateway.client.base_url.port, 0
    for entry in OPEN.iterdir():
        try:
            if not str(entry.readlink()).startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(entry.name))) as ours:
                count += ours.family == socket.AF_INET and ours.getsockname()[1] == port
        except OSError:
            continue
    return count


async def begin(gateway: Gateway, *lines: str) -> socket.socket:
    """A connection that has sent these lines, and nothing after them; its own buffer is small."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    port = gateway.client.base_url.port
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", port))
    text = "\r\n".join(lines).replace("HOST", f"Host: 127.0.0.1:{port}")
    if text:
        await loop.sock_sendall(client, text.encode())
    return client


async def all_given_back(gateway: Gateway, clients: list[socket.socket], before: int) -> None:
    async def back() -> bool:
        return accepted(gateway) <= before

    try:
        await eventually(back, "end of the sockets")
    finally:
        for client in clients:
            client.close()


POST = ["POST /v1/chat/completions HTTP/1.1", "HOST", "Content-Type: application/json"]
HALF = {
    "nothing": [],
    "a half line": ["GET /heal"],
    "a half head": ["GET /healthz HTTP/1.1", "HOST", "X: y"],
    "no body": [
        "POST /v1/chat/completions HTTP/1.1",
        "HOST",
        "Content-Type: application/json",
        "Content-Length: 9",
        "",
    ],
    "a half body": [
        *POST,
        "Content-Length: 100000",
        "",
        '{"messages": [',
    ],
    "a half chunk": [
        *POST,
        "Transfer-Encoding: chunked",
        "",
        "ff",
        "x",
    ],
    "a body that nobody wants": ["POST /v1/runs/x/cancel HTTP/1.1", "HOST", "Content-Length: 9", "", ""],
    "a half of the next": ["GET /healthz HTTP/1.1", "HOST", "", "GET /healthz HTTP/1.1", "HO"],
}


@pytest.mark.skipif(not OPEN.is_dir(), reason="only Linux lists a process's own files")
@pytest.mark.parametrize("lines", HALF.values(), ids=HALF)
async def test_a_request_that_does_not_go_on_is_given_up(
    gateway: Gateway, lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    before = accepted(gateway)
    clients = [await begin(gateway, *lines) for _ in range(MANY)]
    await all_given_back(gateway, clients, before)
    assert "Traceback" not in caplog.text


@pytest.mark.skipif(not OPEN.is_dir(), reason="only Linux lists a process's own files")
@pytest.mark.parametrize("what", ["a stream", "a snapshot"])
async def test_the_socket_of_a_reader_that_takes_nothing_is_closed(gateway: Gateway, what: str) -> None:
    run, before = await long_run(gateway), accepted(gateway)
    path = f"/v1/runs/{run}" + ("/events" if what == "a stream" else "")
    clients = [await begin(gateway, f"GET {path} HTTP/1.1", "HOST", "", "") for _ in range(5)]
    await all_given_back(gateway, clients, before)
    assert (await gateway.snapshot(run))["head"] == 601


class Clock:
    """A loop's time, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, Callable[[], None], Mock]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, work: Callable[[], None]) -> Mock:
        timer = Mock(**{"cancelled": False})
        timer.cancel.side_effect = lambda: setattr(timer, "cancelled", True)
        self._due.append((when, work, timer))
        return timer

    def create_task(self, work: Coroutine[Any, Any, None]) -> Mock:
        work.close()  # nobody answers here
        return Mock()

    def call_later(self, delay: float, work: Callable[[], None]) -> Mock:
        return self.call_at(self.now + delay, work)

    def move(self, seconds: float) -> None:
        until = self.now + seconds
        while due := [entry for entry in self._due if entry[0] <= until]:
            first = min(due, key=lambda entry: entry[0])
            self._due.remove(first)
            self.now = max(self.now, first[0])
            if not first[2].cancelled:
                first[1]()
        self.now = until


class Connected:
    """A TimedConnection between a clock and a transport that only counts; patience: 8 s each."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.transport = Mock(**{"is_closing.return_value": False, "get_extra_info.return_value": None})
        config = uvicorn_config(lambda *_: None, Limits(request=8, stalled_reader=8))
        config.load()
        loop: Any = self.clock
        self.connection: Any = config.http_protocol_class(  # type: ignore[call-arg]
            config=config, server_state=ServerState(), app_state={}, _loop=loop
        )
        self.transport.get_protocol.return_value = self.connection
        self.connection.connection_made(self.transport)

    def buffered(self, size: int) -> None:
        self.transport.get_write_buffer_size.return_value = size

    @property
    def aborted(self) -> bool:
        return bool(self.transport.abort.called)


REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def test_a_reader_that_takes_a_little_is_kept_and_one_that_takes_nothing_is_not() -> None:
    it = Connected()
    it.connection.data_received(REQUEST)
    it.buffered(5000)
    it.connection.pause_writing()
    for size in range(4999, 4980, -1):
        it.clock.move(7)
        it.buffered(size)
    assert not it.aborted
    it.clock.move(11)
    assert it.aborted


def test_a_reader_that_has_taken_all_is_not_looked_at() -> None:
    it = Connected()
    it.connection.data_received(REQUEST)
    it.buffered(5000)
    it.connection.pause_writing()
    it.connection.resume_writing()
    it.clock.move(100)
    assert not it.aborted


@pytest.mark.parametrize(("size", "kept"), [(2048, True), (256, False)])
def test_a_request_may_come_slowly_but_not_byte_by_byte(size: int, kept: bool) -> None:
    it = Connected()
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n"
    it.connection.data_received(head)
    for _ in range(20):
        it.clock.move(1)
        it.connection.data_received(b"x" * size)
    assert it.aborted != kept
    it.clock.move(9)
    assert it.aborted


def test_what_we_do_not_read_is_not_the_clients_fault() -> None:
    it = Connected()
    it.connection.data_received(b"POST /")
    it.connection.flow.pause_reading()
    it.clock.move(100)
    assert not it.aborted


async def test_a_client_that_resets_in_the_middle_of_its_body_makes_no_noise(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    before = accepted(gateway)
    for _ in range(3):
        client = await begin(gateway, *HALF["a half body"])
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    await all_given_back(gateway, [], before)
    assert (await gateway.client.get("/healthz")).status_code == 200
    assert caplog.text == ""
