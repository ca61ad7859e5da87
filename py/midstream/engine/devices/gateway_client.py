"""The client of the gateway's lists of conversations and runs. It checks every answer: the gateway
may be another program, or another version."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from midstream import json_text, names
from midstream.engine.ports.host import LARGE_BODY_BYTES, Net, body_of
from midstream.engine.store.records import NO_PARENT
from midstream.errors import UpstreamError, UpstreamRefused
from midstream.problems import problem

BODY_BYTES = LARGE_BODY_BYTES
RUNS_AT_ONCE = 50  # a prompt has up to 64 KB
MOST_RUNS = 5000  # a server might never come to an end

_GONE = (404, 410)
_NAME = r"([A-Za-z0-9_~-]{1,60})"
_KEY = re.compile(rf"{_NAME}\.{_NAME}\.([0-9]{{1,2}})(?:\.{_NAME})?")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GatewayConversation:
    """A conversation in the gateway's list."""

    id: str
    title: str
    updated: int  # epoch milliseconds
    active: bool  # an answer is being written


@dataclass(frozen=True, slots=True)
class GatewayRun:
    """A run in the gateway's list, with the messages that its key names."""

    id: str
    question: str
    answer: str
    n: int
    key: str
    prompt: str
    model: str
    created: int  # epoch milliseconds
    seconds: float | None  # from its beginning to its end; None while it is live
    refused: bool  # its key has gone on to another run
    parent: str | None = None  # the message before the question, where its position does not say

    def unnamed(self) -> GatewayRun:
        """The run as if its key named no messages: with a question and an answer of its own."""
        question, answer = f"{self.id}-question", f"{self.id}-answer"
        return replace(self, question=question, answer=answer, n=0, parent=None)


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """The text of a run up to `seq`."""

    seq: int
    epoch: int
    text: str
    reasoning: str
    tokens: int
    finish: str
    state: str


async def conversations(net: Net, base: str) -> list[GatewayConversation]:
    """Last used first. Like the functions below it raises UpstreamError when the gateway cannot be
    reached, or its answer has another form."""
    body = await _get(net, f"{base}/conversations")
    return [_read(_conversation, entry) for entry in _read(_list, body, "data")]


async def runs(net: Net, base: str, conversation: str, now: int) -> list[GatewayRun]:
    """Oldest first; none when the gateway does not know the conversation. Times after
    `now` (epoch milliseconds) become `now`."""
    if not names.CONVERSATION.fullmatch(conversation):
        return []  # no gateway can have it
    found: list[GatewayRun] = []
    after: str | None = ""
    while after is not None and len(found) < MOST_RUNS:
        url = f"{base}/conversations/{conversation}?limit={RUNS_AT_ONCE}{after}"
        body = await _get_if_there(net, url) or {"runs": []}
        page = [_read(_run, entry, now) for entry in _read(_list, body, "runs")]
        found += page
        after = f"&after={page[-1].id}" if page and body.get("has_more") is True else None
    return found


async def snapshot(net: Net, base: str, run: str) -> RunSnapshot | None:
    """None when its log is no longer kept."""
    body = await _get_if_there(net, f"{base}/runs/{run}")
    return None if body is None else _read(_snapshot, body)


async def delete(net: Net, base: str, run: str) -> None:
    """Ends a run and deletes its log."""
    response = await net.open("DELETE", f"{base}/runs/{run}", {})
    response.close()
    if response.status >= 300 and response.status not in _GONE:
        raise _refused({}, response.status)


# Parsing


def _conversation(entry: Any) -> GatewayConversation:
    key = _string(entry["id"])
    if not names.CONVERSATION.fullmatch(key):
        raise ValueError("the name of a conversation")
    updated = round(_number(entry["updated"]) * 1000)
    return GatewayConversation(key, _string(entry["title"]), updated, bool(entry["active"]))


def _run(entry: Any, now: int) -> GatewayRun:
    id, key = _string(entry["id"]), _string(entry["key"] or "")
    if not names.RUN.fullmatch(id):
        raise ValueError("the id of a run")
    named = _KEY.fullmatch(key)
    created = _number(entry["created"])
    run = GatewayRun(
        id=id,
        question=named[1] if named else "",
        answer=named[2] if named else "",
        n=int(named[3]) if named else 0,
        key=key or id,
        prompt=_string(entry["prompt"]),
        model=_string(entry["model"]),
        created=min(round(created * 1000), now),
        seconds=None if entry["state"] == "live" else _number(entry["updated"]) - created,
        refused=not key and entry["state"] == "failed" and int(entry["head"]) <= 1,
        parent={NO_PARENT: ""}.get(named[4], named[4]) if named else None,
    )
    return run if named else run.unnamed()


def _snapshot(body: Any) -> RunSnapshot:
    return RunSnapshot(
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
    entries = body[name]
    if not isinstance(entries, list):
        raise TypeError("not a list")
    return entries


def _read(parse: Callable[..., T], *arguments: Any) -> T:
    """The result of `parse`; UpstreamError when the answer has another form."""
    try:
        return parse(*arguments)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _damaged(type(error).__name__) from error


# Requests


async def _get_if_there(net: Net, url: str) -> dict[str, Any] | None:
    """The JSON object at a URL; None when the gateway has none there, or no longer."""
    try:
        return await _get(net, url)
    except UpstreamRefused as error:
        if error.status in _GONE:
            return None
        raise


async def _get(net: Net, url: str) -> dict[str, Any]:
    """The JSON object at a URL. UpstreamRefused, with the status, for an error of the gateway."""
    response = await net.open("GET", url, {"accept": "application/json"})
    try:
        body = await body_of(response, BODY_BYTES)
    finally:
        response.close()
    if len(body) > BODY_BYTES:
        raise _damaged(f"it is larger than {BODY_BYTES >> 20} MB")
    try:
        answer = json_text.decode(body)
    except ValueError as error:
        if response.status == 200:
            raise _damaged("it is not JSON") from error
        answer = None
    if response.status != 200:
        raise _refused(answer, response.status)
    if not isinstance(answer, dict):
        raise _damaged("it is not an object")
    return answer


def _damaged(how: str) -> UpstreamError:
    message = f"The gateway's list of conversations cannot be read: {how}."
    return UpstreamError(problem("gateway_list", message=message))


def _refused(body: Any, status: int) -> UpstreamRefused:
    """With the message of an error in OpenAI's form, else the status."""
    error = body.get("error") if isinstance(body, dict) else None
    message = str(error.get("message") or "")[:300] if isinstance(error, dict) else ""
    why = problem("endpoint_refused", message=message, status=status)
    return UpstreamRefused(why, status=status)
