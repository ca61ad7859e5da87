"""What the gateway knows of the person's conversations that this browser does not: those that were
held, or went on, on another device.

The key of a run names its messages (`records.run_key`), so every device makes the same records of
it. Only records are made here. Their answers are `streaming` with the id of their run, so that the
engine's ordinary machinery follows each from its first event and journals it, ended ones too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ..errors import UpstreamError, UpstreamRefused
from ..journal import Change, Record, Row, Store
from ..journal import text as text_of
from ..markdown import Parser
from ..seam import join
from .endpoints import Endpoint
from .host import Net, Response
from .records import new_answer, new_conversation, new_question, new_run, run_key
from .status import FINAL_STATES
from .transcript import rows_of

BODY_BYTES = 16 << 20  # of one answer of the gateway
GONE = (404, 410)

_CONVERSATION = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}")  # it becomes part of a path
_RUN = re.compile(r"[0-9a-f]{32}")
_KEY = re.compile(r"([A-Za-z0-9_~-]{1,60})\.([A-Za-z0-9_~-]{1,60})\.([0-9]{1,2})")
_DAMAGED = "The gateway's list of conversations cannot be read"

T = TypeVar("T")


async def listed(net: Net, base: str) -> list[Record]:
    """The gateway's conversations, last used first, as items of the port's `conversations`: id,
    title, updated (epoch milliseconds), state (`streaming` | `complete`) and `server: True`.

    It does not look into the store: which of them only the gateway has is the caller's to say.
    Raises UpstreamError when the gateway cannot be reached or says what makes no sense.
    """
    body = await _ask(net, f"{base}/conversations")
    return [_read(_item, entry) for entry in _read(_list_in(body, "data"))]


async def missing(
    net: Net, endpoint: Endpoint, conversation_id: str, store: Store, now: int
) -> Change | None:
    """The records of what the gateway has of a conversation and the store has not; None when there
    is nothing, or the gateway does not know the conversation.

    `now`, in epoch milliseconds, stands for times that lie ahead of this machine's clock. The keys
    of other programs have another form, or there is none: then the ids come from the run's id.

    An answer that was continued elsewhere has more runs than its record here. It is extended when
    this device's own record has ended, and so is an answer that ended here before the gateway had
    said which run it is. While this device still writes the answer, nothing is changed: its later
    runs are found the next time that this is called, after the end.

    The engine follows the last run of an answer. What the runs before it said comes from their
    snapshots and is in the change as journal rows, one for each run. A run that the gateway keeps
    no more leaves an empty row, since a run's number is its place.

    The caller commits the change (strict) and then writes the answers that are `streaming` in it.
    Raises UpstreamError when the gateway cannot be reached or says what makes no sense.
    """
    if not _CONVERSATION.fullmatch(conversation_id):
        return None  # no gateway can have it
    try:
        body = await _ask(net, f"{endpoint.base}/conversations/{conversation_id}")
    except UpstreamRefused as error:
        if error.status in GONE:
            return None
        raise
    runs = [_read(_found, entry, now) for entry in _read(_list_in(body, "runs"))]
    gathering = _Gathering(net, endpoint, conversation_id, store)
    return await gathering.change([run for run in runs if not run.given_back])


@dataclass(frozen=True, slots=True)
class _Found:
    """A run as the gateway lists it, and the place in the conversation that its key gives it."""

    id: str
    question: str
    answer: str
    n: int
    key: str
    prompt: str
    model: str
    created: int  # epoch milliseconds
    seconds: float  # from its beginning to its end, 0 while it is live
    given_back: bool  # it was refused, and its key went on to another run

    def foreign(self) -> _Found:
        """As a run whose key names no messages: a question and an answer of its own."""
        question, answer = f"{self.id}-question", f"{self.id}-answer"
        return replace(self, question=question, answer=answer, n=0)


class _Gathering:
    """One conversation's change while it is put together."""

    def __init__(self, net: Net, endpoint: Endpoint, conversation: str, store: Store) -> None:
        self._net = net
        self._endpoint = endpoint
        self._id = conversation
        self._store = store
        self._records: dict[str, Record] = {}  # messages here and new ones, by id
        self._changed: dict[str, Record] = {}  # in the order of their positions
        self._authors: dict[str, str] = {}  # of the messages that the keys name
        self._position = 0  # of the next new message
        self._change = Change(durability="strict")

    async def change(self, runs: list[_Found]) -> Change | None:
        """`runs` oldest first."""
        here = await self._store.messages(self._id)
        self._records = {str(record["id"]): deepcopy(record) for record in here}
        self._position = max((int(record["position"]) for record in here), default=-1) + 1
        by_answer: dict[str, list[_Found]] = {}
        for run in self._unknown(runs):
            placed = run if await self._fits(run) else run.foreign()
            by_answer.setdefault(placed.answer, []).append(placed)
        for found in by_answer.values():
            await self._take(found)
        if not self._changed:
            return None
        await self._put_conversation(runs)
        for record in self._changed.values():
            self._change.put("messages", record)
        return self._change

    def _unknown(self, runs: Sequence[_Found]) -> list[_Found]:
        """Those whose id is in no record here."""
        own = [run for record in self._records.values() for run in record["runs"]]
        ids = {run.get("run") for run in own}
        return [run for run in runs if run.id not in ids]

    async def _fits(self, run: _Found) -> bool:
        """Whether the messages that the key names are this conversation's, or nobody's: whoever can
        write to the gateway can put any ids into a key."""
        for key, author in ((run.question, "user"), (run.answer, "assistant")):
            record = self._records.get(key) or await self._store.message(key)
            if record and (record["conversation"], record["author"]) != (self._id, author):
                return False
            if self._authors.setdefault(key, author) != author:
                return False
        return True

    # One answer

    async def _take(self, found: list[_Found]) -> None:
        """All unknown runs of one answer."""
        found.sort(key=lambda run: run.n)
        answer = self._records.get(found[0].answer)
        if answer is None:
            answer = self._new_answer(found)
        elif answer["state"] not in FINAL_STATES or not self._extended(answer, found):
            return
        answer["state"] = "streaming"
        for stale in ("error", "tokens", "seq", "seconds"):  # of its earlier end
            answer.pop(stale, None)
        if took := found[-1].seconds:
            answer["seconds"] = took  # nobody here has seen how long it took
        self._changed[answer["id"]] = answer
        await self._put_earlier_rows(answer)

    def _new_answer(self, found: list[_Found]) -> Record:
        first = found[0]
        conversation = {"id": self._id}
        if first.question not in self._records:
            record = new_question(
                first.question, conversation, self._next(), first.prompt, first.created
            )
            self._records[first.question] = self._changed[first.question] = record
        answer = new_answer(
            first.answer, conversation, self._next(), first.created, first.question, self._endpoint
        )
        answer["runs"] = []
        self._records[first.answer] = answer
        self._extended(answer, found)
        return answer

    def _extended(self, answer: Record, found: list[_Found]) -> bool:
        """Puts the runs at their places. An older run that this device does not know (it was begun
        at another endpoint, or the record is another device's import) changes nothing."""
        runs: list[Record] = answer["runs"]
        before = [dict(run) for run in runs]
        for run in found:
            while len(runs) < run.n:  # no longer kept by the gateway
                key = run_key(run.question, run.answer, len(runs))
                runs.append(new_run(key, self._endpoint))
            if len(runs) == run.n:
                runs.append(new_run(run.key, self._at(run)))
            if run.n == len(runs) - 1 and runs[run.n].get("run") is None:
                runs[run.n]["run"] = run.id
        return runs != before

    def _at(self, run: _Found) -> Endpoint:
        """The endpoint, with the model that wrote: it is the one to continue with."""
        return replace(self._endpoint, model=run.model or self._endpoint.model)

    def _next(self) -> int:
        self._position += 1
        return self._position - 1

    # What the runs before the last one said

    async def _put_earlier_rows(self, answer: Record) -> None:
        rows = await rows_of(self._store, answer["id"])
        parser = Parser()
        for row in rows:
            parser.feed(row.text)
        for run in range(rows[-1].run + 1 if rows else 0, len(answer["runs"]) - 1):
            row = Row(answer["id"], rows[-1].n + 1 if rows else 1, run, first=1, last=0, text="")
            if run_id := answer["runs"][run].get("run"):
                row = await self._filled(row, run_id, text_of(rows))
            row.ops = parser.feed(row.text) if row.text else []
            rows.append(row)
            self._change.put("journal", row.record())

    async def _filled(self, row: Row, run_id: str, before: str) -> Row:
        try:
            body = await _ask(self._net, f"{self._endpoint.base}/runs/{run_id}")
        except UpstreamRefused as error:
            if error.status in GONE:
                return row
            raise
        return _read(_snapshot_row, body, row, before)

    async def _put_conversation(self, runs: list[_Found]) -> None:
        record = await self._store.conversation(self._id)
        record = record or new_conversation(self._id, runs[0].prompt, runs[0].created)
        record["updated"] = max(int(record["updated"]), *(run.created for run in runs))
        self._change.put("conversations", record)


