"""The floor of the gateway's benchmark: uvicorn alone, sending the same event again and again.

    python -m tests.bench.floor EVENTS EVENTS_PER_SEND

No log, no positions to look up, no run: what is slower than this is the gateway's own.
"""

from __future__ import annotations

import asyncio
import socket
import sys

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from midstream import sse
from midstream.providers import openai

FRAME = sse.encode(openai.chunk("0" * 32, "replay", content="word"), id="1-100")


def app_of(events: int, at_once: int) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for sent in range(0, events, at_once):
            body = FRAME * min(at_once, events - sent)
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await asyncio.sleep(0)
        end = sse.encode(openai.DONE)
        await send({"type": "http.response.body", "body": end, "more_body": False})

    return app


def main() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(2048)
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        app = app_of(int(sys.argv[1]), int(sys.argv[2]))
        settings = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        asyncio.run(uvicorn.Server(settings).serve([listener]))


if __name__ == "__main__":
    main()
