"""The keys of endpoints, each sent to its own endpoint and nowhere else.

A key lives in this engine's memory. The screen keeps one for its tab and tells it to every engine;
one that is to stay on the device is a record of the settings. None is ever in a run, in the spool,
in the outbox or in an export.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from midstream.journal import Change, Store

SCREEN_S = 2.0  # until a request goes without what the screen has not told
_RECORD = "key "
_SHOWN = 4


class Keys:
    """By the base URL of an endpoint."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}
        self._kept: set[str] = set()  # on the device
        self._told = asyncio.Event()

    async def load(self, store: Store, bases: list[str]) -> None:
        for base in bases:
            record = await store.setting(_RECORD + base)
            if record and isinstance(record.get("key"), str):
                self._keys[base] = record["key"]
                self._kept.add(base)

    def tell(self, keys: object) -> None:
        """What the screen keeps for its tab."""
        if isinstance(keys, Mapping):
            self._keys |= {str(base): str(key) for base, key in keys.items()}
        self._told.set()

    def put(self, base: str, key: str, *, keep: bool) -> Change:
        """`keep`: on the device. The change that this takes in the store."""
        self._keys[base] = key
        self._kept.discard(base)
        if not keep:
            return Change().drop("settings", _RECORD + base)
        self._kept.add(base)
        return Change().put("settings", {"id": _RECORD + base, "key": key})

    def drop(self, base: str) -> Change:
        self._keys.pop(base, None)
        self._kept.discard(base)
        return Change().drop("settings", _RECORD + base)

    def shown(self, base: str) -> dict[str, str]:
        """What a person may see of it: its end, and where it is kept."""
        key = self._keys.get(base)
        if not key:
            return {"key": "", "keep": ""}
        end = key[-_SHOWN:] if len(key) > 4 * _SHOWN else ""
        return {"key": f"…{end}", "keep": "device" if base in self._kept else "session"}

    def headers(self, url: str) -> dict[str, str]:
        """Those that a request there needs."""
        bases = [base for base in self._keys if url == base or url.startswith(f"{base}/")]
        if not bases:
            return {}
        return {"authorization": f"Bearer {self._keys[max(bases, key=len)]}"}

    async def known(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), SCREEN_S)
