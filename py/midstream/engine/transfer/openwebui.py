"""A conversation of Open WebUI's export: a list of `{id, title, chat: {history: {messages: {id: {role,
content, parentId, timestamp, …}}, currentId}, messages}, created_at, updated_at}`.

It writes reasoning into the text, as `<details type="reasoning">`; here the two are separated again.
"""

from __future__ import annotations

import re
from contextlib import suppress
from html import unescape
from typing import Any

from midstream.engine.transfer.archive_schema import Unusable
from midstream.engine.transfer.export_tree import (
    Converted,
    Node,
    answer_runs,
    key_of,
    messages_of,
    milliseconds,
)
from midstream.problems import problem

_DETAILS = re.compile(r'<details type="reasoning"[^>]{0,500}>')
_SPACE = re.compile(r"\s*")
_SUMMARY = re.compile(r"\A\s*<summary>[^<]{0,500}</summary>\s*")
_QUOTED = re.compile(r"^> ?", re.MULTILINE)


def is_one(raw: Any) -> bool:
    return isinstance(raw, dict) and isinstance(raw.get("chat"), dict)


def conversation(raw: dict[str, Any]) -> Converted:
    """Raises Unusable."""
    chat = raw["chat"]
    nodes, current = _nodes(chat)
    title = raw.get("title") or chat.get("title")
    created = milliseconds(raw.get("created_at")) or milliseconds(chat.get("timestamp"))
    name = raw.get("id") or chat.get("id") or (title, created)
    messages, leaf = messages_of(nodes, current, "parentId", lambda key: _turn(name, key, nodes[key]))
    return {
        "id": key_of("openwebui", name),
        "title": title if isinstance(title, str) else "",
        "created": created,
        "updated": milliseconds(raw.get("updated_at")) or created,
        "messages": messages,
        "leaf": leaf,
        "pinned": raw.get("pinned") is True,
    }


def _nodes(chat: dict[str, Any]) -> tuple[dict[str, Node], Any]:
    """The tree; in a file of an older version a list is its only branch."""
    history = chat.get("history")
    if isinstance(history, dict) and isinstance(messages := history.get("messages"), dict):
        return {key: node for key, node in messages.items() if isinstance(node, dict)}, history.get("currentId")
    listed = chat.get("messages")
    if not isinstance(listed, list):
        raise Unusable(problem("unusable_empty"))
    nodes: dict[str, Node] = {}
    for n, node in enumerate(listed):
        if isinstance(node, dict):
            nodes[str(n)] = node | {"parentId": next(reversed(nodes), None)}
    return nodes, None


def _turn(name: Any, key: str, node: Node) -> dict[str, Any] | None:
    contents = _contents(node)
    if not contents:
        return None
    author, text, reasoning = contents
    turn = {
        "id": key_of("openwebui", name, key),
        "author": author,
        "text": text,
        "created": milliseconds(node.get("timestamp")),
    }
    if author == "user":
        return turn
    state = "streaming" if node.get("done") is False else "complete"
    more = {"reasoning": reasoning, "state": state}
    return turn | more | {"runs": answer_runs("Open WebUI", node.get("model"))}


def _contents(node: Node) -> tuple[str, str, str] | None:
    role, text = node.get("role"), _content(node)
    if role not in ("user", "assistant"):
        return None
    if role == "user":
        return ("user", text, "") if text else None
    text, thoughts = _separated(text)
    return ("assistant", text, "\n\n".join(thoughts)) if text or thoughts else None


def _content(node: Node) -> str:
    content = node.get("content")
    if isinstance(content, list):  # parts, as OpenAI has them
        texts = [one.get("text") for one in content if isinstance(one, dict)]
        content = "\n\n".join(text for text in texts if isinstance(text, str))
    files = node.get("files")
    kinds = [one.get("type") for one in files if isinstance(one, dict)] if isinstance(files, list) else []
    marks = ["[image]" if kind == "image" else "[attachment]" for kind in kinds]
    return "\n\n".join(filter(None, [*marks, content if isinstance(content, str) else ""]))


def _separated(text: str) -> tuple[str, list[str]]:
    """The text without the reasoning, and that. By two searches that go on: one expression for both ends would
    look for the second one again from each beginning."""
    kept: list[str] = []
    thoughts: list[str] = []
    at = 0
    while begin := _DETAILS.search(text, at):
        end = text.find("</details>", begin.end())
        if end < 0:
            break
        kept.append(text[at : begin.start()])
        thoughts.append(_thought(text[begin.end() : end]))
        at = _after_space(text, end + len("</details>"))
    return "".join([*kept, text[at:]]).strip(), thoughts


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _thought(details: str) -> str:
    plain = _SUMMARY.sub("", details)
    with suppress(ValueError):  # a character whose number has thousands of digits
        plain = unescape(plain)
    return _QUOTED.sub("", plain).strip()
