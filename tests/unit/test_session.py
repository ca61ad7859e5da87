"""The session machine: every transition of the table, and what a person would lose if it were
wrong."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream import sse
from midstream.problems import Problem, problem
from midstream.progress import AFTER_FINISH_S
from midstream.providers import openai
from midstream.session import (
    HOPELESS_TRIES,
    HOPELESS_WAIT_S,
    LADDER,
    MAYBE_SENT,
    RECEIVED_S,
    SILENCE_S,
    TRANSITIONS,
    TRIES,
    Behind,
    Cancel,
    Close,
    Closed,
    Deliver,
    Intent,
    Open,
    Outcome,
    Queue,
    Session,
    Signal,
    State,
    Wait,
    content,
)

CUT = problem("connection_broke")


def middle(low: float, high: float) -> float:
    return (low + high) / 2


def new_session(
    *,
    cursor: int = 0,
    resumable: bool = True,
    uniform: Callable[[float, float], float] = middle,
) -> Session:
    return Session(parse=openai.parse, cursor=cursor, resumable=resumable, uniform=uniform)


def plain() -> Session:
    return Session(parse=openai.parse, resumable=False, repeatable=False, uniform=middle)


def live(cursor: int = 0, head: int = 0, *, resumable: bool = True) -> Session:
    session = new_session(cursor=cursor, resumable=resumable)
    assert session.start(0) == [Open(cursor)]
    session.opened(head=head, now=0)
    return session


def word(seq: int, text: str = "w ") -> bytes:
    return sse.encode(json.dumps({"choices": [{"delta": {"content": text}}]}), id=f"1-{seq}")


def finish(seq: int, reason: str = "stop") -> bytes:
    chunk = {"choices": [{"delta": {}, "finish_reason": reason}]}
    return sse.encode(json.dumps(chunk), id=f"1-{seq}")


def terminal(seq: int, state: str, **more: object) -> bytes:
    return sse.encode(json.dumps({"choices": [], "midstream": {"state": state}, **more}), id=f"1-{seq}")


def delivered(intents: list[Intent]) -> list[int]:
    return [intent.seq for intent in intents if isinstance(intent, Deliver)]


def closed(intents: list[Intent]) -> Closed:
    (found,) = [intent for intent in intents if isinstance(intent, Closed)]
    return found


def test_an_answer_from_its_first_to_its_last_event() -> None:
    session = live()
    assert session.state == "live"
    assert delivered(session.receive(word(1) + word(2), 1)) == [1, 2]
    last = session.receive(finish(3) + terminal(4, "completed"), 2)
    assert delivered(last) == [3, 4]
    assert closed(last) == Closed(Outcome.DONE, "stop")
    assert session.state == "closed"


@given(cuts=st.lists(st.integers(1, 400), max_size=12), cut_at=st.integers(0, 11))
def test_a_cut_anywhere_and_a_resume_deliver_each_event_once(cuts: list[int], cut_at: int) -> None:
    events = [word(seq, f"word {seq} ü ") for seq in range(1, 10)]
    events += [finish(10), terminal(11, "completed")]
    session = live()
    seen: list[int] = []
    pieces = _split(b"".join(events), cuts)
    for piece in pieces[:cut_at]:
        seen += delivered(session.receive(piece, 0))
    if session.state is not State.CLOSED:
        assert session.dropped(CUT, 0)[0] == Close()
        (again,) = session.tick(session.retry_at or 0)
        assert again == Open(len(seen), epoch=1 if seen else 0)
        session.opened(head=11, now=0)
        for piece in _split(b"".join(events[len(seen) :]), cuts):
            seen += delivered(session.receive(piece, 0))
    assert seen == list(range(1, 12))
    assert session.state is State.CLOSED


def _split(data: bytes, cuts: list[int]) -> list[bytes]:
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(data[at : at + cut])
        at += cut
    return [*pieces, data[at:]]


def test_repeated_events_are_dropped_and_a_hole_reopens_at_the_cursor() -> None:
    session = live(cursor=5, head=9)
    assert session.state is State.CATCHING_UP
    assert delivered(session.receive(word(4) + word(5) + word(6), 0)) == [6]
    intents = session.receive(word(8) + word(9), 0)
    assert delivered(intents) == []
    assert isinstance(intents[0], Close) and isinstance(intents[1], Wait)
    assert session.tick(session.retry_at or 0) == [Open(6, epoch=1)]


def test_it_is_catching_up_until_the_head_of_the_time_it_opened() -> None:
    session = live(cursor=2, head=4)
    session.receive(word(3), 0)
    assert session.state is State.CATCHING_UP
    session.receive(word(4), 0)
    assert session.state.value == "live"


def test_the_waits_grow_and_start_again_after_progress() -> None:
    session = live()
    waits = []
    for _ in range(len(LADDER) + 2):
        waits += [i.seconds for i in session.dropped(CUT, 0) if isinstance(i, Wait)]
        session.tick(session.retry_at or 0)
    assert waits == [*LADDER, LADDER[-1], LADDER[-1]]
    session.opened(head=0, now=0)
    session.receive(word(1), 0)
    assert Wait(LADDER[0]) in session.dropped(CUT, 0)


def test_a_prompt_is_queued_once_until_an_attempt_is_answered() -> None:
    session = new_session()
    session.start(0)
    assert Queue() in session.dropped(CUT, 0)
    session.tick(session.retry_at or 0)
    assert (session.queued, Queue() in session.dropped(CUT, 0)) == (True, False)
    session.tick(session.retry_at or 0)
    session.refused(503, CUT, 0)
    assert session.queued is False
    session.tick(session.retry_at or 0)
    assert Queue() in session.dropped(CUT, 0)


SIGNED_OUT = problem("sign_in")


def test_a_prompt_waits_for_the_sign_in_however_often_it_is_refused() -> None:
    session = new_session()
    session.start(0)
    assert Queue() in session.signed_out(SIGNED_OUT, 0)
    for _ in range(50):
        assert (session.queued, session.trouble) == (True, SIGNED_OUT)
        session.tick(session.retry_at or 0)
        (wait,) = session.signed_out(SIGNED_OUT, 0)
        assert isinstance(wait, Wait)


def test_a_run_that_has_begun_waits_for_the_sign_in_and_is_not_queued() -> None:
    session = live()
    session.receive(word(1), 0)
    session.dropped(CUT, 0)
    session.tick(session.retry_at or 0)
    (wait,) = session.signed_out(SIGNED_OUT, 0)
    assert isinstance(wait, Wait)
    assert (session.queued, session.state, session.cursor) == (False, State.WAITING, 1)


def test_a_stopped_prompt_does_not_wait_for_the_sign_in() -> None:
    session = new_session()
    session.start(0)
    session.stop(0)
    assert closed(session.signed_out(SIGNED_OUT, 0)).outcome is Outcome.STOPPED


def test_a_run_that_has_begun_is_not_queued() -> None:
    session = live()
    for _ in range(3):  # cut in the stream, then unreachable
        assert Queue() not in session.dropped(CUT, 0)
        session.tick(session.retry_at or 0)


def test_waits_are_jittered_around_the_ladder() -> None:
    session = new_session(uniform=lambda low, high: high)
    session.start(0)
    (wait,) = [i for i in session.dropped(CUT, 0) if isinstance(i, Wait)]
    assert LADDER[0] < wait.seconds <= LADDER[0] * 1.5


def test_the_network_coming_back_or_the_page_shown_again_ends_a_wait() -> None:
    def shown(session: Session) -> list[Intent]:
        return session.wake(1)

    def online(session: Session) -> list[Intent]:
        return session.network(True, 1)

    for wake in (shown, online):
        session = live(cursor=3)
        session.dropped(CUT, 0)
        assert wake(session) == [Open(3)]


def test_going_offline_alone_changes_nothing() -> None:
    """A model on this very machine answers without any network: only the socket tells."""
    session = live()
    assert session.network(False, 0) == []
    assert delivered(session.receive(word(1), 0)) == [1]


def test_silence_without_heartbeat_reopens_and_a_heartbeat_prevents_it() -> None:
    session = live(cursor=1)
    session.receive(b": alive\n", SILENCE_S - 1)
    assert session.tick(SILENCE_S + 1) == []
    assert session.tick(2 * SILENCE_S)[0] == Close()


def test_an_endpoint_that_cannot_be_resumed_may_think_as_long_as_it_likes() -> None:
    session = live(resumable=False)
    assert session.tick(100 * SILENCE_S) == []


def test_stop_asks_the_server_and_takes_what_it_still_sends() -> None:
    session = live()
    session.receive(word(1), 0)
    assert session.stop(0) == [Cancel()]
    last = session.receive(word(2) + terminal(3, "cancelled"), 0)
    assert delivered(last) == [1 + 1, 3]
    assert closed(last).outcome is Outcome.STOPPED


def test_stop_while_the_connection_is_lost_is_asked_after_it_is_back() -> None:
    session = live(cursor=7)
    session.dropped(CUT, 0)
    assert session.stop(0) == [Open(7)]
    assert session.opened(head=7, now=0) == [Cancel()]


def test_stop_before_the_request_was_answered_is_asked_when_there_is_a_run() -> None:
    session = new_session()
    session.start(0)
    assert session.stop(0) == []
    assert session.opened(head=0, now=0) == [Cancel()]


def test_stop_of_a_plain_endpoint_closes_its_connection() -> None:
    session = live(resumable=False)
    intents = session.stop(0)
    assert intents[0] == Close()
    assert closed(intents).outcome is Outcome.STOPPED
    assert session.stop(0) == []


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("completed", Outcome.DONE),
        ("cancelled", Outcome.STOPPED),
        ("failed", Outcome.FAILED),
        ("interrupted", Outcome.INTERRUPTED),
        ("expired", Outcome.EXPIRED),
    ],
)
def test_the_terminal_record_says_how_it_ended(state: str, outcome: Outcome) -> None:
    session = live()
    assert closed(session.receive(terminal(1, state), 0)).outcome is outcome


def test_a_failure_is_told_in_the_words_of_the_server() -> None:
    session = live()
    error = {"message": "out of memory", "code": "oom"}
    found = closed(session.receive(terminal(1, "failed", error=error), 0))
    assert (found.outcome, found.reason) == (Outcome.FAILED, "oom")
    assert found.problem and (found.problem.message, found.problem.quote) == ("out of memory",) * 2


def test_what_the_gateway_says_by_a_code_is_kept_by_it() -> None:
    for state, outcome in (("failed", Outcome.FAILED), ("interrupted", Outcome.INTERRUPTED)):
        why = problem("upstream_cut", host="model.example")
        payload = openai.terminal("r", state, why=why, code="upstream_broken")
        found = closed(live().receive(sse.encode(payload, id="1-1"), 0))
        assert found == Closed(outcome, "upstream_broken", why)


def test_the_end_of_the_file_is_no_end_of_the_run() -> None:
    session = live()
    session.receive(word(1) + finish(2), 0)
    assert session.dropped(CUT, 0)[0] == Close()
    assert session.state is State.WAITING


class TestPlainEndpoint:
    """One that knows nothing of resuming and sends no ids."""

    @staticmethod
    def data(chunk: dict[str, object]) -> bytes:
        return sse.encode(json.dumps(chunk))

    def test_its_payloads_are_counted(self) -> None:
        session = live(resumable=False)
        piece = self.data({"choices": [{"delta": {"content": "a"}}]})
        assert delivered(session.receive(piece * 3, 0)) == [1, 2, 3]

    def test_done_after_a_finish_reason_is_complete(self) -> None:
        session = live(resumable=False)
        end = self.data({"choices": [{"delta": {}, "finish_reason": "length"}]})
        assert closed(session.receive(end + sse.encode("[DONE]"), 0)) == Closed(Outcome.DONE, "length")

    def test_an_end_after_a_finish_reason_is_complete(self) -> None:
        session = live(resumable=False)
        session.receive(self.data({"choices": [{"delta": {}, "finish_reason": "stop"}]}), 0)
        assert closed(session.dropped(CUT, 0)).outcome is Outcome.DONE

    @pytest.mark.parametrize("end", [b"", sse.encode("[DONE]")])
    def test_an_end_without_a_finish_reason_is_interrupted(self, end: bytes) -> None:
        session = live(resumable=False)
        session.receive(self.data({"choices": [{"delta": {"content": "a"}}]}), 0)
        intents = session.receive(end, 0) if end else session.dropped(CUT, 0)
        assert closed(intents).outcome is Outcome.INTERRUPTED

    def test_an_orderly_end_without_a_finish_reason_is_said_as_what_it_is(self) -> None:
        session = live(resumable=False)
        session.receive(self.data({"choices": [{"delta": {"content": "a"}}]}), 0)
        assert closed(session.over(0)) == Closed(Outcome.INTERRUPTED, "unfinished", problem("unfinished"))
        assert session.over(0) == []

    def test_an_end_with_nothing_at_all_is_failed(self) -> None:
        for end in (b"", self.data({"choices": [{"delta": {"role": "assistant"}}]})):
            session = live(resumable=False)
            session.receive(end, 0)
            assert closed(session.over(0)) == Closed(Outcome.FAILED, "empty", problem("empty"))

    def test_a_stream_that_is_never_closed_ends_some_time_after_its_finish(self) -> None:
        session = plain()
        session.start(0)
        session.opened(head=0, now=0)
        session.receive(self.data({"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}), 5)
        assert session.tick(5 + AFTER_FINISH_S) == []
        assert session.tick(6 + AFTER_FINISH_S) == [Close(), Closed(Outcome.DONE, "stop")]

    def test_a_word_that_is_not_readable_ends_nothing(self) -> None:
        session = live(resumable=False)
        piece = self.data({"choices": [{"delta": {"content": "a"}}]})
        assert delivered(session.receive(piece + b"data: {oops\n\n" + piece, 0)) == [1, 2, 3]
        session.receive(self.data({"choices": [{"delta": {}, "finish_reason": "stop"}]}), 0)
        assert closed(session.over(0)).outcome is Outcome.DONE

    def test_unreachable_is_failed_with_the_reason(self) -> None:
        session = plain()
        session.start(0)
        found = closed(session.dropped(CUT, 0))
        assert (found.outcome, found.problem) == (Outcome.FAILED, CUT)
        assert found.reason == "unreachable"

    def test_a_request_that_was_long_unanswered_may_have_been_received(self) -> None:
        session = plain()
        session.start(0)
        assert closed(session.dropped(CUT, RECEIVED_S + 1)).reason == MAYBE_SENT

    def test_what_was_asked_without_a_network_is_asked_again_and_only_that(self) -> None:
        session = plain()
        session.network(online=False, now=0)
        session.start(0)
        assert session.dropped(CUT, 0) == [Close(), Wait(LADDER[0]), Queue()]
        assert session.unreachable
        assert session.network(online=True, now=9) == [Open(0)]
        assert closed(session.dropped(CUT, 9)).outcome is Outcome.FAILED

    def test_a_request_that_was_not_even_made_is_made_later(self) -> None:
        session = plain()
        session.start(0)
        assert session.dropped(CUT, 9, sent=False) == [Close(), Wait(LADDER[0]), Queue()]

    def test_stop_before_anything_was_sent_needs_nobody(self) -> None:
        session = plain()
        session.network(online=False, now=0)
        session.start(0)
        session.dropped(CUT, 0)
        assert closed(session.stop(1)).outcome is Outcome.STOPPED

    def test_an_error_in_the_stream_ends_it(self) -> None:
        session = live(resumable=False)
        found = closed(session.receive(self.data({"error": {"message": "boom"}}), 0))
        assert found.outcome is Outcome.FAILED
        assert found.problem and found.problem.quote == "boom"


class TestSpool:
    """A stream without ids that is kept from its first byte: each connection begins at 0."""

    def events(self, count: int) -> bytes:
        chunk = {"choices": [{"delta": {"content": "w "}}]}
        return b"".join(sse.encode(json.dumps(chunk)) for _ in range(count))

    def spooled(self, cursor: int) -> Session:
        session = Session(parse=openai.parse, cursor=cursor, repeatable=False, begun=True)
        session.start(0)
        session.opened(head=0, start=0, now=0)
        return session

    @pytest.mark.parametrize("cursor", [0, 3, 5])
    def test_what_was_delivered_before_is_counted_and_dropped(self, cursor: int) -> None:
        assert delivered(self.spooled(cursor).receive(self.events(5), 0)) == [*range(cursor + 1, 6)]

    def test_a_dropped_connection_counts_anew(self) -> None:
        session = self.spooled(0)
        assert delivered(session.receive(self.events(3), 0)) == [1, 2, 3]
        session.dropped(CUT, 0)
        session.wake(0)
        session.opened(head=0, start=0, now=0)
        assert delivered(session.receive(self.events(4), 0)) == [4]

    @pytest.mark.parametrize(
        ("cursor", "state", "why", "outcome", "reason"),
        [
            (5, "", CUT, Outcome.INTERRUPTED, "gone"),
            (5, "", None, Outcome.INTERRUPTED, "unfinished"),
            (5, "cancelled", None, Outcome.STOPPED, "cancelled"),
            (0, "", CUT, Outcome.FAILED, MAYBE_SENT),
            (0, "", None, Outcome.FAILED, "empty"),
        ],
    )
    def test_the_end_of_what_was_kept(
        self, cursor: int, state: str, why: Problem | None, outcome: Outcome, reason: str
    ) -> None:
        found = closed(self.spooled(cursor).nothing_left(0, state, why))
        assert (found.outcome, found.reason) == (outcome, reason)

    def test_an_error_in_what_was_kept_is_the_end_of_it(self) -> None:
        session = self.spooled(0)
        session.receive(sse.encode(json.dumps({"error": {"message": "boom"}})), 0)
        found = closed(session.nothing_left(0))
        assert (found.outcome, found.reason) == (Outcome.FAILED, "error")
        assert found.problem and found.problem.quote == "boom"


def test_a_position_has_the_epoch_of_its_event() -> None:
    session = Session(parse=openai.parse, cursor=4, epoch=3)
    assert session.start(0) == [Open(4, epoch=3)]
    session.opened(head=9, now=0)
    (last,) = session.receive(word(5), 0)
    assert isinstance(last, Deliver) and last.epoch == 1
    session.dropped(CUT, 0)
    assert session.wake(0) == [Open(5, epoch=1)]


def test_a_stop_of_an_earlier_life_is_sent_when_the_run_is_there() -> None:
    session = Session(parse=openai.parse, cursor=4, begun=True, stopping=True)
    session.start(0)
    assert session.opened(head=9, now=0) == [Cancel()]


@pytest.mark.parametrize(
    ("status", "cursor", "outcome"),
    [
        (404, 5, Outcome.INTERRUPTED),
        (410, 5, Outcome.EXPIRED),
        (416, 5, Outcome.INTERRUPTED),
        (401, 0, Outcome.FAILED),
        (404, 0, Outcome.FAILED),
        (422, 0, Outcome.FAILED),
        (424, 0, Outcome.FAILED),
    ],
)
def test_refusals_that_asking_again_cannot_help(status: int, cursor: int, outcome: Outcome) -> None:
    session = new_session(cursor=cursor)
    session.start(0)
    assert closed(session.refused(status, CUT, 0)).outcome is outcome


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_refusals_that_pass_are_waited_for(status: int) -> None:
    session = new_session()
    session.start(0)
    busy = problem("upstream_busy", host="model.example", status=status)
    assert session.refused(status, busy, 0, retry_after=12) == [Wait(12)]
    assert session.trouble == busy  # said while it waits
    session.tick(12)
    session.opened(head=0, now=12)
    assert session.trouble is None


def test_a_stream_that_just_ended_is_not_said_to_be_lost_by_the_server() -> None:
    session = live(cursor=5)
    found = closed(session.nothing_left(0))
    assert found.problem and found.problem.code == "unfinished"


class TestRefusedAgainAndAgain:
    """It is a whole prompt each time, so it ends, and the person can begin anew."""

    def refusals(self, session: Session, status: int, why: Problem) -> tuple[list[float], list[Intent]]:
        """The waits before the end, and what came then."""
        waits: list[float] = []
        session.start(0)
        while True:
            intents = session.refused(status, why, 0)
            if not (intents and isinstance(intents[0], Wait)):
                return waits, intents
            waits.append(intents[0].seconds)
            session.tick(session.retry_at or 0)

    @pytest.mark.parametrize(
        ("status", "why"),
        [
            (502, problem("upstream_no_stream", host="h", kind="text/html")),
            (502, problem("run_empty")),
            (429, Problem("upstream_quota", "Nothing left to spend.")),
        ],
    )
    def test_of_what_cannot_get_better_it_is_enough_soon(self, status: int, why: Problem) -> None:
        waits, last = self.refusals(new_session(), status, why)
        assert waits == [HOPELESS_WAIT_S] * (HOPELESS_TRIES - 1)
        assert closed(last) == Closed(Outcome.FAILED, str(status), why)

    def test_a_busy_server_is_asked_for_minutes(self) -> None:
        busy = problem("upstream_busy", host="h", status=503)
        waits, last = self.refusals(new_session(), 503, busy)
        assert len(waits) == TRIES - 1 and sum(waits) > 300
        assert closed(last).problem == busy

    @pytest.mark.parametrize("status", [200, 401, 403, 503])
    def test_a_run_that_goes_on_elsewhere_is_not_ended_by_it(self, status: int) -> None:
        """Not by the login page that has come in between either."""
        session = Session(parse=openai.parse, cursor=7, begun=True, uniform=middle)
        waits, last = self.refusals(session, status, problem("endpoint_no_stream", kind="text/html"))
        assert len(waits) == HOPELESS_TRIES - 1 and last == []
        assert session.paused
        assert session.tick(10_000) == []
        assert session.wake(10_000) == [Open(7)]  # Try again, or the network is back
        session.opened(head=9, now=10_000)
        assert (session.paused, session.trouble) == (False, None)


def test_behind_another_answer_the_prompt_waits_for_as_long_as_that_takes() -> None:
    session = new_session()
    session.start(0)
    for _ in range(2 * TRIES):
        assert Behind() in session.refused(409, problem("conversation_busy"), 0)
        assert session.queued
        session.tick(session.retry_at or 0)
    session.opened(head=0, now=0)
    assert not session.queued and not session.behind


def test_silence_is_counted_from_the_last_event() -> None:
    session = live()
    session.receive(word(1), 5)
    session.receive(b": heartbeat\n\n", 20)
    assert session.silence(45) == 40
    session.dropped(CUT, 45)
    assert session.silence(50) == 0


def test_nothing_left_is_done_only_when_a_finish_reason_is_known() -> None:
    for reason, outcome in (("stop", Outcome.DONE), ("", Outcome.INTERRUPTED)):
        session = Session(parse=openai.parse, cursor=9, finish_reason=reason)
        session.start(0)
        assert closed(session.nothing_left(0)).outcome is outcome


def test_an_event_over_the_limit_ends_the_run_and_keeps_what_came_before() -> None:
    session = live()
    intents = session.receive(word(1) + b"data: " + b"x" * sse.MAX_EVENT_BYTES, 0)
    assert delivered(intents) == [1]
    assert closed(intents).outcome is Outcome.FAILED


def test_bytes_after_the_end_or_before_the_start_are_ignored() -> None:
    session = new_session()
    assert session.receive(word(1), 0) == []
    session = live()
    session.receive(terminal(1, "completed"), 0)
    assert session.receive(word(2), 0) == []
    assert session.dropped(CUT, 0) == []
    assert session.opened(head=0, now=0) == []


def test_every_state_but_the_last_can_end_and_every_target_exists() -> None:
    assert set(TRANSITIONS) == set(State)
    assert TRANSITIONS[State.CLOSED] == {}
    for state, row in TRANSITIONS.items():
        if state is not State.CLOSED:
            assert row[Signal.ENDED] is State.CLOSED


def test_a_signal_that_the_table_does_not_have_is_a_mistake_of_ours_and_says_so() -> None:
    session = live()
    with pytest.raises(AssertionError, match="session is live"):
        session.start(0)


def test_content_joins_text_and_reasoning() -> None:
    parsed = tuple(openai.parse(json.dumps({"choices": [{"delta": {"content": "a"}}]})))
    assert content(parsed + parsed) == ("aa", "")
