"""A TCP proxy on loopback that breaks connections the way networks do, when a test says so.

    with Proxy(port_of_the_server) as proxy:
        …  # clients use proxy.port
        proxy.abort()    # every live connection ends in a reset, on both sides
        proxy.refuse()   # new ones are refused, until accept()
        proxy.stall()    # nothing is forwarded and nothing is closed, until resume()

It runs in a thread of its own, so that it can be used from synchronous and asynchronous tests
alike. Each method returns when what it says is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self, TypeVar

T = TypeVar("T")

_PATIENCE = 10.0
_CHUNK = 16 * 1024
# Close with an RST instead of a FIN: what a dying peer or a middle box sends.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards 127.0.0.1:`port` to 127.0.0.1:`target`.

    `up` and `down` count the bytes forwarded to and from the target, `opened` the connections so
    far; `tail` is what was forwarded last to a client. `target` may be changed, for new connections.
    """

    def __init__(self, target: int) -> None:
        self.up = 0
        self.down = 0
        self.opened = 0
        self.tail = b""
        self.port = 0
        self.target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._cut_each: Callable[[], int] | None = None
        self._rate = 0.0
        self._delay = 0.0
        self._line = asyncio.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()

    def abort(self) -> int:
        """Resets all live connections; gives their number."""
        return self._do(self._abort())

    def cut_each(self, after: Callable[[], int]) -> None:
        """Resets each connection that is opened from now on when `after()` bytes have come through from the target."""
        self._call(lambda: setattr(self, "_cut_each", after))

    def refuse(self) -> None:
        """New connections are refused. The live ones stay."""
        self._do(self._unlisten())

    def accept(self) -> None:
        """Takes new connections again, on the same port."""
        self._do(self._listen())

    def stall(self) -> None:
        """Bytes stay where they are, both ways; connections stay open."""
        self._call(self._flowing.clear)

    def slow(self, rate: float, delay: float) -> None:
        """A line that all connections share: `rate` bytes a second from the target, and `delay` seconds
        before each request."""
        self._call(lambda: self.__dict__.update(_rate=rate, _delay=delay))

    def resume(self) -> None:
        self._call(self._flowing.set)

    # -- in the thread's loop

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._link, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _unlisten(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _abort(self) -> int:
        links = list(self._links)
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)
        return len(links)

    async def _close(self) -> None:
        await self._unlisten()
        # Not the links alone: a connection that was accepted a moment ago is not one yet, and would be left open.
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, in a task that `abort` can cancel."""
        self.opened += 1
        link = asyncio.current_task()
        assert link is not None
        self._links.add(link)
        writers = [writer]
        try:
            with contextlib.suppress(OSError):
                target = await asyncio.open_connection("127.0.0.1", self.target)
                writers.append(target[1])
                await self._carry(reader, writer, *target)
        except asyncio.CancelledError:  # the cut; the server behind must not see it as an error
            pass
        finally:
            self._links.discard(link)
            for end in writers:
                _reset(end)

    async def _carry(
        self,
        client_reader: asyncio.StreamReader,
        client_writer: asyncio.StreamWriter,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Both ways until both have ended; a half-closed connection stays half open."""
        left = self._cut_each() if self._cut_each else sys.maxsize
        tasks = [
            asyncio.create_task(self._pump(client_reader, writer, self._sent)),
            asyncio.create_task(self._pump(reader, client_writer, self._received, left)),
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        count: Callable[[bytes], None],
        left: int = sys.maxsize,
    ) -> None:
        while left > 0:
            await self._flowing.wait()
            data = await reader.read(min(_CHUNK, left))
            await self._flowing.wait()
            if not data:
                writer.write_eof()
                return
            await self._travel(len(data), count == self._received)
            writer.write(data)
            await writer.drain()
            count(data)
            left -= len(data)
        raise asyncio.CancelledError  # as `abort` would: this connection is cut

    async def _travel(self, size: int, down: bool) -> None:
        if not down:
            await asyncio.sleep(self._delay)
        elif self._rate:
            async with self._line:
                await asyncio.sleep(size / self._rate)

    def _sent(self, data: bytes) -> None:
        self.up += len(data)

    def _received(self, data: bytes) -> None:
        self.tail = data
        self.down += len(data)

    # -- from the test's thread

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    def _call(self, work: Callable[[], object]) -> None:
        async def run() -> None:
            work()

        self._do(run())


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
