"""Wake-ups inside one process. They carry no data: who is woken reads the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Wakeups:
    """Topics and the events of those that wait for them. Event loop's thread only."""

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self._events: dict[str, set[asyncio.Event]] = {}
        self._on_change = on_change  # the set of topics has changed

    @property
    def topics(self) -> set[str]:
        return set(self._events)

    @contextmanager
    def watch(self, topic: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        new = topic not in self._events
        self._events.setdefault(topic, set()).add(event)
        if new:
            self._on_change()
        try:
            yield event
        finally:
            self._events[topic].discard(event)
            if not self._events[topic]:
                del self._events[topic]
                self._on_change()

    def notify(self, topic: str) -> None:
        for event in self._events.get(topic, ()):
            event.set()
