"""The built-in demo endpoint: a scripted answer, streamed without any network and resumable like
the gateway's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping

from midstream import sse
from midstream.providers import demo


class DemoNet:
    """A Net with one run per chat request. The run's id holds its prompt, so a reloaded page can
    follow it again."""

    def __init__(self) -> None:
        self._stopped: set[str] = set()

    def absolute(self, url: str) -> str:
        return url

    async def reach(self, url: str) -> None:
        pass

    async def denied(self) -> bool:
        return False

    async def open(self, method: str, url: str, headers: Mapping[str, str], body: str | None = None) -> DemoResponse:
        if url.endswith("/chat/completions"):
            messages = json.loads(body or "{}")["messages"]
            # Behind it stands the answer that is continued, if there is one.
            prompt = next(str(m["content"]) for m in messages[::-1] if m["role"] == "user")
            return DemoResponse(self, "demo-" + prompt.encode().hex(), prompt, 0)
        run, _, rest = url.partition("/runs/")[2].partition("/")
        if rest == "cancel":
            self._stopped.add(run)
        prompt = bytes.fromhex(run.removeprefix("demo-")).decode()
        return DemoResponse(self, run, prompt, int(rest.partition("after=")[2] or 0))

    def is_stopped(self, run: str) -> bool:
        return run in self._stopped


class DemoResponse:
    status = 200

    def __init__(self, net: DemoNet, run: str, prompt: str, after: int) -> None:
        self.headers: Mapping[str, str] = {
            "content-type": "text/event-stream",
            "midstream-run": run,
            "midstream-head": str(after),
        }
        self._net = net
        self._run = run
        self._after = after
        self._pieces = aiter(self._events(prompt))

    async def read(self) -> bytes:
        return await anext(self._pieces, b"")

    def close(self) -> None:
        pass

    async def _events(self, prompt: str) -> AsyncIterator[bytes]:
        seq = 0
        for seq, token in enumerate(demo.tokens(prompt), 1):
            if seq <= self._after:
                continue
            if self._net.is_stopped(self._run):
                yield self._terminal(seq, "cancelled")
                return
            await asyncio.sleep(1 / demo.RATE)
            yield self._encode(seq, {"choices": [{"index": 0, "delta": {"content": token}}]})
        finish = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        yield self._encode(seq + 1, finish)
        yield self._terminal(seq + 2, "completed")

    def _terminal(self, seq: int, state: str) -> bytes:
        return self._encode(seq, {"choices": [], "midstream": {"state": state}})

    @staticmethod
    def _encode(seq: int, chunk: object) -> bytes:
        return sse.encode(json.dumps(chunk), id=f"0-{seq}")
