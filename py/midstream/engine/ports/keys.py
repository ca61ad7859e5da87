"""The keys of endpoints, each sent to its own endpoint and nowhere else.

A key lives in this engine's memory. The screen keeps one for its tab and tells it to every engine;
a key that stays on the device is a record of the settings. None is ever in a run, in the spool,
in the outbox or in an export.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from midstream.journal import Change, Store

SCREEN_S = 2.0  # the time to wait for the keys of the screen; then a request goes without them
_RECORD = "key "
_VISIBLE = 4


class Keys:
    """By the base URL of an endpoint."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}
        self._on_device: set[str] = set()
        self._received = asyncio.Event()

    async def load(self, store: Store, bases: list[str]) -> None:
        for base in bases:
            record = await store.setting(_RECORD + base)
            if record and isinstance(record.get("key"), str):
                self._keys[base] = record["key"]
                self._on_device.add(base)

    def receive(self, keys: object) -> None:
        """Takes the keys that the screen holds for its tab."""
        if isinstance(keys, Mapping):
            self._keys |= {str(base): str(key) for base, key in keys.items()}
        self._received.set()

    def put(self, base: str, key: str, *, on_device: bool) -> Change:
        """`on_device`: beyond the tab. Returns the change for the store."""
        self._keys[base] = key
        self._on_device.discard(base)
        if not on_device:
            return Change().drop("settings", _RECORD + base)
        self._on_device.add(base)
        return Change().put("settings", {"id": _RECORD + base, "key": key})

    def drop(self, base: str) -> Change:
        """Returns the change for the store."""
        self._keys.pop(base, None)
        self._on_device.discard(base)
        return Change().drop("settings", _RECORD + base)

    def summary(self, base: str) -> dict[str, str]:
        """For the screen: the end of the key, and where it is stored."""
        key = self._keys.get(base)
        if not key:
            return {"key": "", "keep": ""}
        end = key[-_VISIBLE:] if len(key) > 4 * _VISIBLE else ""
        return {"key": f"…{end}", "keep": "device" if base in self._on_device else "session"}

    def headers(self, url: str) -> dict[str, str]:
        """The headers that a request to `url` needs."""
        bases = [base for base in self._keys if url == base or url.startswith(f"{base}/")]
        if not bases:
            return {}
        return {"authorization": f"Bearer {self._keys[max(bases, key=len)]}"}

    async def ready(self) -> None:
        """Returns when the screen has sent its keys, or after SCREEN_S."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._received.wait(), SCREEN_S)
