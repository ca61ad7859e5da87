"""The schema of our file of conversations (archive.py has its form): checks a conversation of a file
and makes records that can be stored.

No record from a file may name the address of an endpoint, hold ops, or have the id of another record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from midstream.engine.store.records import FINAL_STATES, error_of
from midstream.errors import UsageError
from midstream.journal import Record, Row
from midstream.problems import Problem, is_record, problem
from midstream.text import whole_characters

FORMAT = "midstream"
VERSION = 1
TEXT_CHARACTERS = 8 * 2**20  # of one message
ID_CHARACTERS = 200  # of an id, or the name of a model
SHORT_CHARACTERS = 2000  # of a title or an error: a longer one is cut
MESSAGES = 10_000  # in one conversation
RUNS = 100  # of one answer
# No version of the parser: the text is parsed when it is first shown, as after a change of the parser.
# To parse a large file at once would take minutes.
UNDRAWN = 0
LAST_MS = 8.64e15  # the last moment that JavaScript's Date can hold


@dataclass(slots=True)
class ArchivedConversation:
    record: Record
    messages: list[tuple[Record, Row | None]]  # rows without ops


class Unusable(ValueError):
    """A fault of a conversation of a file."""

    def __init__(self, why: Problem) -> None:
        super().__init__(why.message)
        self.problem = why


def listing(data: Any) -> list[Any]:
    """The conversations of our file, unchecked. Raises UsageError when it is no such file."""
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise UsageError(problem("import_unknown"))
    version = data.get("version")
    if type(version) is not int or version < 1:
        message = "The file does not say which version it is."
        raise UsageError(problem("import_damaged", message=message))
    if version > VERSION:
        raise UsageError(problem("import_newer"))
    listed = data.get("conversations")
    if not isinstance(listed, list):
        message = "The file has no list of conversations."
        raise UsageError(problem("import_damaged", message=message))
    return listed


def conversation(raw: Any, used: set[str]) -> ArchivedConversation:
    """`used`: the ids of the earlier conversations of the file, and of their messages; those of this
    one are added. Raises Unusable."""
    if not isinstance(raw, dict):
        raise Unusable(problem("unusable_object"))
    own: set[str] = set()
    key = _new_id(raw, used, own)
    created = _time(raw, "created")
    title = _short(raw, "title")
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
            why = problem("in_message", parts=[error.problem], number=number + 1)
            raise Unusable(why) from None
    if (leaf := _text(raw, "leaf", ID_CHARACTERS)) in own - {key}:
        record["leaf"] = leaf
    used |= own  # not before: an unusable conversation takes no id from others
    return ArchivedConversation(record, messages)


def _message(raw: Any, conversation: str, position: int, used: set[str], own: set[str]) -> tuple[Record, Row | None]:
    if not isinstance(raw, dict):
        raise Unusable(problem("unusable_object"))
    key = _new_id(raw, used, own)
    record: Record = {
        "id": key,
        "conversation": conversation,
        "position": position,
        "author": raw.get("author"),
        "created": _time(raw, "created"),
    }

    def stands_before(message: str) -> bool:
        return message in own and message not in (conversation, key)

    text = whole_characters(_text(raw, "text", TEXT_CHARACTERS))
    if record["author"] == "user":
        parent = _text(raw, "parent", ID_CHARACTERS)
        if "parent" in raw and (not parent or stands_before(parent)):
            record["parent"] = parent
        return record | {"text": text, "state": "complete", "runs": []}, None
    if record["author"] != "assistant":
        raise Unusable(problem("unusable_author"))
    runs = _listed(raw, "runs", _run, RUNS) or [_run({})]
    record |= {"parser": UNDRAWN, "runs": runs}
    question = _text(raw, "question", ID_CHARACTERS)
    record["question"] = question if stands_before(question) else ""
    record |= _ending(raw)
    return record, _row(record, raw, text)


def _ending(raw: Record) -> Record:
    state = _text(raw, "state", ID_CHARACTERS)
    numbers = {"tokens": _count(raw, "tokens"), "seq": _count(raw, "seq")}
    ending: Record = numbers | {"seconds": _number(raw, "seconds")}
    if state not in FINAL_STATES:
        return ending | {"state": "interrupted", "error": error_of(problem("file_unfinished"))}
    ending["state"] = state
    if isinstance(error := raw.get("error"), dict):
        ending["error"] = {key: _short(error, key) for key in ("message", "hint")}
        if is_record(why := error.get("problem")):
            ending["error"]["problem"] = why
    return ending


def _row(record: Record, raw: Record, text: str) -> Row | None:
    reasoning = whole_characters(_text(raw, "reasoning", TEXT_CHARACTERS))
    if not text and not reasoning:
        return None
    return Row(
        message=record["id"],
        n=1,
        run=len(record["runs"]) - 1,
        first=1,
        last=max(record["seq"], 1),
        text=text,
        reasoning=reasoning,
        tokens=record["tokens"],
        finish=_text(raw, "finish", ID_CHARACTERS),
        whole=True,
    )


def _run(raw: Any) -> Record:
    """A run that another browser has made. `kind` gateway without an address is the page's own server;
    the engine never asks it about an ended answer."""
    endpoint = raw.get("endpoint", {}) if isinstance(raw, dict) else None
    if not isinstance(endpoint, dict):
        raise _unusable("runs", "hold one that is not an object")
    name = _text(endpoint, "name", ID_CHARACTERS) or "?"
    model = _text(raw, "model", ID_CHARACTERS) or _text(endpoint, "model", ID_CHARACTERS)
    run: Record = {
        "key": _text(raw, "key", 4 * ID_CHARACTERS),
        "run": None if raw.get("run") is None else _text(raw, "run", ID_CHARACTERS),
        "endpoint": {"name": name, "kind": "gateway", "model": model},
        "seq": _count(raw, "seq"),
    }
    return run | ({"seam": _seam(raw["seam"])} if "seam" in raw else {})


def _seam(raw: Any) -> Record:
    if not isinstance(raw, dict):
        raise _unusable("seam", "is not an object")
    counts = {"at": _count(raw, "at"), "skipped": _count(raw, "skipped")}
    return counts | {"kind": _text(raw, "kind", ID_CHARACTERS)}


# The fields of a file. Each function raises Unusable.


def _unusable(name: str, how: str) -> Unusable:
    return Unusable(problem("unusable_form", message=f"its {name} {how}", field=name))


def _new_id(raw: Record, used: set[str], own: set[str]) -> str:
    key = _text(raw, "id", ID_CHARACTERS)
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


def _short(raw: Record, name: str) -> str:
    return whole_characters(_text(raw, name, TEXT_CHARACTERS))[:SHORT_CHARACTERS]


def _number(raw: Record, name: str) -> float:
    value = raw.get(name, 0)
    if type(value) not in (int, float) or not 0 <= value <= LAST_MS:
        raise Unusable(problem("unusable_number", field=name))
    return float(value)


def _count(raw: Record, name: str) -> int:
    value = _number(raw, name)
    if value != int(value):
        message = f"its {name} is not a whole number"
        raise Unusable(problem("unusable_number", message=message, field=name))
    return int(value)


def _time(raw: Record, name: str) -> int:
    return int(_number(raw, name))


def _listed(raw: Record, name: str, one: Callable[[Any], Any], limit: int) -> list[Any]:
    values = raw.get(name, [])
    if not isinstance(values, list) or len(values) > limit:
        raise _unusable(name, "are not a list, or too many")
    return [one(value) for value in values]
