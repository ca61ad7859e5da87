"""The client's side of one run, without I/O: signals, bytes and the clock come in, intents go out.

    session = Session(cursor=0, resumable=True, parse=openai.parse)
    for intent in session.start(now): ...          # Open: make the request
    session.opened(head=0, now=now)                # the answer's headers are here
    session.receive(chunk, now)                    # Deliver, Deliver, …, Closed
    session.dropped("reset", now)                  # Close, Wait: call tick() again then
    session.over(now)                              # the body has ended in order

Everything that decides what happens next stands in TRANSITIONS. A run ends in two ways only: the
person stops it, or the other side says that it has ended. A closed socket is neither: a resumable
session opens again at its cursor for as long as the page lives; one that cannot be resumed is
*interrupted*. The request that begins a run is made a second time only where that is known to be
harmless: the endpoint knows the key of the first (`repeatable`), or there was no network when it
was made.

Positions: `seq` counts a run's events from 1 without holes, `cursor` is the last one delivered and
`epoch` the generation of the log that it came from. An event at or below the cursor is a repetition
and is dropped; one beyond cursor + 1 means that something is missing, so the stream is opened again
at the cursor rather than shown with a hole. Where a stream has no ids, 1 is counted for each data
payload from the place where the connection began.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from midstream import sse
from midstream.errors import UpstreamError
from midstream.events import DONE, Delta, Ended, Event, Failed
from midstream.problems import Problem, problem
from midstream.progress import AFTER_FINISH_S, Progress


class State(StrEnum):
    IDLE = "idle"
    OPENING = "opening"
    CATCHING_UP = "catching_up"
    LIVE = "live"
    WAITING = "waiting"
    CLOSED = "closed"


class Signal(StrEnum):
    START = "start"
    OPENED_BEHIND = "opened behind the head"
    OPENED_AT_HEAD = "opened at the head"
    CAUGHT_UP = "caught up"
    DROPPED = "connection dropped"
    RETRY = "retry is due"
    ENDED = "run ended"


TRANSITIONS: dict[State, dict[Signal, State]] = {
    State.IDLE: {
        Signal.START: State.OPENING,
        Signal.ENDED: State.CLOSED,
    },
    State.OPENING: {
        Signal.OPENED_BEHIND: State.CATCHING_UP,
        Signal.OPENED_AT_HEAD: State.LIVE,
        Signal.DROPPED: State.WAITING,
        Signal.ENDED: State.CLOSED,
    },
    State.CATCHING_UP: {
        Signal.CAUGHT_UP: State.LIVE,
        Signal.DROPPED: State.WAITING,
        Signal.ENDED: State.CLOSED,
    },
    State.LIVE: {
        Signal.DROPPED: State.WAITING,
        Signal.ENDED: State.CLOSED,
    },
    State.WAITING: {
        Signal.RETRY: State.OPENING,
        Signal.ENDED: State.CLOSED,
    },
    State.CLOSED: {},
}


class Outcome(StrEnum):
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    EXPIRED = "expired"


# What the gateway's terminal record means here (PROTOCOL.md, section 6).
OUTCOMES = {
    "completed": Outcome.DONE,
    "cancelled": Outcome.STOPPED,
    "failed": Outcome.FAILED,
    "interrupted": Outcome.INTERRUPTED,
    "expired": Outcome.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Open:
    """Make the request: the run's events after this position; where no run is known yet, the one
    that starts it."""

    after: int
    epoch: int = 0  # 0: not known


@dataclass(frozen=True, slots=True)
class Close:
    """Let go of the connection, if there is one."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do for `seconds`; then call tick()."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Queue:
    """The endpoint does not have the prompt and cannot be reached: store it as queued, where it may
    also be sent without this page. Comes once until an attempt is answered."""


@dataclass(frozen=True, slots=True)
class Behind:
    """Another answer of the conversation is being written, of another tab or device: find out which,
    so that the prompt gets its place behind it. Comes with every such refusal."""


@dataclass(frozen=True, slots=True)
class Deliver:
    seq: int
    events: tuple[Event, ...]
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Cancel:
    """Tell the other side to stop the run. Sent again after each reconnection until the run has
    ended."""


@dataclass(frozen=True, slots=True)
class Closed:
    outcome: Outcome
    reason: str = ""  # the finish_reason, or a code
    problem: Problem | None = None  # for a person, when the model has not ended it


