"""The check of stored records. Another version, or another app of the same origin, may have written
them, or they are damaged. One unusable record never keeps the others from being opened.

A record that lacks an optional field is mended; one that cannot be used at all is left out, and the
screen gets one notice. Nothing is ever deleted or rewritten here: another version may be able to read
it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from midstream.engine.ports.host import Message, detail_of
from midstream.engine.store.records import FINAL_STATES, error_of
from midstream.journal import UNFINISHED, Change, Record, Row, Store
from midstream.markdown import Parser
from midstream.patch import OPS
from midstream.problems import is_record, problem

NAMED = 3  # unusable records that one notice names; of the others it gives the number
LARGEST = 8.64e15  # of numbers: the last moment that JavaScript's Date can hold


class CheckedStore:
    """A Store in front of another one: gives only records that the engine can work with.

    A notice `damaged` names the others, again when there are more of them.
    """

    def __init__(self, inner: Store, post: Callable[[Message], None]) -> None:
        self.inner = inner
        self._post = post
        self._damaged: dict[str, None] = {}  # names of records, in the order of their notices

    async def commit(self, change: Change) -> None:
        await self.inner.commit(change)

    async def conversations(self) -> list[Record]:
        return self._usable("conversation", sound_conversation, await self.inner.conversations())

    async def conversation(self, key: str) -> Record | None:
        return self._one("conversation", sound_conversation, await self.inner.conversation(key))

    async def message(self, key: str) -> Record | None:
        return self._one("message", sound_message, await self.inner.message(key))

    async def messages(self, conversation: str) -> list[Record]:
        return self._usable("message", sound_message, await self.inner.messages(conversation))

    async def unfinished(self) -> list[Record]:
        records = self._usable("message", sound_message, await self.inner.unfinished())
        return [record for record in records if record["state"] in UNFINISHED]

    async def rows(self, message: str) -> list[Record]:
        rows = self._usable("row", sound_row, await self.inner.rows(message))
        return rows if has_valid_ops(rows) else with_new_ops(rows)

    def read_all(self, store: str, fields: Sequence[str]) -> AsyncIterator[list[Record]]:
        """Unchecked: the search takes only values that are texts."""
        return self.inner.read_all(store, fields)

    async def setting(self, key: str) -> Record | None:
        record = await self.inner.setting(key)
        return record if isinstance(record, dict) else None

    def _one(self, kind: str, sound: Callable[[Any], Record | None], raw: Record | None) -> Record | None:
        return None if raw is None else next(iter(self._usable(kind, sound, [raw])), None)

    def _usable(self, kind: str, sound: Callable[[Any], Record | None], stored: Iterable[Any]) -> list[Record]:
        usable, bad = [], []
        for raw in stored:
            record = sound(raw)
            if record is None:
                bad.append(f"{kind} {_key(raw)}")
            else:
                usable.append(record)
        self._report([name for name in bad if name not in self._damaged])
        return usable

    def _report(self, names: list[str]) -> None:
        if not names:
            return
        # All so far: the screen shows one notice, and the next one replaces it.
        self._damaged |= dict.fromkeys(names)
        more, named = len(self._damaged) - NAMED, ", ".join([*self._damaged][:NAMED])
        notice: Message = {"type": "notice", "code": "damaged", "level": "error", "detail": named}
        self._post(notice | (detail_of(problem("damaged_more", ids=named, n=more)) if more > 0 else {}))


def sound_conversation(raw: Any) -> Record | None:
    """A conversation with a title and times; None when it has no id."""
    if not isinstance(raw, dict) or not _is_name(raw.get("id")):
        return None
    created = _number(raw.get("created"))
    return _well_formed(raw, _CONVERSATION) | {
        "title": raw["title"] if isinstance(raw.get("title"), str) else "",
        "created": created,
        "updated": _number(raw.get("updated"), created),
    }


def sound_message(raw: Any) -> Record | None:
    """A question or an answer; None when it is neither, or has no position in a conversation."""
    if not isinstance(raw, dict) or not _is_name(raw.get("id"), raw.get("conversation")):
        return None
    if raw.get("author") not in ("user", "assistant") or _number(raw.get("position"), -1) < 0:
        return None
    record = _well_formed(raw, _MESSAGE) | {"created": _number(raw.get("created"))}
    return _answer(record) if record["author"] == "assistant" else _question(record)


def _question(record: Record) -> Record | None:
    if not isinstance(record.get("text"), str):
        return None
    state = record.get("state")
    runs = record.get("runs")
    return record | {
        "state": state if isinstance(state, str) and state else "complete",
        "runs": runs if isinstance(runs, list) else [],
    }


def _answer(record: Record) -> Record:
    """An answer whose state or runs cannot be used is interrupted: its text is in the journal."""
    raw = record.get("runs")
    known = [sound_run(run) for run in raw] if isinstance(raw, list) else []
    error = record.get("error")
    if error and not is_record(error.get("problem")):  # its English text stays
        record = record | {"error": {key: error[key] for key in error if key != "problem"}}
    runs = [run or _LOST_RUN | {} for run in known]
    record = record | {"runs": runs}
    state = record.get("state")
    if isinstance(state, str) and state in FINAL_STATES:
        return record
    if isinstance(state, str) and state in UNFINISHED and known and known[-1]:
        return record
    return record | {"state": "interrupted", "error": error_of(problem("record_damaged"))}


_LOST_RUN: Record = {"key": "", "run": None, "endpoint": {"name": "?", "kind": "gateway"}}


def sound_run(raw: Any) -> Record | None:
    """One run of an answer; None when it names no endpoint, or no key."""
    if not isinstance(raw, dict) or not isinstance(raw.get("key"), str):
        return None
    endpoint = raw.get("endpoint")
    if not isinstance(raw.get("run"), str | None) or not isinstance(endpoint, dict):
        return None
    if not _is_name(endpoint.get("name"), endpoint.get("kind")):
        return None
    return _well_formed(raw, _RUN) | {"endpoint": _well_formed(endpoint, _ENDPOINT)}


def sound_row(raw: Any) -> Record | None:
    """A journal row; None when it makes no Row. `has_valid_ops` checks its ops."""
    try:
        row = Row.from_record(raw)
    except (ValueError, AttributeError, TypeError):
        return None
    if not isinstance(raw.get("extras", []), list):
        return None
    texts = (row.message, row.reasoning, row.finish, row.ended, row.held, *row.extras)
    numbers = (row.n, row.run, row.first, row.last, row.tokens, row.epoch)
    if not all(isinstance(text, str) for text in texts) or min(numbers) < 0:
        return None
    record: Record = raw
    return record | {"ops": row.ops}


def has_valid_ops(rows: list[Record]) -> bool:
    """Whether the ops can be packed for the screen. The screen checks them against the vocabulary."""
    newest = 0
    for row in rows:
        for op in row["ops"]:
            if not isinstance(op, list) or len(op) < 2 or type(op[1]) is not int:
                return False
            kind = op[0]
            if type(kind) is not int or kind not in OPS or len(op) != OPS[kind].length:
                return False
            if kind == 0:
                newest += 1
                if op[3] != newest:
                    return False
    return True


def with_new_ops(rows: list[Record]) -> list[Record]:
    """The rows with the ops that their text gives: parsing is deterministic, so damaged ops are no
    loss."""
    parser = Parser()
    made = [row | {"ops": parser.feed(row["text"]) if row["text"] else []} for row in rows]
    if made and made[-1].get("whole"):  # else an ended answer is continued
        made[-1]["ops"] += parser.finish()
    return made


def _well_formed(raw: Record, fields: dict[str, Callable[[Any], bool]]) -> Record:
    """Without the optional fields whose value has another type."""
    return {name: value for name, value in raw.items() if fields.get(name, _anything)(value)}


def _key(raw: Any) -> str:
    if not isinstance(raw, dict):
        return "?"
    if "message" in raw:
        return f"{raw['message']!s:.40}/{raw.get('n')!s:.10}"
    return f"{raw.get('id')!s:.40}"


def _is_name(*values: Any) -> bool:
    return all(isinstance(value, str) and value for value in values)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and -LARGEST <= value <= LARGEST


def _number(value: Any, otherwise: float = 0) -> Any:
    return value if _is_number(value) else otherwise


def _is_error(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key, ""), str) for key in ("message", "hint"))


def _anything(value: Any) -> bool:
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_seam(value: Any) -> bool:
    return isinstance(value, dict) and type(value.get("at")) is int


def _is_thought(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_number(value.get(n)) for n in ("seconds", "tokens"))


def _is_mark(value: Any) -> bool:
    return value is True


# Optional fields: one of another type counts as missing.
_CONVERSATION: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("pinned", "gone", "owed"), _is_mark),
    "deleted": _is_number,
    "leaf": _is_text,
}
_MESSAGE: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("seconds", "tokens", "seq"), _is_number),
    "error": _is_error,
    "thought": _is_thought,
    **dict.fromkeys(("question", "parent"), _is_text),
}
_RUN: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("seq", "began", "before"), _is_number),
    **dict.fromkeys(("model", "mode", "via"), _is_text),
    "seam": _is_seam,
}
_ENDPOINT: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("url", "model", "note", "about", "continues"), _is_text),
    "options": lambda value: isinstance(value, dict),
}
