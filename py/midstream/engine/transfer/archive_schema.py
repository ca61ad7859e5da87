"""The file of all conversations, checked as it is read: what comes out of here can be stored.

Whatever a file says, no record of it may name an address to ask, hold ops, or stand in the way of
another one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from midstream.engine.store.records import FINAL_STATES, error_of
from midstream.engine.transfer import chatgpt, openwebui
from midstream.engine.transfer.export_tree import Unusable
from midstream.errors import UsageError
from midstream.journal import Record, Row
from midstream.problems import is_record, problem

FORMAT = "midstream"
VERSION = 1
FILE_CHARACTERS = 64 * 2**20
TEXT_CHARACTERS = 8 * 2**20  # of one message
NAME_CHARACTERS = 200  # of an id or a model's name
WORDS_CHARACTERS = 2000  # of a title or an error: a longer one is cut
MESSAGES = 10_000  # in one conversation
RUNS = 100  # of one answer
FIRST = 3  # conversations that say which program's file it is
# No version of the parser: the text is drawn when it is first shown, as after a change of the parser.
# To draw a large file at once would keep the person waiting for minutes.
UNDRAWN = 0
LAST_MS = 8.64e15  # the last moment that JavaScript's Date can hold


@dataclass(slots=True)
class Conversation:
    record: Record
    messages: list[tuple[Record, Row | None]]  # rows without ops


def decode(file: str) -> Any:
    """What stands in a file. Raises UsageError."""
    if len(file) > FILE_CHARACTERS:
        raise UsageError(problem("import_too_large"))
    try:
        return json.loads(file)
    except (ValueError, RecursionError) as error:
        raise UsageError(problem("import_unknown")) from error


def conversations(data: Any) -> Iterator[Conversation | Unusable]:
    """Each conversation of the file, or why it cannot be used. Raises UsageError, before the first
    one, when it is no such file."""
    used: set[str] = set()
    for number, raw in enumerate(_listing(data), 1):
        try:
            own = _own(raw)
            found = _conversation(own, used)
            if found.messages or own is raw:  # an empty one of another program is nothing to keep
                yield found
        except Unusable as error:
            yield Unusable(problem("in_conversation", parts=[error.problem], number=number))


def _own(raw: Any) -> Any:
    """A conversation of the file in our form."""
    if chatgpt.is_one(raw):
        return chatgpt.conversation(raw)
    if openwebui.is_one(raw):
        return openwebui.conversation(raw)
    return raw


def whole_characters(words: str) -> str:
    """Half surrogate pairs joined, or replaced: neither a file nor a page can hold them."""
    if words.isascii():
        return words
    return words.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _listing(data: Any) -> list[Any]:
    others = data if isinstance(data, list) else [data]
    if others and all(chatgpt.is_one(one) or openwebui.is_one(one) for one in others[:FIRST]):
        return others
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise UsageError(problem("import_unknown"))
    version = data.get("version")
    if type(version) is not int or version < 1:
        words = "The file does not say which version it is."
        raise UsageError(problem("import_damaged", message=words))
    if version > VERSION:
        raise UsageError(problem("import_newer"))
    found = data.get("conversations")
    if not isinstance(found, list):
        words = "The file has no list of conversations."
        raise UsageError(problem("import_damaged", message=words))
    return found


def _conversation(raw: Any, used: set[str]) -> Conversation:
    """`used`: the ids of conversations and messages met so far in the file. Raises Unusable."""
    if not isinstance(raw, dict):
        raise Unusable(problem("unusable_object"))
    own: set[str] = set()
    key = _new_id(raw, used, own)
    created = _time(raw, "created")
    title = _words(raw, "title")
    record = {"id": key, "title": title, "created": created, "updated": created}
    record["updated"] = max(_time(raw, "updated"), created)
    if raw.get("pinned") is True:
        record["pinned"] = True
    listed = raw.get("messages")
    if not isinstance(listed, list) or len(listed) > MESSAGES:
        raise _unusable("messages", "are not a list, or too many")
    messages = []
    for number, message in enumerate(listed):
        try:
            messages.append(_message(message, key, number, used, own))
        except Unusable as error:
            where = problem("in_message", parts=[error.problem], number=number + 1)
            raise Unusable(where) from None
    if (leaf := _text(raw, "leaf", NAME_CHARACTERS)) in own - {key}:
        record["leaf"] = leaf
    used |= own  # not before: a conversation that cannot be used takes no id from others
    return Conversation(record, messages)


def _message(
    raw: Any, conversation: str, position: int, used: set[str], own: set[str]
) -> tuple[Record, Row | None]:
    if not isinstance(raw, dict):
        raise Unusable(problem("unusable_object"))
    before = own - {conversation}
    record: Record = {
        "id": _new_id(raw, used, own),
        "conversation": conversation,
        "position": position,
        "author": raw.get("author"),
        "created": _time(raw, "created"),
    }
    words = whole_characters(_text(raw, "text", TEXT_CHARACTERS))
    if record["author"] == "user":
        parent = _text(raw, "parent", NAME_CHARACTERS)
        if "parent" in raw and parent in before | {""}:
            record["parent"] = parent
        return record | {"text": words, "state": "complete", "runs": []}, None
    if record["author"] != "assistant":
        raise Unusable(problem("unusable_author"))
    runs = _listed(raw, "runs", _run, RUNS) or [_run({})]
    record |= {"parser": UNDRAWN, "runs": runs}
    question = _text(raw, "question", NAME_CHARACTERS)
    record["question"] = question if question in before else ""
    record |= _ending(raw)
    return record, _row(record, raw, words)


def _ending(raw: Record) -> Record:
    state = _text(raw, "state", NAME_CHARACTERS)
    numbers = {"tokens": _count(raw, "tokens"), "seq": _count(raw, "seq")}
    ending: Record = numbers | {"seconds": _number(raw, "seconds")}
    if state not in FINAL_STATES:
        return ending | {"state": "interrupted", "error": error_of(problem("file_unfinished"))}
    ending["state"] = state
    if isinstance(error := raw.get("error"), dict):
        ending["error"] = {key: _words(error, key) for key in ("message", "hint")}
        if is_record(said := error.get("problem")):
            ending["error"]["problem"] = said
    return ending


def _row(record: Record, raw: Record, words: str) -> Row | None:
    reasoning = whole_characters(_text(raw, "reasoning", TEXT_CHARACTERS))
    if not words and not reasoning:
        return None
    return Row(
        message=record["id"],
        n=1,
        run=len(record["runs"]) - 1,
        first=1,
        last=max(record["seq"], 1),
        text=words,
        reasoning=reasoning,
        tokens=record["tokens"],
        finish=_text(raw, "finish", NAME_CHARACTERS),
        whole=True,
    )


def _run(raw: Any) -> Record:
    """A run of another time and place: `kind` gateway without an address is the page's own server,
    which nothing asks about an answer that has ended."""
    endpoint = raw.get("endpoint", {}) if isinstance(raw, dict) else None
    if not isinstance(endpoint, dict):
        raise _unusable("runs", "hold one that is not an object")
    name = _text(endpoint, "name", NAME_CHARACTERS) or "?"
    model = _text(raw, "model", NAME_CHARACTERS) or _text(endpoint, "model", NAME_CHARACTERS)
    run: Record = {
        "key": _text(raw, "key", 4 * NAME_CHARACTERS),
        "run": None if raw.get("run") is None else _text(raw, "run", NAME_CHARACTERS),
        "endpoint": {"name": name, "kind": "gateway", "model": model},
        "seq": _count(raw, "seq"),
    }
    return run | ({"seam": _seam(raw["seam"])} if "seam" in raw else {})


def _seam(raw: Any) -> Record:
    if not isinstance(raw, dict):
        raise _unusable("seam", "is not an object")
    counts = {"at": _count(raw, "at"), "skipped": _count(raw, "skipped")}
    return counts | {"kind": _text(raw, "kind", NAME_CHARACTERS)}


# Fields of a file, as they should be. Each raises Unusable.


def _unusable(name: str, how: str) -> Unusable:
    return Unusable(problem("unusable_form", message=f"its {name} {how}", field=name))


def _new_id(raw: Record, used: set[str], own: set[str]) -> str:
    key = _text(raw, "id", NAME_CHARACTERS)
    if not key or key != whole_characters(key):
        raise Unusable(problem("unusable_id"))
    if key in used or key in own:
        raise Unusable(problem("unusable_twice", id=key[:40]))
    own.add(key)
    return key


def _text(raw: Record, name: str, limit: int) -> str:
    value = raw.get(name, "")
    if not isinstance(value, str):
        raise _unusable(name, "is not a text")
    if len(value) > limit:
        raise Unusable(problem("unusable_long", field=name, limit=limit))
    return value


def _words(raw: Record, name: str) -> str:
    return whole_characters(_text(raw, name, TEXT_CHARACTERS))[:WORDS_CHARACTERS]


def _number(raw: Record, name: str) -> float:
    value = raw.get(name, 0)
    if type(value) not in (int, float) or not 0 <= value <= LAST_MS:
        raise Unusable(problem("unusable_number", field=name))
    return float(value)


def _count(raw: Record, name: str) -> int:
    value = _number(raw, name)
    if value != int(value):
        words = f"its {name} is not a whole number"
        raise Unusable(problem("unusable_number", message=words, field=name))
    return int(value)


def _time(raw: Record, name: str) -> int:
    return int(_number(raw, name))


def _listed(raw: Record, name: str, one: Callable[[Any], Any], limit: int) -> list[Any]:
    values = raw.get(name, [])
    if not isinstance(values, list) or len(values) > limit:
        raise _unusable(name, "are not a list, or too many")
    return [one(value) for value in values]
