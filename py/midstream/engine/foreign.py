"""Conversations as other programs export them, brought into the form of our own file.

Both keep every version of a message in a tree; the branch that was read last becomes the
conversation, the others are counted. What comes out is checked like our own file afterwards
(incoming.py), so here only the way through is looked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

Converted = tuple[dict[str, Any], int]  # a conversation of our file, and how many branches are left
Node = dict[str, Any]
NODES = 100_000  # in one conversation


class Unusable(ValueError):
    """Something in a conversation of a file."""


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


def branch(nodes: dict[str, Node], current: Any, parent: str) -> list[str]:
    """The ids from the root to the node that was read last; without one, to the last in the file.
    `parent`: the field with the id of the node before."""
    if len(nodes) > NODES:
        raise Unusable(f"it has more than {NODES} messages")
    at = current if isinstance(current, str) and current in nodes else next(reversed(nodes), None)
    path: dict[str, None] = {}
    while isinstance(at, str) and at in nodes:
        if at in path:
            raise Unusable("its messages lead in a circle")
        path[at] = None
        at = nodes[at].get(parent)
    return [*path][::-1]


def others(
    nodes: dict[str, Node], path: Iterable[str], parent: str, said: Callable[[Node], Any]
) -> int:
    """How many branches end in something that was said, and are not the one that was taken."""
    inner = {node.get(parent) for node in nodes.values() if isinstance(node.get(parent), str)}
    ends = nodes.keys() - inner - set(path)
    return sum(1 for key in ends if said(nodes[key]))


def joined(turns: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answers that follow each other (a tool was used between them) are one."""
    messages: list[dict[str, Any]] = []
    question = ""
    for turn in turns:
        last = messages[-1] if messages else None
        if turn["author"] == "user":
            question = turn["id"]
            messages.append(turn)
        elif last and last["author"] == "assistant":
            last["text"] = "\n\n".join(filter(None, (last["text"], turn["text"])))
            last["reasoning"] = "\n\n".join(filter(None, (last["reasoning"], turn["reasoning"])))
            last["state"] = turn["state"]
        else:
            messages.append(turn | {"question": question})
    return messages


def answer_runs(program: str, model: Any) -> list[dict[str, Any]]:
    name = model if isinstance(model, str) else ""
    return [{"endpoint": {"name": program, "model": name[:200]}}]
