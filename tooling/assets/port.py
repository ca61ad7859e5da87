"""What is made from the classes of the port (`midstream.engine.ports`): the screen's types and the
tables of docs/port.md. `.venv/bin/python -m tooling.assets.port` writes both anew."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

from midstream.engine.ports.intents import INTENTS
from midstream.engine.ports.messages import MESSAGES
from tooling.places import HERE

TYPES = HERE.root / "web/screen/page/port_types.d.ts"
PAGE = HERE.root / "docs/port.md"
HEAD = "// Made from midstream/engine/ports by `python -m tooling.assets.port`: do not edit.\n"
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", Any: "any"}
PLAIN_WORDS = {str: "text", int: "integer", float: "number", bool: "boolean", Any: "any"}


def main() -> None:
    TYPES.write_text(screen_types(), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


# The screen's types


def screen_types() -> str:
    """TypeScript declarations: an interface for each class, and the unions Message and Intent."""
    named = [*_parts(), *MESSAGES, *INTENTS]
    unions = [
        f"export type {name} = {' | '.join(kind.__name__ for kind in kinds)};"
        for name, kinds in (("Message", MESSAGES), ("Intent", INTENTS))
    ]
    return "\n".join([HEAD, *(_interface(kind) for kind in named), *unions, ""])


def _parts() -> Iterator[type]:
    """The classes that others have as fields, each once."""
    waiting, seen = [*MESSAGES, *INTENTS], {*MESSAGES, *INTENTS}
    while waiting:
        for hint in fields(waiting.pop()).values():
            for inner in _classes(hint):
                if inner not in seen:
                    seen.add(inner)
                    waiting.append(inner)
                    yield inner


def _classes(hint: Any) -> Iterator[type]:
    if hasattr(hint, "__required_keys__"):
        yield hint
    for inner in get_args(hint):
        yield from _classes(inner)


def fields(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _interface(kind: type) -> str:
    lines = [f"{name}{_script(hint)}" for name, hint in fields(kind).items()]
    return f"export type {kind.__name__} = {{ {'; '.join(lines)} }};"


def _script(hint: Any) -> str:
    """With the colon before it, and a question mark where the field may be absent."""
    return f"{'?' if get_origin(hint) is NotRequired else ''}: {_script_of(plain(hint))}"


def plain(hint: Any) -> Any:
    """Without NotRequired and Annotated."""
    while get_origin(hint) in (NotRequired, Annotated):
        hint = get_args(hint)[0]
    return hint


def _script_of(hint: Any) -> str:
    hint, inner = plain(hint), get_args(plain(hint))
    match get_origin(hint):
        case None:
            return "null" if hint is type(None) else PLAIN.get(hint) or hint.__name__
        case kind if kind is Literal:
            return " | ".join(f"'{value}'" for value in inner)
        case kind if kind is list:
            item = _script_of(inner[0])
            return f"({item})[]" if "|" in item else f"{item}[]"
        case kind if kind is dict:
            return f"Record<string, {_script_of(inner[1])}>"
        case kind if kind in (Union, types.UnionType):
            return " | ".join(_script_of(each) for each in inner)
    raise TypeError(f"no type of the screen for {hint}")


# The page


def page(text: str) -> str:
    """docs/port.md with its tables made anew."""
    for name, kinds in (("messages", MESSAGES), ("intents", INTENTS), ("parts", tuple(_parts()))):
        before, rest = text.split(f"<!-- {name} -->\n")
        _, after = rest.split(f"<!-- /{name} -->")
        text = f"{before}<!-- {name} -->\n{_table(kinds)}<!-- /{name} -->{after}"
    return text


def _table(kinds: tuple[type, ...]) -> str:
    rows = [f"| {_name(kind)} | {_doc(kind)} | {_fields(kind)} |\n" for kind in kinds]
    return "".join(["| | Meaning | Fields |\n|:--|:--|:--|\n", *rows])


def _name(kind: type) -> str:
    hint = fields(kind).get("type")
    return " ".join(f"`{value}`" for value in get_args(hint)) if hint else f"*{kind.__name__}*"


def _doc(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split())


def _fields(kind: type) -> str:
    bases = [base for base in getattr(kind, "__orig_bases__", ()) if hasattr(base, "__required_keys__")]
    inherited = {name for base in bases for name in fields(base)}
    own = [(name, hint) for name, hint in fields(kind).items() if name not in {"type", *inherited}]
    whole = [f"all of *{base.__name__}*" for base in bases]
    return "<br>".join([*whole, *(_field(name, hint) for name, hint in own)])


def _field(name: str, hint: Any) -> str:
    mark = "?" if get_origin(hint) is NotRequired else ""
    inner = get_args(hint)[0] if mark else hint
    note = f": {get_args(inner)[1]}" if get_origin(inner) is Annotated else ""
    return f"`{name}`{mark} {_words_of(inner)}{note}"


def _words_of(hint: Any) -> str:
    hint, inner = plain(hint), get_args(plain(hint))
    match get_origin(hint):
        case None:
            return "null" if hint is type(None) else PLAIN_WORDS.get(hint) or f"*{hint.__name__}*"
        case kind if kind is Literal:
            return " ".join(f"`{value}`" for value in inner)
        case kind if kind is list:
            return f"list of {_words_of(inner[0])}"
        case kind if kind is dict:
            return "object"
    return " or ".join(_words_of(each) for each in inner)


if __name__ == "__main__":
    main()
