"""How far an answer has come, as far as that decides how it ends. The gateway and a page that talks
to an endpoint itself decide by the same rules.

1. Complete is an answer of which every choice had a finish reason. `[DONE]` and an orderly end of
   the connection say nothing.
2. An error before that ends it as failed. After that nothing matters: an error, or something
   unreadable, takes nothing away from a complete answer.
3. Something unreadable ends nothing: the answer goes on after it. If no text follows, it stands
   where the end of the text should be (many servers print their errors there), and the answer has
   failed.
4. Without a finish reason an answer is interrupted when something of it came, and failed when
   nothing did.
"""

from __future__ import annotations

from collections.abc import Iterable

from midstream.events import Delta, Event, Extra, Failed, Finish, Nothing, Unreadable

__all__ = ["AFTER_FINISH_S", "Progress"]

# What may follow the last finish reason: usage, and from some servers a last piece of text.
AFTER_FINISH_S = 10.0


class Progress:
    """`choices`: how many the request asks for. `reason`: a finish reason that is known from
    before; `begun`: something of the answer is."""

    def __init__(self, choices: int = 1, *, reason: str = "", begun: bool = False) -> None:
        self.begun = begun
        self.failure: Failed | None = None
        self.reason = reason  # of the lowest choice that has one
        self._open = set() if reason else set(range(choices))
        self._seen: set[int] = {0} if reason else set()
        self._ended: set[int] = {0} if reason else set()
        self._reason_of = 0 if reason else 1 << 30
        self._unreadable: Failed | None = None

    @property
    def finished(self) -> bool:
        """Whether every choice has ended, so that nothing has to follow."""
        return bool(self._ended) and not self._open

    def take(self, events: Iterable[Event]) -> bool:
        """Notes what a payload means. False when it is no part of the answer, and is not to be
        kept: nothing at all, something unreadable, an error after the end."""
        kept = True
        for event in events:
            match event:
                case Delta() | Extra():
                    self._piece(event.index)
                case Finish():
                    self._finish(event)
                case Failed() if self.finished:
                    kept = False
                case Failed():
                    self.failure = self.failure or event
                case Unreadable():
                    self._unreadable = None if self.finished else event.failure
                    kept = False
                case Nothing():
                    kept = False
        return kept

    def _piece(self, index: int) -> None:
        self.begun, self._unreadable = True, None
        self._seen.add(index)
        self._open.add(index)

    def _finish(self, finish: Finish) -> None:
        self._seen.add(finish.index)
        self._open.discard(finish.index)
        self._ended.add(finish.index)
        if finish.index <= self._reason_of:
            self.reason, self._reason_of = finish.reason, finish.index

    def state(self, *, cut: bool = False) -> str:
        """The state in which the answer ends here: completed, failed (`failure` says why, if the
        server did) or interrupted. `cut`: the connection broke, so it did not end in order."""
        if not cut:
            self.failure = self.failure or self._unreadable
        whole = self.finished if cut else bool(self._seen) and self._seen <= self._ended
        if self.failure is None and whole:
            return "completed"
        return "interrupted" if self.begun and self.failure is None else "failed"