Intent = Open | Close | Wait | Queue | Behind | Deliver | Cancel | Closed

# Seconds before the 1st, 2nd, … attempt after a drop; the last one repeats. The first is short
# since most cuts are over at once (a changed network, a restarted server); jitter keeps many pages
# from returning in step.
LADDER = (0.25, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
JITTER = 0.25
# The gateway's heartbeat comes every 15 s: three missed ones mean that the connection is dead
# though nobody closed it.
SILENCE_S = 45.0

# A request that was answered by nothing for so long had probably been received: nobody listening, or
# no such host, is known much sooner.
RECEIVED_S = 2.0
MAYBE_SENT = "maybe-sent"  # the `reason` of a Closed

# Statuses by which a server says that asking again in the same way cannot help; every other one is
# tried again.
FINAL_STATUSES = {
    404: Closed(Outcome.INTERRUPTED, "gone", problem("gone")),
    410: Closed(Outcome.EXPIRED, "expired", problem("expired")),
    416: Closed(Outcome.INTERRUPTED, "ahead", problem("ahead")),
}
BUSY_STATUSES = frozenset({408, 425, 429, 502, 503, 504})
# A run that goes on elsewhere is not over because a login page, or a proxy, stands in between now.
IN_BETWEEN_STATUSES = frozenset({200, 401, 403, 407, 511})
# Codes of problems: another answer of the conversation is being written; the browser has not kept the
# connection, which is not the server's fault.
BEHIND = "conversation_busy"
SPOOL_GONE = "spool_gone"

# How often a request is repeated that the other side answers with a refusal. It is a whole prompt
# each time, so it ends: soon where a refusal says that the same request will be refused again, else
# after some eight minutes.
TRIES = 20
HOPELESS_TRIES = 3
HOPELESS_WAIT_S = 5.0
HOPELESS = frozenset(
    {
        *("endpoint_key", "endpoint_no_kind", "endpoint_no_stream", "endpoint_quota", "run_empty"),
        *("upstream_certificate", "upstream_key", "upstream_no_kind", "upstream_no_stream"),
        *("upstream_quota", "upstream_redirects", "upstream_unknown"),
    }
)


class Body(Protocol):
    """The body of an answer: bytes in, messages out. Raises UpstreamError."""

    def feed(self, data: bytes) -> list[sse.Message]: ...

    def finish(self) -> list[sse.Message]:
        """It has ended in order: what is left of it."""
        ...


def _events(kind: str) -> Body:
    return sse.Decoder()


class Session:
    """One run as its client sees it. Not thread-safe; `now` is seconds on any clock that does not
    go back."""

    def __init__(
        self,
        *,
        parse: Callable[[str], list[Event]],
        body: Callable[[str], Body] = _events,
        cursor: int = 0,
        epoch: int = 0,
        resumable: bool = True,
        repeatable: bool = True,
        begun: bool = False,
        stopping: bool = False,
        finish_reason: str = "",
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """`body`: makes the reader of a body of that content type. `begun`: the endpoint is known to
        have the run. `stopping`: the person pressed Stop in an earlier life of the page."""
        self.state = State.IDLE
        self.cursor = cursor
        self.epoch = epoch
        self.head = 0  # the last seq the other side had when the stream was opened
        self.resumable = resumable
        self.begun = begun
        self.stopping = stopping
        self.unreachable = False  # the last attempt was answered by nobody
        self.online = True
        self.attempt = 0  # consecutive failed attempts, 0 while all is well
        self.retry_at: float | None = None  # when the next attempt is due, on the caller's clock
        self.trouble: Problem | None = None  # why the other side did not take the last attempt
        self.behind = False  # it has refused since another answer of the conversation is written
        self._refusals = 0  # in a row
        self._parse = parse
        self._uniform = uniform
        self._repeatable = repeatable
        self._read_as = body
        self._body = body(sse.KIND)
        self._position = cursor  # the seq of the last event on this connection
        self._heard = 0.0  # when the last byte came
        self._spoke = 0.0  # when the last event came; a heartbeat is none
        self._asked_online = True  # at the last request
        self._progress = Progress(reason=finish_reason, begun=cursor > 0)
        self._failure: Failed | Ended | None = None  # the gateway's own account of the end

    # What the driver reports

    def start(self, now: float) -> list[Intent]:
        self._enter(Signal.START)
        return [self._open(now)]

    def recall_end(self, state: str, why: Problem | None = None, code: str = "") -> list[Intent]:
        """The run is known to have ended without asking: its terminal record is stored, or there
        is nobody to ask, which `why` explains."""
        if why:
            self._failure = Failed(why.message, code or state, problem=why)
        return self._ended(state)

    def opened(self, *, head: int, now: float, start: int | None = None, kind: str = sse.KIND) -> list[Intent]:
        """The request was answered. `head`: the last seq the server had then (0 when it does not
        say); `start`: the seq before the stream's first event, the cursor unless given; `kind`: the
        content type."""
        if self.state is not State.OPENING:
            return []
        self._body = self._read_as(kind)
        self._heard = self._spoke = now
        self._position = self.cursor if start is None else start
        self.head = head
        self.begun = True
        self.unreachable = self.behind = False
        self.trouble = None
        self._refusals = 0
        self._enter(Signal.OPENED_BEHIND if head > self.cursor else Signal.OPENED_AT_HEAD)
        return [Cancel()] if self.stopping else []

    def receive(self, chunk: bytes, now: float) -> list[Intent]:
        if self.state not in (State.CATCHING_UP, State.LIVE):
            return []  # the rest of a connection that was already given up
        self._heard = now
        try:
            messages = self._body.feed(chunk)
        except sse.EventTooLarge as error:  # asking again would bring the same event again
            return [*self._messages(error.messages, now), *self._unusable(error)]
        except UpstreamError as error:
            return self._unusable(error)
        return self._messages(messages, now)

    def over(self, now: float) -> list[Intent]:
        """The body of an endpoint without positions has ended in order. Its last event may lack the
        blank line after it."""
        if self.state not in (State.CATCHING_UP, State.LIVE):
            return []
        try:
            messages = self._body.finish()
        except UpstreamError as error:
            return self._unusable(error)
        return [*self._messages(messages, now), *self._conclude(problem("unfinished"))]

    def _unusable(self, error: UpstreamError) -> list[Intent]:
        return [Close(), *self._close(Closed(Outcome.FAILED, error.code, error.problem))]

    def dropped(self, why: Problem, now: float, *, sent: bool = True) -> list[Intent]:
        """The connection is gone, with an error or by an end of file without a terminal record.
        `sent`: False when the request itself was not even made."""
        if self.state in (State.IDLE, State.WAITING, State.CLOSED):
            return []
        if not self.resumable and self._progress.state(cut=True) == "completed":
            return self._conclude(why, cut=True)
        queued, self.unreachable = self.unreachable, self.state is State.OPENING
        self.trouble = None
        intents = self._reopen_or_close(why, now, sent=sent)
        return [*intents, Queue()] if self.queued and not queued else intents

    @property
    def queued(self) -> bool:
        """Whether the prompt waits to be sent."""
        waits = self.state in (State.WAITING, State.OPENING)
        return waits and (self.unreachable or self.behind) and not self.begun

    @property
    def paused(self) -> bool:
        """Whether it has been refused too often to ask again by itself: wake() does."""
        return self.state is State.WAITING and self.retry_at is None

    def silence(self, now: float) -> float:
        """Seconds for which an open stream has brought no event; 0 where none is expected."""
        return max(0.0, now - self._spoke) if self.state is State.LIVE else 0.0

    def refused(self, status: int, why: Problem, now: float, retry_after: float = 0) -> list[Intent]:
        """The request was answered with an HTTP error instead of a stream."""
        if self.state is not State.OPENING:
            return []
        self.unreachable = False
        self.behind = why.code == BEHIND and not self.begun
        if self.stopping and self.cursor == 0:
            return self._close(Closed(Outcome.STOPPED))
        if self.behind:
            return [*self._wait(now, at_least=retry_after), Behind()]
        if status in BUSY_STATUSES or (status >= 500 and self.resumable) or self._in_between(status):
            return self._wait_or_give_up(status, why, now, retry_after)
        if status in FINAL_STATUSES and self.cursor:
            final = FINAL_STATUSES[status]
            return self._close(replace(final, problem=why) if why.code == SPOOL_GONE else final)
        return self._close(Closed(Outcome.FAILED, str(status), why))

    def _in_between(self, status: int) -> bool:
        return self.begun and self.resumable and status in IN_BETWEEN_STATUSES

    def _wait_or_give_up(self, status: int, why: Problem, now: float, retry_after: float) -> list[Intent]:
        self.trouble = why
        self._refusals += 1
        hopeless = why.code in HOPELESS
        if self._refusals < (HOPELESS_TRIES if hopeless else TRIES):
            return self._wait(now, at_least=max(retry_after, HOPELESS_WAIT_S if hopeless else 0))
        self._refusals = 0  # the person may try it again
        if not self.begun:
            return self._close(Closed(Outcome.FAILED, str(status), why))
        self._enter(Signal.DROPPED)
        self.retry_at = None
        return []

    def nothing_left(self, now: float, state: str = "", why: Problem | None = None) -> list[Intent]:
        """The other side has no more and never will: 204, or the end of what it had kept. `state`:
        how the run ended, where that is known; `why`: what is said of one that was cut off."""
        if state:
            return self._ended(state)
        if self._progress.state() == "completed":
            return self._close(Closed(Outcome.DONE, self._progress.reason))
        if self._progress.failure:
            return self._conclude(problem("gone"))
        if self.cursor == 0:
            nothing = why or problem("empty")
            return self._close(Closed(Outcome.FAILED, MAYBE_SENT if why else "empty", nothing))
        code = "gone" if why else "unfinished"
        return self._close(Closed(Outcome.INTERRUPTED, code, why or problem("unfinished")))

    def stop(self, now: float) -> list[Intent]:
        """The person pressed Stop. A resumable run is over when the server says so: it may have
        more to deliver."""
        if self.state is State.CLOSED:
            return []
        unsent = self.state is State.WAITING and not self.begun and not self._repeatable
        if not self.resumable or self.state is State.IDLE or unsent:
            return [Close(), *self._close(Closed(Outcome.STOPPED))]
        self.stopping = True
        if self.state is State.WAITING:
            return self._retry(now)
        return [] if self.state is State.OPENING else [Cancel()]  # opened() asks once there is a run

    def signed_out(self, why: Problem, now: float) -> list[Intent]:
        """The gateway wants a new sign-in first. That is no end: a run goes on there without us, and a
        prompt that it does not have waits, with the service worker too."""
        if self.state is not State.OPENING:
            return []
        if self.stopping and not self.begun:
            return self._close(Closed(Outcome.STOPPED))
        queued, self.unreachable = self.unreachable, not self.begun
        self.trouble = why
        intents = self._wait(now)
        return [*intents, Queue()] if self.queued and not queued else intents

    def network(self, online: bool, now: float) -> list[Intent]:
        """What the browser believes of the network. It can be wrong both ways: only a return of it
        is acted on."""
        self.online = online
        return self.wake(now) if online else []

    def wake(self, now: float) -> list[Intent]:
        """The page is visible again, or the network is back: do not sit out the rest of a wait."""
        self.attempt = min(self.attempt, 1)
        return self._retry(now) if self.state is State.WAITING else []

    def tick(self, now: float) -> list[Intent]:
        """The clock moved. Call it when a Wait is over, and now and then while a stream is open."""
        if self.state is State.WAITING and self.retry_at is not None and now >= self.retry_at:
            return self._retry(now)
        listening = self.state in (State.OPENING, State.CATCHING_UP, State.LIVE)
        if listening and self.resumable and now - self._heard > SILENCE_S:
            return self._reopen_or_close(problem("connection_broke"), now)
        # Some endpoints never close the stream. With a gateway the terminal record comes.
        if listening and not self._repeatable and self._progress.finished and now - self._heard > AFTER_FINISH_S:
            return [Close(), *self._conclude(problem("unfinished"))]
        return []

    # What follows from it

    def _messages(self, messages: list[sse.Message], now: float) -> list[Intent]:
        intents: list[Intent] = []
        for message in messages:
            intents += self._message(message, now)
            if self.state not in (State.CATCHING_UP, State.LIVE):
                break
        return intents

    def _message(self, message: sse.Message, now: float) -> list[Intent]:
        if message.data.strip() == DONE:
            return self._done()
        epoch, seq = _position_of(message.id) or (0, self._position + 1)
        self._position = seq
        if seq <= self.cursor:
            self._progress.take(self._parse(message.data))
            return []
        if seq > self.cursor + 1:
            return self._reopen_or_close(problem("connection_broke"), now)  # to be told the rest
        self.cursor, self.epoch, self._spoke = seq, epoch, now
        return self._deliver(tuple(self._parse(message.data)))

    def _deliver(self, events: tuple[Event, ...]) -> list[Intent]:
        self.attempt = 0
        kept = self._progress.take(events)
        intents: list[Intent] = [Deliver(self.cursor, events if kept else (), self.epoch)]
        if self.state is State.CATCHING_UP and self.cursor >= self.head:
            self._enter(Signal.CAUGHT_UP)
        for event in events:
            match event:
                case Failed():
                    self._failure = event
                case Ended(state=state):
                    self._failure = self._failure or event
                    return intents + self._ended(state)
        if self._progress.failure and not self.resumable:
            return [*intents, Close(), *self._conclude(problem("unfinished"))]
        return intents

    def _conclude(self, why: Problem, *, cut: bool = False) -> list[Intent]:
        """The end of a stream whose sender does not say how it has ended. `why`: what is said of
        one that is not whole."""
        state, failure = self._progress.state(cut=cut), self._progress.failure
        if state == "completed":
            return self._close(Closed(Outcome.DONE, self._progress.reason))
        if failure:
            return self._close(Closed(Outcome.FAILED, failure.code, failure.problem))
        if state == "interrupted":
            return self._close(Closed(Outcome.INTERRUPTED, "cut" if cut else "unfinished", why))
        return self._close(Closed(Outcome.FAILED, "empty", problem("empty")))

    def _ended(self, state: str) -> list[Intent]:
        outcome = OUTCOMES.get(state, Outcome.INTERRUPTED)
        failure = self._failure
        if outcome in (Outcome.DONE, Outcome.STOPPED) or failure is None:
            return self._close(Closed(outcome, self._progress.reason or state))
        return self._close(Closed(outcome, failure.code or state, failure.problem))

    def _done(self) -> list[Intent]:
        """`[DONE]` only says that the stream is over: an answer is complete when a finish_reason
        was seen."""
        if self.resumable:
            # its terminal record came just before; without one the connection's end will tell
            return []
        return [Close(), *self._conclude(problem("unfinished"))]

    def _reopen_or_close(self, why: Problem, now: float, *, sent: bool = True) -> list[Intent]:
        if not sent or self._may_ask_again():
            return [Close(), *self._wait(now)]
        if self.begun:
            return [Close(), *self._conclude(problem("connection_broke"), cut=True)]
        reason = MAYBE_SENT if now - self._heard > RECEIVED_S else "unreachable"
        return [Close(), *self._close(Closed(Outcome.FAILED, reason, why))]

    def _may_ask_again(self) -> bool:
        if self.begun:
            return self.resumable
        return self._repeatable or not self._asked_online

    def _wait(self, now: float, at_least: float = 0) -> list[Intent]:
        self._enter(Signal.DROPPED)
        step = LADDER[min(self.attempt, len(LADDER) - 1)]
        self.attempt += 1
        seconds = max(step * self._uniform(1 - JITTER, 1 + JITTER), at_least)
        self.retry_at = now + seconds
        return [Wait(seconds)]

    def _retry(self, now: float) -> list[Intent]:
        self._enter(Signal.RETRY)
        self.retry_at = None
        return [self._open(now)]

    def _open(self, now: float) -> Open:
        self._heard = now
        self._asked_online = self.online
        return Open(self.cursor, self.epoch)

    def _close(self, closed: Closed) -> list[Intent]:
        if self.state is State.CLOSED:
            return []
        self._enter(Signal.ENDED)
        return [closed]

    def _enter(self, signal: Signal) -> None:
        targets = TRANSITIONS[self.state]
        if signal not in targets:
            raise AssertionError(f"session is {self.state}: it cannot take the signal {signal!r}")
        self.state = targets[signal]


def _position_of(event_id: str | None) -> tuple[int, int] | None:
    """Epoch and seq of an id `<epoch>-<seq>`; None for an id of another kind, which some endpoints
    send and nobody promises."""
    epoch, dash, seq = (event_id or "").partition("-")
    if dash and epoch.isascii() and epoch.isdigit() and seq.isascii() and seq.isdigit():
        return int(epoch), int(seq)
    return None


def content(events: tuple[Event, ...]) -> tuple[str, str]:
    """The text and the reasoning that events carry, of the first choice."""
    deltas = [event for event in events if isinstance(event, Delta) and event.index == 0]
    return "".join(d.text for d in deltas), "".join(d.reasoning for d in deltas)
