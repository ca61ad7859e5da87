"""Wake-ups inside one process. They carry no data: who is woken reads the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

AT_ONCE = 16  # more would hold up whoever else has something to do, for as long as all of them take


class Wakeups:
    """Topics and the events of those that wait for them. Event loop's thread only.

    They are woken in the order in which they began to wait, AT_ONCE in one turn of the loop.
    """

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self._events: dict[str, dict[asyncio.Event, None]] = {}  # a set with an order
        self._on_change = on_change  # the set of topics has changed

    @property
    def topics(self) -> set[str]:
        return set(self._events)

    @contextmanager
    def watch(self, topic: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        new = topic not in self._events
        self._events.setdefault(topic, {})[event] = None
        if new:
            self._on_change()
        try:
            yield event
        finally:
            del self._events[topic][event]
            if not self._events[topic]:
                del self._events[topic]
                self._on_change()

    def notify(self, topic: str) -> None:
        self._wake([event for event in self._events.get(topic, ()) if not event.is_set()])

    def _wake(self, events: list[asyncio.Event]) -> None:
        for event in events[:AT_ONCE]:
            event.set()
        if events[AT_ONCE:]:
            asyncio.get_running_loop().call_soon(self._wake, events[AT_ONCE:])
