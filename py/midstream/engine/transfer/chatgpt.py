"""A conversation of ChatGPT's export: `conversations.json`, a list of `{title, create_time, mapping:
{id: {message, parent, children}}, current_node}`.

Messages of tools and hidden messages are left out. The file has no pictures; a text marks where one
was.
"""

from __future__ import annotations

import re
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

# Citations and the like, between characters of private use.
_CITATIONS = re.compile("\ue200[^\ue200\ue201]{0,1000}\ue201")


def is_one(raw: Any) -> bool:
    return isinstance(raw, dict) and "mapping" in raw


def conversation(raw: dict[str, Any]) -> Converted:
    """Raises Unusable."""
    mapping = raw["mapping"]
    if not isinstance(mapping, dict):
        message = "its messages are not a mapping"
        raise Unusable(problem("unusable_form", message=message, field="messages"))
    nodes = {key: node for key, node in mapping.items() if isinstance(node, dict)}
    name = raw.get("conversation_id") or raw.get("id") or (raw.get("title"), raw.get("create_time"))
    messages, leaf = messages_of(nodes, raw.get("current_node"), "parent", lambda key: _turn(name, key, nodes[key]))
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
    contents = _contents(node)
    if not contents:
        return None
    message = node["message"]
    author, text, reasoning = contents
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


def _contents(node: Node) -> tuple[str, str, str] | None:
    """(author, text, reasoning); None without a visible message of the person or the model."""
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
        return None  # a message to a tool
    text, reasoning = _text(content), _thoughts(content)
    return (role, text, reasoning) if text or reasoning else None


def _text(content: dict[str, Any]) -> str:
    kind = content.get("content_type")
    if kind not in ("text", "multimodal_text"):
        return ""
    parts = content.get("parts")
    texts = [_part(part) for part in parts] if isinstance(parts, list) else []
    return _CITATIONS.sub("", "\n\n".join(filter(None, texts))).strip()


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return ""
    if isinstance(text := part.get("text"), str):  # of a voice
        return text
    return "[image]" if part.get("content_type") == "image_asset_pointer" else "[attachment]"


def _thoughts(content: dict[str, Any]) -> str:
    thoughts = content.get("thoughts")
    if content.get("content_type") != "thoughts" or not isinstance(thoughts, list):
        return ""
    texts = [one.get("content") for one in thoughts if isinstance(one, dict)]
    return "\n\n".join(text for text in texts if isinstance(text, str) and text)
