"""An HTTP server that says what a test tells it to, piece by piece, to pages of any origin.

with Scripted() as server:
    …                               # somebody POSTs to server.url
    call = server.call(1)           # waits for the first request
    call.send(b"data: one\n\n")
    call.end()                      # or call.die(), call.until_left()
"""

from __future__ import annotations

import contextlib
import queue
import select
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar

T = TypeVar("T")
Head = tuple[int, Mapping[str, str]]

PATIENCE = 20.0
_LOOK = 0.02
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Call:
    """One request, and the way to answer it."""

    def __init__(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        self.path = path
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body
        self._head: queue.Queue[Head | None] = queue.Queue()
        self._pieces: queue.Queue[bytes | type[ConnectionError] | None] = queue.Queue()
        self._over = threading.Event()
        self._left = threading.Event()

    def answer(self, status: int, headers: Mapping[str, str] | None = None) -> Call:
        """Begins the answer; needed where the server is `held` only."""
        self._head.put((status, headers or {}))
        return self

    def send(self, piece: bytes) -> Call:
        self._pieces.put(piece)
        return self

    def end(self) -> None:
        """The answer is whole."""
        self._pieces.put(None)
        assert self._over.wait(PATIENCE), "the answer was not taken"

    def die(self) -> None:
        """The connection is reset in the middle of it."""
        self._pieces.put(ConnectionError)
        assert self._over.wait(PATIENCE), "the answer was not taken"

    def cut(self) -> None:
        """Closes the connection, however far the answer is."""
        self._head.put(None)
        self._pieces.put(ConnectionError)

    def until_left(self) -> None:
        """Returns when the other side has closed the connection before the end."""
        assert self._left.wait(PATIENCE), "the connection is still open"

    @property
    def left(self) -> bool:
        return self._left.is_set()

    def left_within(self, seconds: float) -> bool:
        """Whether the other side closes the connection in that time."""
        return self._left.wait(seconds)

    def head(self, connection: socket.socket) -> Head | None:
        """What `answer` was given; None when there will be none."""
        try:
            return _taken(self._head, connection)
        except OSError:
            self._left.set()
            return None

    def carry(self, connection: socket.socket, write: Callable[[bytes], object]) -> None:
        """Writes pieces in chunked coding until one of the two sides ends it."""
        try:
            while (piece := _taken(self._pieces, connection)) is not None:
                if not isinstance(piece, bytes):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                    return
                write(b"%x\r\n%b\r\n" % (len(piece), piece))
            write(b"0\r\n\r\n")
        except OSError:
            self._left.set()
        finally:
            self._over.set()


def _taken(pieces: queue.Queue[T], connection: socket.socket) -> T:
    """The next one. Raises ConnectionResetError when the other side leaves before there is one."""
    while True:
        with contextlib.suppress(queue.Empty):
            return pieces.get(timeout=_LOOK)
        readable, _, _ = select.select([connection], [], [], 0)
        if readable and not connection.recv(1, socket.MSG_PEEK):
            raise ConnectionResetError


class Scripted:
    """`status` and `headers` are those of the answers to come."""

    def __init__(self, *, held: bool = False, port: int = 0) -> None:
        self.held = held
        self.status = 200
        self.headers = {"Content-Type": "text/event-stream"}
        self.calls: list[Call] = []
        self._closed = False
        self._news = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1/chat/completions"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Scripted:
        self._thread.start()
        return self

    def cut(self) -> None:
        """Closes what is open and what still comes: a browser asks again by itself on a used connection."""
        self._closed = True
        for call in self.calls:
            call.cut()

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)

    def call(self, number: int = 1) -> Call:
        """The request with this number, counted from 1; waits for it."""
        with self._news:
            found = self._news.wait_for(lambda: len(self.calls) >= number, PATIENCE)
        assert found, f"request {number} never came"
        return self.calls[number - 1]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_OPTIONS(self) -> None:
                asked = self.headers.get("Access-Control-Request-Headers", "")
                self._start(204, {"Access-Control-Allow-Headers": asked, "Content-Length": "0"})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                call = Call(self.path, dict(self.headers), body)
                begin: Head | None = (server.status, dict(server.headers))
                with server._news:
                    server.calls.append(call)
                    if server._closed:
                        call.cut()
                    server._news.notify_all()
                self.close_connection = True
                if server.held:
                    begin = call.head(self.connection)
                if begin is not None:
                    self._start(begin[0], {**begin[1], "Transfer-Encoding": "chunked"})
                    call.carry(self.connection, self.wfile.write)

            def _start(self, status: int, headers: Mapping[str, str]) -> None:
                self.send_response(status)
                open_to_all = {
                    "Access-Control-Allow-Origin": "*",
                    "Access-Control-Expose-Headers": "*",
                }
                for name, value in {**open_to_all, **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
