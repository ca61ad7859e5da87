"""What one payload of a chat stream means: events out of the text of one message.

Servers differ: `content` null or absent; `reasoning` or `reasoning_content`; usage in a chunk
without choices, after the finish; an error object under HTTP 200; a whole `chat.completion` in
place of chunks; keep-alives that are events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from midstream import json_text
from midstream.errors import ErrorWords
from midstream.events import (
    DONE,
    TERMINAL_STATES,
    Delta,
    Ended,
    Event,
    Extra,
    Failed,
    Finish,
    Nothing,
    Other,
    Unreadable,
    Usage,
)
from midstream.problems import Problem, problem, read
from midstream.providers import error_words, finish_reasons

__all__ = ["is_keep_alive", "parse", "problem_in"]

_SHORT = 40  # characters of a keep-alive
_KEEP_ALIVE = re.compile(
    r"""[\s:."_-]*+(?:(?:ping|pong|keep[-_ ]?alive|heart[-_ ]?beat|processing|waiting)[\s:."_-]*+)?""",
    re.IGNORECASE,
)


def parse(data: str) -> list[Event]:
    """The events of one payload, in order, at least one; none for `[DONE]`."""
    if data.strip() == DONE:
        return []
    if is_keep_alive(data):
        return [Nothing()]
    try:
        body = json_text.decode(data)
    except ValueError:
        return [_unreadable(data)]
    if isinstance(body, list):  # Gemini's form of an error
        body = next((each for each in body if isinstance(each, dict)), body or None)
    if not isinstance(body, dict):
        if isinstance(body, str | list):
            return [_unreadable(data)]
        return [Nothing()]
    return _events(body)


def _events(body: dict[str, Any]) -> list[Event]:
    words = error_words.in_json(body) or _error_in(_list(body.get("choices")))
    if ended := list(_ended(body.get("midstream"), words)):
        return ended
    events: list[Event] = []
    if words:
        events.append(_failure(words, body))
    for position, choice in enumerate(_list(body.get("choices"))):
        if isinstance(choice, dict):
            events += _choice(choice, position)
    events += _usage(body.get("usage"))
    return events or [Nothing() if _is_ping(body) else Other()]


def _is_ping(body: Mapping[str, Any]) -> bool:
    named = (body.get(name) for name in ("type", "event", "object", "status"))
    return not body or any(name and isinstance(name, str) and is_keep_alive(name) for name in named)


def is_keep_alive(text: str) -> bool:
    return len(text) <= _SHORT and bool(_KEEP_ALIVE.fullmatch(text))


def problem_in(error: Mapping[str, Any]) -> Problem | None:
    """What an error of a Midstream server says by its code; None for everybody else's."""
    return read(error.get("problem"), _text(error.get("message")), _text(error.get("hint")))


def _unreadable(data: str) -> Unreadable:
    why = problem("bad_payload", quote=data[:300])
    return Unreadable(Failed(why.message, "bad_payload", problem=why))


def _failure(words: ErrorWords | None, body: Mapping[str, Any]) -> Failed:
    words = words or ErrorWords()
    known = body["error"] if isinstance(body.get("error"), dict) else {}
    message = words.message
    why = problem_in(known) or problem("endpoint_error", quote=message, message=message)
    return Failed(why.message, words.name, _text(known.get("hint")), why, words)


def _error_in(choices: list[Any]) -> ErrorWords | None:
    """OpenRouter has a place for an error in each choice."""
    failed = (choice["error"] for choice in choices if isinstance(choice, dict) and choice.get("error"))
    return next((error_words.in_json({"error": error}) for error in failed), None)


def _choice(choice: Mapping[str, Any], position: int) -> Iterator[Event]:
    """`message` instead of `delta` is a whole answer at once, `text` a completion's."""
    index = choice.get("index")
    index = index if type(index) is int and index >= 0 else position
    part = choice.get("delta") or choice.get("message") or {"content": choice.get("text")}
    if isinstance(part, dict):
        yield from _part(part, index)
    reason = choice.get("finish_reason")
    if finish_reasons.ends(reason):
        yield Finish(str(reason), index)


def _part(part: Mapping[str, Any], index: int) -> Iterator[Event]:
    reasoning, refusal = part.get("reasoning"), _text(part.get("refusal"))
    text = _text(part.get("content")) + refusal
    thought = _text(part.get("reasoning_content") if reasoning is None else reasoning)
    if text or thought:
        yield Delta(text, thought, index)
    if refusal:
        yield Extra("refusal", index=index)
    calls = _list(part.get("tool_calls")) or [{"function": part.get("function_call")}] * ("function_call" in part)
    for call in calls:
        if isinstance(call, dict) and isinstance(called := call.get("function"), dict):
            yield Extra("tool_call", _text(called.get("name"))[:64], index)
    media = _list(part.get("images")), _list(part.get("content"))
    if media[0] or any(isinstance(each, dict) and "image" in str(each.get("type")) for each in media[1]):
        yield Extra("image", index=index)
    if isinstance(part.get("audio"), dict):
        yield Extra("audio", index=index)


def _usage(usage: object) -> Iterator[Event]:
    if isinstance(usage, dict):
        counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
        yield Usage(*(n if isinstance(n, int) else 0 for n in counts))


def _ended(record: object, words: ErrorWords | None) -> Iterator[Event]:
    """A failure of a run is an error like those of other servers too. `words`: of the error beside
    the record."""
    state = record.get("state") if isinstance(record, dict) else None
    if isinstance(record, dict) and isinstance(state, str) and state in TERMINAL_STATES:
        message, code, why = _text(record.get("message")), _text(record.get("code")), problem_in(record)
        if state == "failed":
            yield Failed(message, code, _text(record.get("hint")), why) if message else _failure(words, record)
        yield Ended(state, message, code, why)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    """Text of a content field: a string, a list of text parts (Mistral's form), else nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = (part.get("text") for part in value if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str))
    return ""
