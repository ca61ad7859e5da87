"""What the gateway says of conversations and runs, asked for and checked: it may be another
program, or of another version."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from midstream import names
from midstream.engine.ports.host import Net, Response
from midstream.engine.store.records import FIRST
from midstream.errors import UpstreamError, UpstreamRefused
from midstream.problems import problem

BODY_BYTES = 16 << 20  # of one answer of the gateway

_GONE = (404, 410)
_NAME = r"([A-Za-z0-9_~-]{1,60})"
_KEY = re.compile(rf"{_NAME}\.{_NAME}\.([0-9]{{1,2}})(?:\.{_NAME})?")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation in the gateway's list."""

    id: str
    title: str
    updated: int  # epoch milliseconds
    active: bool  # an answer is being written


@dataclass(frozen=True, slots=True)
class Run:
    """A run in the gateway's list, and the place in the conversation that its key gives it."""

    id: str
    question: str
    answer: str
    n: int
    key: str
    prompt: str
    model: str
    created: int  # epoch milliseconds
    seconds: float | None  # from its beginning to its end; None while it is live
    given_back: bool  # it was refused, and its key went on to another run
    parent: str | None = None  # what the question follows, where its place does not say so

    def foreign(self) -> Run:
        """As a run whose key names no messages: a question and an answer of its own."""
        question, answer = f"{self.id}-question", f"{self.id}-answer"
        return replace(self, question=question, answer=answer, n=0, parent=None)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a run has said up to `seq`."""

    seq: int
    epoch: int
    text: str
    reasoning: str
    tokens: int
    finish: str
    state: str


async def conversations(net: Net, base: str) -> list[Talk]:
    """Last used first. All three raise UpstreamError when the gateway cannot be reached or says
    what makes no sense."""
    body = await _ask(net, f"{base}/conversations")
    return [_read(_talk, entry) for entry in _read(_list, body, "data")]


async def runs(net: Net, base: str, conversation: str, now: int) -> list[Run]:
    """Oldest first; none when the gateway does not know the conversation. `now`, in epoch
    milliseconds, stands for times ahead of it."""
    if not names.CONVERSATION.fullmatch(conversation):
        return []  # no gateway can have it
    body = await _kept(net, f"{base}/conversations/{conversation}")
    entries = [] if body is None else _read(_list, body, "runs")
    return [_read(_run, entry, now) for entry in entries]


async def snapshot(net: Net, base: str, run: str) -> Snapshot | None:
    """None when its log is no longer kept."""
    body = await _kept(net, f"{base}/runs/{run}")
    return None if body is None else _read(_snapshot, body)


async def delete(net: Net, base: str, run: str) -> None:
    """Ends a run and deletes what is kept of it."""
    response = await net.open("DELETE", f"{base}/runs/{run}", {})
    response.close()
    if response.status >= 300 and response.status not in _GONE:
        raise _refused({}, response.status)


# -- what it says


def _talk(entry: Any) -> Talk:
    key = _string(entry["id"])
    if not names.CONVERSATION.fullmatch(key):
        raise ValueError("the name of a conversation")
    updated = round(_number(entry["updated"]) * 1000)
    return Talk(key, _string(entry["title"]), updated, bool(entry["active"]))


def _run(entry: Any, now: int) -> Run:
    run, key = _string(entry["id"]), _string(entry["key"] or "")
    if not names.RUN.fullmatch(run):
        raise ValueError("the id of a run")
    named = _KEY.fullmatch(key)
    created = _number(entry["created"])
    found = Run(
        id=run,
        question=named[1] if named else "",
        answer=named[2] if named else "",
        n=int(named[3]) if named else 0,
        key=key or run,
        prompt=_string(entry["prompt"]),
        model=_string(entry["model"]),
        created=min(round(created * 1000), now),
        seconds=None if entry["state"] == "live" else _number(entry["updated"]) - created,
        given_back=not key and entry["state"] == "failed" and int(entry["head"]) <= 1,
        parent={FIRST: ""}.get(named[4], named[4]) if named else None,
    )
    return found if named else found.foreign()


def _snapshot(body: Any) -> Snapshot:
    return Snapshot(
        seq=int(body["seq"]),
        epoch=int(body["epoch"]),
        text=_string(body["text"]),
        reasoning=_string(body["reasoning"]),
        tokens=int(body["tokens"]),
        finish=_string(body["finish_reason"] or ""),
        state=_string(body["state"]),
    )


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _number(value: Any) -> float:
    """Seconds since the epoch. JSON as Python reads it has NaN, too."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number


def _list(body: Any, name: str) -> list[Any]:
    found = body[name]
    if not isinstance(found, list):
        raise TypeError("not a list")
    return found


def _read(look: Callable[..., T], *arguments: Any) -> T:
    """What `look` makes of the gateway's words; UpstreamError when they have another form."""
    try:
        return look(*arguments)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _damaged(type(error).__name__) from error


# -- asking


async def _kept(net: Net, url: str) -> dict[str, Any] | None:
    """The JSON object at an address, None when the gateway has nothing there (any more)."""
    try:
        return await _ask(net, url)
    except UpstreamRefused as error:
        if error.status in _GONE:
            return None
        raise


async def _ask(net: Net, url: str) -> dict[str, Any]:
    """The JSON object at an address. UpstreamRefused, with the status, for an error of the gateway's."""
    response = await net.open("GET", url, {"accept": "application/json"})
    try:
        body = await _body(response)
    finally:
        response.close()
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        if response.status == 200:
            raise _damaged("it is not JSON") from error
        found = None
    if response.status != 200:
        raise _refused(found, response.status)
    if not isinstance(found, dict):
        raise _damaged("it is not an object")
    return found


async def _body(response: Response) -> bytes:
    body = bytearray()
    while chunk := await response.read():
        body += chunk
        if len(body) > BODY_BYTES:
            raise _damaged(f"it is larger than {BODY_BYTES >> 20} MB")
    return bytes(body)


def _damaged(how: str) -> UpstreamError:
    words = f"The gateway's list of conversations cannot be read: {how}."
    return UpstreamError(problem("gateway_list", message=words))


def _refused(body: Any, status: int) -> UpstreamRefused:
    """With the words of an error in OpenAI's form, else the status."""
    error = body.get("error") if isinstance(body, dict) else None
    words = str(error.get("message") or "")[:300] if isinstance(error, dict) else ""
    why = problem("endpoint_refused", message=words, status=status)
    return UpstreamRefused(why, status=status)
