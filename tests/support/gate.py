"""Holds an answer back in its middle, so that what has to happen there happens there on a busy machine too."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from tests.support.processes import Replay, Serve
from tests.support.proxy import Proxy

_END = b"\n\n"  # of an event
_CHUNK = 64 * 1024


class Gate(Proxy):
    """A proxy in front of a model: of each answer it lets through as many events as are `allowed`, and the rest when
    more are."""

    def __init__(self, upstream: Replay | Serve) -> None:
        super().__init__(upstream.port)
        self._allowed = 0
        self._raised = asyncio.Condition()
        self._upstream = upstream

    def allow(self, events: int) -> None:
        """So many events of an answer may pass, counted from its beginning."""

        async def lift() -> None:
            async with self._raised:
                self._allowed = events
                self._raised.notify_all()

        self._do(lift())

    def open(self) -> None:
        self.allow(1_000_000)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        count: Callable[[bytes], None],
        left: int = sys.maxsize,
    ) -> None:
        if count == self._sent:
            return await super()._pump(reader, writer, count, left)
        passed = 0
        while data := await reader.read(_CHUNK):
            for piece in _events(data):
                async with self._raised:
                    while passed >= self._allowed:
                        await self._raised.wait()
                writer.write(piece)
                await writer.drain()
                count(piece)
                passed += piece.endswith(_END)
        writer.write_eof()


def _events(data: bytes) -> Iterator[bytes]:
    """The pieces of `data` that end with an event, and what is left."""
    *whole, rest = data.split(_END)
    yield from (each + _END for each in whole)
    if rest:
        yield rest


class Model:
    """`midstream replay` behind a gate: what a gateway, or a page, is given as its endpoint."""

    def __init__(self, upstream: Replay, exit: ExitStack) -> None:
        self.log = upstream
        self.gate = exit.enter_context(Gate(upstream))

    @property
    def port(self) -> int:
        return self.gate.port

    @property
    def url(self) -> str:
        return f"{self.gate.url}v1"

    def asked_once(self) -> None:
        """It has written the answer once, on one connection that nobody gave up."""
        self.log.until(lambda: self.log.events("done") or self.log.events("abort"))
        kinds = [event["event"] for event in self.log.events()]
        assert kinds == ["open", "done"], f"the model's log: {kinds}"