# -- what the gateway says, checked


def _item(entry: Any) -> Record:
    key, title = _string(entry["id"]), _string(entry["title"])
    if not _CONVERSATION.fullmatch(key):
        raise ValueError("the name of a conversation")
    return {
        "id": key,
        "title": new_conversation(key, title, 0)["title"],
        "updated": round(float(entry["updated"]) * 1000),
        "state": "streaming" if entry.get("active") else "complete",
        "server": True,
    }


def _found(entry: Any, now: int) -> _Found:
    run, key = _string(entry["id"]), _string(entry["key"] or "")
    if not _RUN.fullmatch(run):
        raise ValueError("the id of a run")
    named = _KEY.fullmatch(key)
    created = float(entry["created"])
    found = _Found(
        id=run,
        question=named[1] if named else "",
        answer=named[2] if named else "",
        n=int(named[3]) if named else 0,
        key=key or run,
        prompt=_string(entry["prompt"]),
        model=_string(entry["model"]),
        created=min(round(created * 1000), now),
        seconds=0 if entry["state"] == "live" else round(float(entry["updated"]) - created, 1),
        given_back=not key and entry["state"] == "failed" and int(entry["head"]) <= 1,
    )
    return found if named else found.foreign()


def _snapshot_row(body: Any, row: Row, before: str) -> Row:
    return replace(
        row,
        last=int(body["seq"]),
        text=joined(before, _string(body["text"])),
        reasoning=_string(body["reasoning"]),
        tokens=int(body["tokens"]),
        finish=_string(body["finish_reason"] or ""),
        ended=_string(body["state"]),
        epoch=int(body["epoch"]),
    )


