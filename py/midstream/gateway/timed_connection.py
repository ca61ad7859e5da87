"""One HTTP connection that ends when its client stands still, and gives its socket back.

uvicorn closes a connection by sending the rest of what is in its buffer first. A client that reads
nothing never lets it come to that, and one that never sends the end of its request keeps the
connection as long as it likes: a few hundred of either use up what a process may have open.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol

from midstream.gateway.config import Limits

SLOWEST = 1024.0  # bytes per second; a request that comes more slowly stands still
_LOOKS = 4  # times that a full buffer is looked at before it is given up


class TimedConnection(H11Protocol):
    """`request` and `reader`: seconds in which something has to come, or to be taken."""

    def __init__(self, request: float, reader: float, **given: Any) -> None:
        super().__init__(**given)
        self._request = request
        self._reader = reader
        self._due = 0.0  # when the rest of a request must have come
        self._incoming: asyncio.TimerHandle | None = None  # while a request is incomplete
        self._outgoing: asyncio.TimerHandle | None = None  # while something waits to be taken
        self._left = 0  # bytes in the buffer, at the last look
        self._idle_looks = 0  # since when nobody has taken any

    # asyncio's protocol

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # Nothing may wait in the buffer without our being told of it.
        transport.set_write_buffer_limits(high=0)
        self._due = self.loop.time() + self._request
        self._look_at_request()

    def data_received(self, data: bytes) -> None:
        now = self.loop.time()
        waiting = self._due if self._incoming else now + self._request
        self._due = min(waiting + len(data) / SLOWEST, now + self._request)
        super().data_received(data)
        self._watch_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.trailing_data[0]:  # a part of the next request came with this one
            self._due = self.loop.time() + self._request
            self._watch_request()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._left, self._idle_looks = self.transport.get_write_buffer_size(), 0
        self._look_again()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._outgoing = _cancelled(self._outgoing)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._incoming, self._outgoing = _cancelled(self._incoming), _cancelled(self._outgoing)

    # What stands still

    def _is_incomplete(self) -> bool:
        """Whether more of a request has to come: of its head or its body."""
        ours = self.transport.get_protocol() is self  # else it has gone over to another one
        return ours and self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def _watch_request(self) -> None:
        self._incoming = _cancelled(self._incoming)
        if self._is_incomplete():
            self._look_at_request()

    def _look_at_request(self) -> None:
        now = self.loop.time()
        if self.flow.read_paused:  # it is we who take nothing
            self._due = now + self._request
        if now >= self._due:
            self.transport.abort()
        else:
            self._incoming = self.loop.call_at(self._due, self._look_at_request)

    def _look_at_buffer(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._idle_looks = self._idle_looks + 1 if left >= self._left else 0
        self._left = left
        if self._idle_looks >= _LOOKS:
            self.transport.abort()
        else:
            self._look_again()

    def _look_again(self) -> None:
        self._outgoing = self.loop.call_later(self._reader / _LOOKS, self._look_at_buffer)


def uvicorn_config(app: Any, limits: Limits, **more: Any) -> Config:
    """uvicorn's settings for a server of ours, whose connections are timed."""
    timed: Any = partial(TimedConnection, limits.request, limits.stalled_reader)
    return Config(
        app,
        http=timed,
        log_config=None,
        access_log=False,  # ids are in the paths
        server_header=False,
        proxy_headers=False,
        **more,
    )


def _cancelled(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """None, for the place of a timer that nobody waits for any more."""
    if timer is not None:
        timer.cancel()
    return None
