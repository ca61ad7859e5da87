"""The status of an answer, as the screen gets it: one word (ARCHITECTURE.md, "Names to rely on") and
counts. All of it is computed from the record, its rows and the session; nothing is stored here."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from midstream.engine.answers.remarks import remark_of
from midstream.engine.ports.host import Message
from midstream.engine.store.records import error_of
from midstream.engine.store.rendering import seq_of
from midstream.journal import Record, Row, cursor, tokens
from midstream.providers import finish_reasons
from midstream.session import MAYBE_SENT, Closed, Outcome, Session, State

# data-state of an ended answer.
ENDED = {
    Outcome.DONE: "complete",
    Outcome.STOPPED: "stopped",
    Outcome.FAILED: "failed",
    Outcome.INTERRUPTED: "interrupted",
    Outcome.EXPIRED: "interrupted",
}
RATE_WINDOW_S = 3.0
# After more failed attempts the status does not claim any more that the run goes on without the
# page: a dead server and a cut connection look the same from here.
SURE_ATTEMPTS = 3
# Seconds without an event after which the status says so. Models think, and networks stop, for less.
SILENT_S = 10.0


def live_state(session: Session, rows: Sequence[Row], before: str) -> str:
    """The word for a session that has not ended in the journal. `rows`: of its run; `before`: the
    last word that was reported."""
    if session.queued:
        return "queued"
    match session.state:
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
    """The stored status: of an answer that has ended, or that this tab does not write."""
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
    more = {"error": error, "thought": record.get("thought"), "remark": remark_of(record, rows)}
    return status | {name: value for name, value in more.items() if value}


def live_status(stored: Message, session: Session, last: int, holder: str, now: float) -> Message:
    """The `stored` status with the counts of a session. `last`: the run's last seq in the journal;
    `holder`: as in Transport."""
    behind = max(0, session.head - last) if session.state is State.CATCHING_UP else 0
    # Each event that is still to come counts as a token, as nearly all of them are.
    status = stored | {"stopping": session.stopping, "head": stored["tokens"] + behind}
    if session.paused:
        status["paused"] = True
    elif session.retry_at:
        status |= {"attempt": session.attempt, "retry_at": session.retry_at * 1000}
    if (silent := session.silence(now)) >= SILENT_S:
        status["silent"] = round(silent)
    if session.trouble:
        status["error"] = error_of(session.trouble)
    if session.attempt <= SURE_ATTEMPTS:
        status["keeper"] = holder if session.begun else ""
    return status


def final_fields(closed: Closed, record: Record, rows: Sequence[Row], now: float) -> Record:
    """The fields of a record whose run has ended."""
    cut_off = closed.outcome is Outcome.DONE and finish_reasons.is_length(closed.reason)
    fields: Record = {
        "state": "length" if cut_off else ENDED[closed.outcome],
        "tokens": tokens(rows),
        "seconds": seconds_of(record, now),
    }
    return fields | ({"error": error_of(closed.problem, closed.reason)} if closed.problem else {})


def seconds_of(record: Record, now: float) -> float:
    """Of all runs. A run that another device has begun and ended has its time already."""
    newest = record["runs"][-1]
    if "began" not in newest:
        return round(float(record.get("seconds", 0)), 1)
    began = float(newest["began"]) / 1000
    return round(float(newest.get("before", 0)) + max(0.0, now - began), 1)


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
        total = sum(count for _, count in self._flushes)
        return round(total / max(now - self._flushes[0][0], 0.5), 1)
