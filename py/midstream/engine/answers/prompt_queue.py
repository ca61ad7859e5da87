"""The prompts that wait to be sent."""

from __future__ import annotations

from collections.abc import Mapping

from midstream.engine.answers.answer import Answer
from midstream.engine.ports.host import Message
from midstream.journal import Record


class PromptQueue:
    """A view of `answers`: those that are queued, the oldest first."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers
        self._length = 0  # as of the last call of `changed`

    def status(self, answer: Answer) -> Message:
        """The answer's status; of a queued one with `queue` (its position from 1, the length), and
        with `waits` while another answer before it is being written: there is a connection then."""
        status = answer.status()
        if status["state"] == "queued":
            waiting = self._waiting()
            status["queue"] = [waiting.index(answer) + 1, len(waiting)]
            written = any(_is_written_before(each, answer) for each in self._answers.values())
            if written or answer.behind:
                status["waits"] = True
        return status

    def changed(self) -> list[Answer]:
        """All that wait, when their number is another than at the last call; else none."""
        waiting = self._waiting()
        if len(waiting) == self._length:
            return []
        self._length = len(waiting)
        return waiting

    def _waiting(self) -> list[Answer]:
        waiting = [answer for answer in self._answers.values() if answer.state == "queued"]
        return sorted(waiting, key=lambda answer: float(answer.record["created"]))


def position_of(record: Record) -> tuple[str, int]:
    """Orders the answers of a conversation."""
    return str(record["conversation"]), int(record["position"])


def comes_before(one: Record, other: Record) -> bool:
    """Whether `one` belongs to the history of `other`."""
    same = one["conversation"] == other["conversation"]
    return same and position_of(one) < position_of(other)


def _is_written_before(one: Answer, other: Answer) -> bool:
    return comes_before(one.record, other.record) and one.state != "queued"
