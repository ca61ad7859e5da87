"""The tab that writes an answer, seen from another tab."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from midstream.engine.ports.host import Message

LAST_PATCH_S = 1.0


class RemoteWriter:
    """Owns what this tab has received of it: the last status, and how far its screen is painted."""

    def __init__(self) -> None:
        self.status: Message | None = None  # None before it has come, and when that tab is done
        self.painted = 0  # the last patch that this tab's screen has, from whichever source
        self._patched = asyncio.Event()

    def receive(self, message: Message) -> None:
        """A patch or a status, as that tab has posted it to its own screen."""
        if message["type"] == "patch":
            self.note_painted(int(message["n"]))
            self._patched.set()
        if message["type"] == "status":
            self.status = {key: message[key] for key in message if key not in ("type", "message")}

    def note_painted(self, n: int) -> None:
        self.painted = max(self.painted, n)

    async def until_painted(self, n: int) -> None:
        """Waits for patch `n` if the screen has those before it, but no longer than LAST_PATCH_S."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_PATCH_S):
                while 0 < self.painted < n:
                    self._patched.clear()
                    await self._patched.wait()
