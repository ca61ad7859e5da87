"""Whether an answer could be stored now."""

from __future__ import annotations

import asyncio

from midstream.gateway.store.interface import RunStore


class Health:
    """Those who ask while the store is being looked at get that answer: asking often costs no more."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._checking: asyncio.Task[None] | None = None

    async def check(self) -> None:
        """StoreError when nothing can be stored."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._store.check())
        await asyncio.shield(self._checking)
