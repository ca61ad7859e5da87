"""The versions of a conversation: which message follows which, and the branch that is visible.

Messages come in the order of their positions. An answer follows its `question`, a question the
message in its `parent`, "" for a first one. A message without such a field, or with one that names
no earlier message, follows as in conversations before there were versions, which had one branch: a
question follows the newest answer to the question before it. Messages that follow the same message
are versions of each other.

web/shared/branches.js does the same for the first frame; tests/unit/engine/store/branches.json tests both.
"""

from __future__ import annotations

from collections.abc import Sequence

from midstream.journal import Record

Version = tuple[int, int]  # the number of a version, from 1, and how many versions there are
VersionedRecord = tuple[Record, Version]


class Branches:
    """All branches of one conversation. `parents`: by message, the one that it follows."""

    def __init__(self, messages: Sequence[Record]) -> None:
        self._records: dict[str, Record] = {str(record["id"]): record for record in messages}
        self.parents = _parents(messages)
        self._after: dict[str, list[str]] = {}  # by message: what follows it
        # By message: the newest of itself and all below it. A message comes after its parent.
        order = {key: n for n, key in enumerate(self.parents)}
        self._newest = {key: key for key in self.parents}
        for key, parent in self.parents.items():
            self._after.setdefault(parent, []).append(key)
        for key in reversed(self.parents):
            parent, newest = self.parents[key], self._newest[key]
            if parent and order[newest] > order[self._newest[parent]]:
                self._newest[parent] = newest

    def end(self, message: str | None) -> str:
        """The newest of a message and all below it, of everything when it is not here; "" when
        there is nothing."""
        return self._newest.get(message or "") or next(reversed(self.parents), "")

    def up_to(self, message: str) -> list[Record]:
        """From the first message to this one; none when it is not here."""
        records = []
        while message in self._records:
            records.append(self._records[message])
            message = self.parents[message]
        return records[::-1]

    def branch(self, leaf: str | None) -> list[VersionedRecord]:
        """The visible branch: `leaf` and the newest below it, with all that leads there."""
        return [(record, self.version(record["id"])) for record in self.up_to(self.end(leaf))]

    def after(self, message: str) -> list[str]:
        """What follows a message, all versions of it."""
        return self._after.get(message, [])

    def beside(self, message: str) -> list[str]:
        """All versions of a message, oldest first."""
        return self.after(self.parents[message])

    def version(self, message: str) -> Version:
        versions = self.beside(message)
        return versions.index(message) + 1, len(versions)


def parent_implied(messages: Sequence[Record], question: str) -> bool:
    """Whether a question would follow the same message without the field `parent`."""
    before: list[Record] = []
    for record in messages:
        if record["id"] == question:
            given = Branches([*before, record]).parents[question]
            bare = {name: value for name, value in record.items() if name != "parent"}
            return given == Branches([*before, bare]).parents[question]
        before.append(record)
    return True


def moved_behind(messages: Sequence[Record], answers: Sequence[Record]) -> dict[str, Record]:
    """The fields that change, by message, when unsent `answers` and their questions get places behind
    all other messages; none when they have them.

    A question follows what is newest now, unless it is another version of a question. One that has
    another answer already stays with its answers.
    """
    asked = {str(answer["question"]): answer for answer in answers}
    answered = {one.get("question") for one in messages if one["id"] not in {a["id"] for a in answers}}
    unsent = [one for one in messages if one["id"] in asked.keys() - answered]
    own = {one["id"] for question in unsent for one in (question, asked[question["id"]])}
    others = [one for one in messages if one["id"] not in own]
    if not unsent or not any(one["position"] > unsent[0]["position"] for one in others):
        return {}
    last, moved = int(others[-1]["position"]), dict[str, Record]()
    for question in unsent:
        moved[question["id"]] = _following(question, others) | {"position": last + 1}
        moved[asked[question["id"]]["id"]] = {"position": last + 2}
        last += 2
    return moved


def _following(question: Record, others: Sequence[Record]) -> Record:
    """Its new parent, if it gets one."""
    parent = question.get("parent")
    before = Branches([one for one in others if one["position"] < question["position"]])
    if parent is None or (parent and parent not in before.parents) or before.after(parent):
        return {}
    return {"parent": Branches(others).end(parent)}


def _parents(messages: Sequence[Record]) -> dict[str, str]:
    """By message, in their order: the one that it follows, "" for a first one."""
    parents: dict[str, str] = {}
    answered: dict[str, str] = {}  # by question: the newest answer to it
    lost: dict[str, str] = {}  # by parent that is not here: the message that it follows instead
    question = last = ""
    for record in messages:
        key = str(record["id"])
        if key in parents:  # damaged: it would lead in a circle
            continue
        if record["author"] == "user":
            line = answered.get(question, question) or last
            parent = record.get("parent", line)
            if parent and parent not in parents:  # its versions stay versions of each other
                parent = lost.setdefault(parent, line)
            question = key
        else:
            parent = record.get("question")
            if parent not in parents:
                parent = question or last
            answered[parent] = key
        parents[key] = parent
        last = key
    return parents
