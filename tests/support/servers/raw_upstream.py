"""An upstream that plays recorded shapes byte by byte over a raw socket, as tests/cases/upstreams.json
describes them (its `about` says how). A request names its shape by the "model" in its body."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

Shape = Mapping[str, Any]

CASES = Path(__file__).parents[2] / "cases" / "upstreams.json"
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER by which closing sends RST
_REPEATED = re.compile(r"\{\{(.)\*(\d+)\}\}")


def shapes() -> dict[str, Shape]:
    cases: dict[str, Shape] = json.loads(CASES.read_text(encoding="utf-8"))["cases"]
    return cases


def piece_of(text: str) -> bytes:
    if text.startswith("hex:"):
        return bytes.fromhex(text.removeprefix("hex:"))
    return _REPEATED.sub(lambda match: match[1] * int(match[2]), text).encode()


class RawUpstream:
    """`scale`: by which the recorded times are multiplied. `requests`: the heads that came, by shape."""

    def __init__(self, shapes: Mapping[str, Shape], scale: float) -> None:
        self.url = ""
        self.asked: Counter[str] = Counter()
        self.heads: dict[str, str] = {}
        self._shapes = shapes
        self._scale = scale

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            size = re.search(r"(?i)content-length: (\d+)", head)
            body = json.loads(await reader.readexactly(int(size[1]))) if size else {}
            name = str(body.get("model", ""))
            self.heads[name] = head
            await self._play(name, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the other side has left
        finally:
            writer.close()

    async def _play(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shape = self._shapes.get(name, {"status": 404, "send": []})
        self.asked[name] += 1
        if shape.get("wanted") == "retried" and self.asked[name] > 1:
            shape = self._shapes["plain"]
        if not shape.get("nohead"):
            await asyncio.sleep(shape.get("hdelay", 0) * self._scale)
            writer.write(_head(shape))
        for seconds, text in shape["send"]:
            await asyncio.sleep(seconds * self._scale)
            writer.write(piece_of(text))
            await writer.drain()
        await self._close(shape.get("close"), reader, writer)

    async def _close(self, how: str | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if how == "hang":
            await reader.read()
        elif how == "rst":
            if not self.asked.total():
                return
            # What has been written must have arrived: a reset takes back what has not been read.
            await asyncio.sleep(0.05)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


def _head(shape: Shape) -> bytes:
    headers = {"Content-Type": shape.get("ctype", "text/event-stream"), "Connection": "close"}
    headers |= shape.get("headers", {})
    lines = [f"HTTP/1.1 {shape.get('status', 200)} OK"]
    lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@asynccontextmanager
async def raw_upstream(shapes: Mapping[str, Shape], *, scale: float = 1.0) -> AsyncIterator[RawUpstream]:
    playing = RawUpstream(shapes, scale)
    server = await asyncio.start_server(playing.answer, "127.0.0.1", 0)
    playing.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield playing
    finally:
        server.close()
