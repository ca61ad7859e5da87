"""A conversation of ChatGPT's export: `conversations.json`, a list of `{title, create_time, mapping:
{id: {message, parent, children}}, current_node}`.

What tools said and what was hidden is left out. Pictures are not in that file; where one stood is
said.
"""

from __future__ import annotations

import re
from typing import Any

from midstream.engine.transfer.export_tree import (
    Converted,
    Node,
    Unusable,
    answer_runs,
    key_of,
    messages_of,
    milliseconds,
)
from midstream.problems import problem

# Places of citations and the like, between characters of private use.
_PLACES = re.compile("\ue200[^\ue200\ue201]{0,1000}\ue201")


def is_one(raw: Any) -> bool:
    return isinstance(raw, dict) and "mapping" in raw


def conversation(raw: dict[str, Any]) -> Converted:
    """Raises Unusable."""
    found = raw["mapping"]
    if not isinstance(found, dict):
        words = "its messages are not a mapping"
        raise Unusable(problem("unusable_form", message=words, field="messages"))
    nodes = {key: node for key, node in found.items() if isinstance(node, dict)}
    name = raw.get("conversation_id") or raw.get("id") or (raw.get("title"), raw.get("create_time"))
    messages, leaf = messages_of(
        nodes, raw.get("current_node"), "parent", lambda key: _turn(name, key, nodes[key])
    )
    created = milliseconds(raw.get("create_time"))
    title = raw.get("title")
    return {
        "id": key_of("chatgpt", name),
        "title": title if isinstance(title, str) else "",
        "created": created,
        "updated": milliseconds(raw.get("update_time")) or created,
        "messages": messages,
        "leaf": leaf,
    }


def _turn(name: Any, key: str, node: Node) -> dict[str, Any] | None:
    said = _said(node)
    if not said:
        return None
    message = node["message"]
    author, text, reasoning = said
    turn = {
        "id": key_of("chatgpt", name, key),
        "author": author,
        "text": text,
        "created": milliseconds(message.get("create_time")),
    }
    if author == "user":
        return turn
    metadata = message.get("metadata")
    model = metadata.get("model_slug") if isinstance(metadata, dict) else ""
    cut = message.get("status") == "in_progress"
    state = "streaming" if cut else "complete"
    more = {"reasoning": reasoning, "state": state, "runs": answer_runs("ChatGPT", model)}
    return turn | more


def _said(node: Node) -> tuple[str, str, str] | None:
    """(author, text, reasoning); None when it is not part of what two have said to each other."""
    message = node.get("message")
    if not isinstance(message, dict):
        return None
    author, content = message.get("author"), message.get("content")
    metadata = message.get("metadata")
    role = author.get("role") if isinstance(author, dict) else None
    hidden = isinstance(metadata, dict) and metadata.get("is_visually_hidden_from_conversation")
    if role not in ("user", "assistant") or not isinstance(content, dict) or hidden:
        return None
    if role == "assistant" and message.get("recipient", "all") not in (None, "all"):
        return None  # said to a tool
    text, reasoning = _text(content), _thoughts(content)
    return (role, text, reasoning) if text or reasoning else None


def _text(content: dict[str, Any]) -> str:
    kind = content.get("content_type")
    if kind not in ("text", "multimodal_text"):
        return ""
    parts = content.get("parts")
    words = [_part(part) for part in parts] if isinstance(parts, list) else []
    return _PLACES.sub("", "\n\n".join(filter(None, words))).strip()


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return ""
    if isinstance(text := part.get("text"), str):  # what was spoken
        return text
    return "[image]" if part.get("content_type") == "image_asset_pointer" else "[attachment]"


def _thoughts(content: dict[str, Any]) -> str:
    thoughts = content.get("thoughts")
    if content.get("content_type") != "thoughts" or not isinstance(thoughts, list):
        return ""
    words = [one.get("content") for one in thoughts if isinstance(one, dict)]
    return "\n\n".join(word for word in words if isinstance(word, str) and word)
