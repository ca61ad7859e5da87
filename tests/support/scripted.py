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

PATIENCE = 20.0
_LOOK = 0.02
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Call:
    """One request, and the way to answer it."""

    def __init__(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        self.path = path
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body
        self._pieces: queue.Queue[bytes | type[ConnectionError] | None] = queue.Queue()
        self._over = threading.Event()
        self._left = threading.Event()

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

    def until_left(self) -> None:
        """Returns when the other side has closed the connection before the end."""
        assert self._left.wait(PATIENCE), "the connection is still open"

    @property
    def left(self) -> bool:
        return self._left.is_set()

    def carry(self, connection: socket.socket, write: Callable[[bytes], object]) -> None:
        """Writes pieces in chunked coding until one of the two sides ends it."""
        try:
            while (piece := self._next(connection)) is not None:
                if not isinstance(piece, bytes):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                    return
                write(b"%x\r\n%b\r\n" % (len(piece), piece))
            write(b"0\r\n\r\n")
        except OSError:
            self._left.set()
        finally:
            self._over.set()

    def _next(self, connection: socket.socket) -> bytes | type[ConnectionError] | None:
        while True:
            with contextlib.suppress(queue.Empty):
                return self._pieces.get(timeout=_LOOK)
            readable, _, _ = select.select([connection], [], [], 0)
            if readable and not connection.recv(1, socket.MSG_PEEK):
                raise ConnectionResetError


class Scripted:
    """`status` and `headers` are those of the answers to come."""

    def __init__(self, status: int = 200, kind: str = "text/event-stream") -> None:
        self.status = status
        self.headers = {"Content-Type": kind}
        self.calls: list[Call] = []
        self._news = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1/chat/completions"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Scripted:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
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
                status, headers = server.status, dict(server.headers)
                with server._news:
                    server.calls.append(call)
                    server._news.notify_all()
                self._start(status, {**headers, "Transfer-Encoding": "chunked"})
                self.close_connection = True
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
