"""The channel between the engines of this browser's tabs: each sends the others a copy of what its
answers send to its screen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import js
from pyodide.ffi import create_proxy

from midstream.engine.ports.host import Message

CHANNEL = "midstream"


class Tabs:
    """A BroadcastChannel. Each post is a JSON array of the messages of one turn of the event loop."""

    def __init__(self) -> None:
        self._channel = js.BroadcastChannel.new(CHANNEL)
        self._messages: list[Message] = []

    def broadcast(self, message: Message) -> None:
        if not self._messages:
            asyncio.get_running_loop().call_soon(self._flush)
        self._messages.append(message)

    def listen(self, receive: Callable[[Message], None]) -> None:
        def on_batch(event: object) -> None:
            for message in json.loads(str(event.data)):  # type: ignore[attr-defined]
                receive(message)

        self._channel.onmessage = create_proxy(on_batch)

    def _flush(self) -> None:
        messages, self._messages = self._messages, []
        self._channel.postMessage(json.dumps(messages, ensure_ascii=False, separators=(",", ":")))
