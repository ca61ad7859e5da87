"""Conversations as other programs export them, brought into the form of our own file.

Both keep every version of a message in a tree, and so do we; what was read last is shown. What comes
out is checked like our own file afterwards (archive_schema.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

from midstream.problems import Problem, problem

Converted = dict[str, Any]  # a conversation of our file
Node = dict[str, Any]
NODES = 100_000  # in one conversation


class Unusable(ValueError):
    """Something in a conversation of a file."""

    def __init__(self, why: Problem) -> None:
        super().__init__(why.message)
        self.problem = why


def key_of(program: str, *parts: object) -> str:
    """The id of a record: the same each time that a file is read, so nothing is added twice, and
    made of letters that a gateway takes."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"))
    return f"{program}-{digest.hexdigest()[:32]}"


def milliseconds(value: Any) -> int:
    """Seconds since the epoch, or milliseconds; 0 for anything else."""
    if type(value) not in (int, float) or not 0 <= value < 1e14:
        return 0
    return int(value if value > 1e11 else value * 1000)


@dataclass(slots=True)
class Said:
    """Where a node stands: the message that it is in or below, and the words of that up to here."""

    message: dict[str, Any]
    text: str = ""
    reasoning: str = ""


def messages_of(
    nodes: dict[str, Node],
    current: Any,
    parent: str,
    turn: Callable[[str], dict[str, Any] | None],
) -> tuple[list[dict[str, Any]], str]:
    """All that was said, what was said first before the rest, and the id of what was read last: of
    `current`, without one of the last node in the file.

    `parent`: the field with the id of the node before; `turn`: what stands in a node. Answers that
    follow each other (a tool was used between them) are one.
    """
    if len(nodes) > NODES:
        raise Unusable(problem("unusable_many", limit=NODES))
    at = current if isinstance(current, str) and current in nodes else next(reversed(nodes), None)
    found: list[dict[str, Any]] = []
    ends: dict[str, Said] = {}  # by message: where its last words stand
    places: dict[str, Said | None] = {}
    for key, before in _downwards(nodes, parent):
        above = None if before is None else places[before]
        said = turn(key)
        if said is None:
            places[key] = above
        elif said["author"] == "assistant" and above and above.message["author"] == "assistant":
            places[key] = _joined(above, said, found, ends)
        else:
            places[key] = ends[said["id"]] = _begun(above, said, found)
            if above:
                ends.pop(above.message["id"], None)  # what it says is all that was answered here
    if at is not None and at not in places:
        raise Unusable(problem("unusable_circle"))
    last = None if at is None else places[at]
    return _in_order(found), last.message["id"] if last else ""


def _downwards(nodes: dict[str, Node], parent: str) -> Iterator[tuple[str, str | None]]:
    """Each node that hangs from a first one, after the one before it, and the id of that."""
    below: dict[str | None, list[str]] = {}
    for key, node in nodes.items():
        before = node.get(parent)
        known = before if isinstance(before, str) and before in nodes else None
        below.setdefault(known, []).append(key)
    stack: list[tuple[str, str | None]] = [(key, None) for key in reversed(below.get(None, []))]
    while stack:
        key, before = stack.pop()
        yield key, before
        stack += [(each, key) for each in reversed(below.get(key, []))]


def _begun(above: Said | None, turn: dict[str, Any], found: list[dict[str, Any]]) -> Said:
    before = above.message["id"] if above else ""
    named = "parent" if turn["author"] == "user" else "question"
    found.append(turn | {named: before})
    return Said(found[-1], turn["text"], turn.get("reasoning", ""))


def _joined(
    above: Said, turn: dict[str, Any], found: list[dict[str, Any]], ends: dict[str, Said]
) -> Said:
    """More of an answer; another version of it, where it has gone on in another way already."""
    message = above.message
    if ends.get(message["id"]) is not above:
        message = message | {"id": turn["id"]}
        found.append(message)
    text = "\n\n".join(filter(None, (above.text, turn["text"])))
    reasoning = "\n\n".join(filter(None, (above.reasoning, turn["reasoning"])))
    created = message["created"] or turn["created"]
    message |= {"text": text, "reasoning": reasoning, "state": turn["state"], "created": created}
    ends[message["id"]] = Said(message, text, reasoning)
    return ends[message["id"]]


def _in_order(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By their times, but none before the message that it follows: what is said later in the other
    program comes at the end, when its file is loaded again."""
    below: dict[str, list[tuple[int, int]]] = {}
    for n, message in enumerate(found):
        before = message["parent" if message["author"] == "user" else "question"]
        below.setdefault(before, []).append((message["created"], n))
    ready, ordered = below.get("", []), []
    heapify(ready)
    while ready:
        _, n = heappop(ready)
        ordered.append(found[n])
        for each in below.get(found[n]["id"], []):
            heappush(ready, each)
    return ordered


def answer_runs(program: str, model: Any) -> list[dict[str, Any]]:
    name = model if isinstance(model, str) else ""
    return [{"endpoint": {"name": program, "model": name[:200]}}]
