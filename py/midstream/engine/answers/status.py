"""The state of an answer as the screen is told it: one word (ARCHITECTURE.md, "Names to rely on")
and counts."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from midstream.engine.ports.host import Message
from midstream.engine.store.records import error_of
from midstream.engine.store.rendering import seq_of
from midstream.journal import Record, Row, cursor, tokens
from midstream.session import MAYBE_SENT, Outcome, Session, State

# data-state of an ended answer.
ENDED = {
    Outcome.DONE: "complete",
    Outcome.STOPPED: "stopped",
    Outcome.FAILED: "failed",
    Outcome.INTERRUPTED: "interrupted",
    Outcome.EXPIRED: "interrupted",
}
RATE_WINDOW_S = 3.0


def live_state(session: Session, rows: Sequence[Row], before: str) -> str:
    """The word for a session that has not ended in the journal. `rows`: of its run; `before`: the
    last word that was said."""
    match session.state:
        case State.WAITING | State.OPENING if session.unreachable and not session.begun:
            return "queued"
        case State.WAITING:
            return "reconnecting" if session.online else "offline"
        case State.CATCHING_UP:
            return "catching-up"
        case State.LIVE:
            return "streaming" if any(row.tokens for row in rows) else "waiting"
        case State.OPENING if session.attempt:
            return "reconnecting" if session.online else "offline"
        case State.OPENING if rows:
            return "catching-up"
        case State.CLOSED:  # the last events are on their way to the journal
            return before or "catching-up"
    return "sending"


def status_of(record: Record, rows: Sequence[Row]) -> Message:
    """The stored status: of an answer that has ended, or that nobody is writing now."""
    run = len(record["runs"]) - 1
    seq = seq_of(record, run, cursor(rows, run))
    seconds = float(record.get("seconds", 0))
    count = tokens(rows)
    error = record.get("error")
    status: Message = {
        "state": record["state"],
        "seq": seq,
        "saved": seq,
        "tokens": count,
        "seconds": seconds,
        "rate": count / seconds if seconds else 0,
        "seams": [run["seam"]["at"] for run in record["runs"] if "seam" in run],
        "sure": not (error and error.get("code") == MAYBE_SENT),
    }
    more = {"error": error, "thought": record.get("thought")}
    return status | {name: value for name, value in more.items() if value}


def live_status(session: Session, shown: int) -> Message:
    """What a session adds to the stored status. `shown`: the last seq of the run in the journal."""
    more: Message = {"stopping": session.stopping}
    if session.state is State.CATCHING_UP:
        more["behind"] = max(0, session.head - shown)
    if session.retry_at:
        more |= {"attempt": session.attempt, "retry_at": session.retry_at * 1000}
    if session.trouble:
        more["error"] = error_of(session.trouble)
    return more


class Rate:
    """Tokens per second over the last few seconds."""

    def __init__(self) -> None:
        self._flushes: deque[tuple[float, int]] = deque()  # (time, tokens)

    def add(self, now: float, count: int) -> None:
        self._flushes.append((now, count))

    def value(self, now: float) -> float:
        while self._flushes and self._flushes[0][0] < now - RATE_WINDOW_S:
            self._flushes.popleft()
        if not self._flushes:
            return 0.0
        return sum(count for _, count in self._flushes) / max(now - self._flushes[0][0], 0.5)
