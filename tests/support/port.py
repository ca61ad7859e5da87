"""Whether a message of the port is one that docs/port.md has: for every message that a test meets."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Literal, NotRequired, Union, get_args, get_origin

from midstream.engine.ports.intents import INTENTS
from midstream.engine.ports.messages import MESSAGES
from tooling.assets.port import fields, plain


def by_type(kinds: tuple[type, ...]) -> dict[str, type]:
    """The class of each value that `type` may have."""
    return {value: kind for kind in kinds for value in get_args(fields(kind)["type"])}


_MESSAGES, _INTENTS = by_type(MESSAGES), by_type(INTENTS)


def message_faults(message: dict[str, Any]) -> list[str]:
    """What the engine may not post like this; empty when it may."""
    return _faults(message, _MESSAGES)


def intent_faults(intent: dict[str, Any]) -> list[str]:
    """What the screen may not send like this; empty when it may."""
    return _faults(intent, _INTENTS)


def _faults(message: dict[str, Any], known: dict[str, type]) -> list[str]:
    kind = known.get(message["type"])
    if kind is None:
        return [f"docs/port.md has no {message['type']}"]
    return list(faults(message, kind, message["type"]))


def faults(value: Any, hint: Any, where: str) -> Iterator[str]:
    """What of a JSON value is not as the type says."""
    hint = plain(hint)
    inner = get_args(hint)
    match get_origin(hint):
        case None if hasattr(hint, "__required_keys__"):
            yield from _record_faults(value, hint, where)
        case None if hint is not Any and not _is(value, hint):
            yield f"{where} is {value!r}"
        case kind if kind is Literal and value not in inner:
            yield f"{where} is {value!r}"
        case kind if kind is list:
            items = enumerate(value) if isinstance(value, list) else ()
            yield from () if isinstance(value, list) else (f"{where} is no list",)
            for n, item in items:
                yield from faults(item, inner[0], f"{where}[{n}]")
        case kind if kind is dict:
            yield from () if isinstance(value, dict) else (f"{where} is no object",)
            for name, item in value.items() if isinstance(value, dict) else ():
                yield from faults(item, inner[1], f"{where}.{name}")
        case kind if kind in (Union, types.UnionType):
            if all(any(faults(value, each, where)) for each in inner):
                yield f"{where} is {value!r}"


def _record_faults(value: Any, kind: type, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} is no object"
        return
    hints = fields(kind)
    yield from (f"{where}.{name} is not known" for name in value.keys() - hints.keys())
    for name, hint in hints.items():
        if name in value:
            yield from faults(value[name], hint, f"{where}.{name}")
        elif get_origin(hint) is not NotRequired:
            yield f"{where}.{name} is missing"


def _is(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