def joined(before: str, words: str) -> str:
    """What is to follow `before` when a whole run has said `words`."""
    if not before or not words:
        return words
    joint = join(before, words, True)
    return joint.insert + words[joint.skip :] if joint else words


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _list_in(body: Any, name: str) -> Callable[[], list[Any]]:
    def look() -> list[Any]:
        found = body[name]
        if not isinstance(found, list):
            raise TypeError("not a list")
        return found

    return look


def _read(look: Callable[..., T], *arguments: Any) -> T:
    """What `look` makes of the gateway's words; UpstreamError when they have another form."""
    try:
        return look(*arguments)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UpstreamError(f"{_DAMAGED}: {type(error).__name__}.") from error


# -- asking


async def _ask(net: Net, url: str) -> Any:
    """The JSON at an address. UpstreamRefused, with the status, for an error of the gateway's."""
    response = await net.open("GET", url, {"accept": "application/json"})
    try:
        body = await _body(response)
    finally:
        response.close()
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        if response.status == 200:
            raise UpstreamError(f"{_DAMAGED}: it is not JSON.") from error
        found = None
    if response.status != 200:
        raise UpstreamRefused(_words(found, response.status), status=response.status)
    return found


async def _body(response: Response) -> bytes:
    body = bytearray()
    while chunk := await response.read():
        body += chunk
        if len(body) > BODY_BYTES:
            raise UpstreamError(f"The gateway's answer is larger than {BODY_BYTES >> 20} MB.")
    return bytes(body)


def _words(body: Any, status: int) -> str:
    """The message of an error in OpenAI's form, else the status."""
    try:
        return str(body["error"]["message"])[:300]
    except (LookupError, TypeError):
        return f"The gateway answered with status {status}."
