"""`midstream replay`.

An upstream that answers every chat request with one file, and says what became of it.

It knows nothing of resuming: a connection that closes ends its answer. So it shows whether
somebody else has kept the connection, or the words.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from midstream import sse
from midstream.gateway.http.responses import disconnected
from midstream.gateway.tasks import end_all
from midstream.names import LOOPBACK_IN_URLS
from midstream.providers import openai

MODEL = "replay"
_LOCAL_ORIGINS = rf"https?://({'|'.join(map(re.escape, LOOPBACK_IN_URLS))})(:[0-9]+)?"
_AT_ONCE = 256  # tokens per write when there is no pace

Report = Callable[[dict[str, Any]], None]


def cut(text: str, characters: int) -> list[str]:
    """The file as tokens of so many characters."""
    return [text[start : start + characters] for start in range(0, len(text), characters)]


def print_report(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def create_replay(tokens: Sequence[str], rate: float, report: Report = print_report) -> Starlette:
    """`rate` is in tokens per second, 0 for as fast as the reader takes them."""
    numbers = itertools.count(1)

    async def chat(request: Request) -> Response:
        try:
            asked = await request.json()
        except ValueError:
            asked = None
        if not isinstance(asked, dict) or not isinstance(asked.get("messages"), list):
            error = {"message": "The body must be JSON with a list of messages.", "code": "400"}
            return JSONResponse({"error": error}, 400)
        return _Answer(f"replay-{next(numbers)}", tokens, rate, asked, report)

    async def models(request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    cors = Middleware(
        CORSMiddleware,
        allow_origin_regex=_LOCAL_ORIGINS,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        allow_private_network=True,
    )
    chat_route = Route("/v1/chat/completions", chat, methods=["POST"])
    return Starlette(routes=[chat_route, Route("/v1/models", models)], middleware=[cors])


class _Answer(Response):
    """One answer, streamed or whole. `sent` counts the tokens handed to the connection."""

    def __init__(
        self,
        request_id: str,
        tokens: Sequence[str],
        rate: float,
        asked: dict[str, Any],
        report: Report,
    ) -> None:
        self._stream = bool(asked.get("stream"))
        kind = "text/event-stream" if self._stream else "application/json"
        super().__init__(media_type=kind, headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]
        options = asked.get("stream_options")
        self._usage = bool(options.get("include_usage")) if isinstance(options, dict) else False
        self._id = request_id
        limit = asked.get("max_tokens")
        limit = limit if type(limit) is int and limit > 0 else len(tokens)
        self._tokens = tokens[:limit]
        self._finish = "stop" if limit >= len(tokens) else "length"
        self._rate = rate
        self._report = report
        self._sent = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._say("open")
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(disconnected(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            whole = sending.done() and sending.exception() is None
        finally:
            await end_all([sending, leaving])
        self._say("done" if whole else "abort")

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        pieces = self._events() if self._stream else self._whole()
        async with aclosing(pieces):
            async for piece, tokens in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                self._sent += tokens
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _events(self) -> AsyncGenerator[tuple[bytes, int], None]:
        yield self._chunk(role="assistant", content=""), 0
        async for batch in self._paced():
            yield b"".join(self._chunk(content=token) for token in batch), len(batch)
        yield self._chunk(finish=self._finish), 0
        if self._usage:
            yield self._chunk(usage=(0, len(self._tokens))), 0
        yield sse.encode(openai.DONE), 0

    async def _whole(self) -> AsyncGenerator[tuple[bytes, int], None]:
        """Takes its time too, but says nothing before the end."""
        async for _ in self._paced():
            pass
        usage = (0, len(self._tokens))
        text = "".join(self._tokens)
        body = openai.completion(self._id, MODEL, text, finish=self._finish, usage=usage)
        yield json.dumps(body, ensure_ascii=False).encode(), len(self._tokens)

    async def _paced(self) -> AsyncGenerator[Sequence[str], None]:
        """Tokens when they are due.

        By the clock, not by the sleep: a late wake-up sends more at once.
        """
        start, count, total = time.monotonic(), 0, len(self._tokens)
        while count < total:
            if self._rate:
                due = int((time.monotonic() - start) * self._rate) + 1
                if due <= count:
                    await asyncio.sleep(max(start + count / self._rate - time.monotonic(), 0.001))
                    continue
            else:
                due = count + _AT_ONCE
                await asyncio.sleep(0)
            yield self._tokens[count:due]
            count = min(due, total)

    def _chunk(self, **parts: Any) -> bytes:
        return sse.encode(openai.chunk(self._id, MODEL, **parts))

    def _say(self, event: str) -> None:
        self._report({"event": event, "request": self._id, "sent": self._sent})
