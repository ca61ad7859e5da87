"""The trees in which other programs export conversations, converted to the form of our own file.

They have every version of a message in a tree, as we do; the version that was read last is visible.
The result is checked like our own file (archive_schema.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

from midstream.engine.transfer.archive_schema import Unusable
from midstream.problems import problem

Converted = dict[str, Any]  # a conversation of our file
Node = dict[str, Any]
NODES = 100_000  # in one conversation
CHARACTERS = 64 * 2**20  # of all versions of its messages: a small tree has many versions of one long beginning
NODE_CHARACTERS = 100  # as which a node counts at least


def key_of(program: str, *parts: object) -> str:
    """The id of a record: the same each time that a file is read, so nothing is added twice, and
    made of characters that a gateway takes."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"))
    return f"{program}-{digest.hexdigest()[:32]}"


def milliseconds(value: Any) -> int:
    """Seconds since the epoch, or milliseconds; 0 for anything else."""
    if type(value) not in (int, float) or not 0 <= value < 1e14:
        return 0
    return int(value if value > 1e11 else value * 1000)


@dataclass(slots=True, eq=False)
class MessageEnd:
    """The end of a message at some node: the message that the node is in or below, the text of the node,
    and the end before it in the same message."""

    message: dict[str, Any]
    text: str = ""
    reasoning: str = ""
    before: MessageEnd | None = None


def messages_of(
    nodes: dict[str, Node],
    current: Any,
    parent: str,
    turn: Callable[[str], dict[str, Any] | None],
) -> tuple[list[dict[str, Any]], str]:
    """All messages in the order of their times, and the id of the message that was read last: the one
    at `current`, else at the last node of the file.

    `parent`: the field with the id of the node before; `turn`: gives the message in a node, or None.
    Answers that follow each other (with the use of a tool between them) become one.
    """
    if len(nodes) > NODES:
        raise Unusable(problem("unusable_many", limit=NODES))
    at = current if isinstance(current, str) and current in nodes else next(reversed(nodes), None)
    messages: list[dict[str, Any]] = []
    newest: dict[str, MessageEnd] = {}  # by message that may go on: its last end
    last: dict[str, MessageEnd] = {}  # the same of every message
    ends: dict[str, MessageEnd | None] = {}  # by node
    for key, before in _downwards(nodes, parent):
        above = None if before is None else ends[before]
        message = turn(key)
        if message is None:
            ends[key] = above
        elif message["author"] == "assistant" and above and above.message["author"] == "assistant":
            end = _joined(above, message, messages, newest)
        else:
            end = _begun(above, message, messages)
            if above:
                newest.pop(above.message["id"], None)  # that answer is complete
        if message is not None:
            ends[key] = newest[end.message["id"]] = last[end.message["id"]] = end
    if at is not None and at not in ends:
        raise Unusable(problem("unusable_circle"))
    _write_texts(last.values())
    leaf = None if at is None else ends[at]
    return _in_order(messages), leaf.message["id"] if leaf else ""


def _downwards(nodes: dict[str, Node], parent: str) -> Iterator[tuple[str, str | None]]:
    """Each node below a first one, after the node before it, with the id of that."""
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


def _begun(above: MessageEnd | None, turn: dict[str, Any], messages: list[dict[str, Any]]) -> MessageEnd:
    before = above.message["id"] if above else ""
    field = "parent" if turn["author"] == "user" else "question"
    messages.append(turn | {field: before})
    return MessageEnd(messages[-1], turn["text"], turn.get("reasoning", ""))


def _joined(
    above: MessageEnd,
    turn: dict[str, Any],
    messages: list[dict[str, Any]],
    newest: dict[str, MessageEnd],
) -> MessageEnd:
    """Adds to an answer; where it has gone on in another way already, makes another version."""
    message = above.message
    if newest.get(message["id"]) is not above:
        message = message | {"id": turn["id"]}
        messages.append(message)
    message |= {"state": turn["state"], "created": message["created"] or turn["created"]}
    return MessageEnd(message, turn["text"], turn["reasoning"], above)


def _write_texts(ends: Iterable[MessageEnd]) -> None:
    """Gives the messages of several nodes their texts."""
    left = CHARACTERS
    for end in ends:
        nodes: list[MessageEnd] = []
        at: MessageEnd | None = end
        while at is not None:
            nodes.append(at)
            left -= max(len(at.text) + len(at.reasoning), NODE_CHARACTERS)
            if left < 0:
                raise Unusable(problem("unusable_sum", limit=CHARACTERS))
            at = at.before
        if len(nodes) > 1:
            nodes.reverse()
            end.message["text"] = "\n\n".join(node.text for node in nodes if node.text)
            end.message["reasoning"] = "\n\n".join(node.reasoning for node in nodes if node.reasoning)


def _in_order(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By their times, but none before the message that it follows. So messages of a later export of
    the same conversation come at the end."""
    below: dict[str, list[tuple[int, int]]] = {}
    for n, message in enumerate(messages):
        before = message["parent" if message["author"] == "user" else "question"]
        below.setdefault(before, []).append((message["created"], n))
    ready, ordered = below.get("", []), []
    heapify(ready)
    while ready:
        _, n = heappop(ready)
        ordered.append(messages[n])
        for each in below.get(messages[n]["id"], []):
            heappush(ready, each)
    return ordered


def answer_runs(program: str, model: Any) -> list[dict[str, Any]]:
    name = model if isinstance(model, str) else ""
    return [{"endpoint": {"name": program, "model": name[:200]}}]
