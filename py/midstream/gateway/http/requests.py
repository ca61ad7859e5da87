"""What requests say: bodies, names and positions, or why they make no sense."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from midstream import json_text, names
from midstream.errors import RequestError
from midstream.gateway.store.interface import ASK_AGAIN, LEASE, RunRecord, RunStore, recovering
from midstream.gateway.upstream.sources import last_prompt
from midstream.problems import problem
from midstream.text import whole_characters

# The one owner of everything where there are no tokens (`--auth none`).
OWNER = "local"

VISITOR = "midstream.visitor"  # in a request's scope


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks. `stays`: whether the token, with which the request came, is still a good one."""

    owner: str
    stays: Callable[[], bool]


def visitor_of(request: Request) -> Visitor:
    visitor: Visitor = request.scope[VISITOR]
    if not visitor.owner:
        raise not_signed_in()
    return visitor


def owner_of(request: Request) -> str:
    return visitor_of(request).owner


def not_signed_in() -> RequestError:
    words = "Sign in, or send a token as “Authorization: Bearer”."
    return RequestError(problem("sign_in", message=words), status=401, code="sign_in")


_PROMPT = 64 * 1024  # characters that are kept for other devices

_LIMIT = re.compile(r"[1-9][0-9]{0,8}")
_CURSOR = re.compile(r"(?:([0-9]{1,9})-)?([0-9]{1,15})")
_OWN_HEADERS = re.compile(r"midstream-|idempotency-key$")


class PositionUnknown(RequestError):
    """Never a silent skip or restart: the client has to know that it and the log differ."""

    def __init__(self, run: RunRecord) -> None:
        super().__init__(problem("position_unknown", n=run.head), status=416, code="position_unknown")
        self.head = run.head


async def read_body(request: Request, limit: int) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # also what keeps a foreign page's form from being taken
        raise _bad("The body must be application/json.", status=415, code="not_json")
    return await read_all(request, limit)


async def read_all(request: Request, limit: int) -> bytes:
    pieces, size = [], 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            too_large = problem("request_too_large", limit=limit)
            raise RequestError(too_large, status=413, code="too_large")
    return b"".join(pieces)


def new_run(request: Request, body: bytes) -> RunRecord:
    try:
        asked = json_text.decode(body)
        canonical = json.dumps(asked, sort_keys=True).encode("ascii")
    except ValueError:
        raise _bad("The body is not valid JSON.", code="not_json") from None
    if not isinstance(asked, dict) or not isinstance(asked.get("messages"), list):
        raise _bad("The body must be an object with a list of messages.")
    now = time.time()
    model = asked.get("model")
    return RunRecord(
        id=secrets.token_hex(16),
        owner=owner_of(request),
        conversation=_name(request, "Midstream-Conversation", names.CONVERSATION),
        key=_name(request, "Idempotency-Key", names.KEY),
        fingerprint=hashlib.sha256(canonical).hexdigest(),
        model=whole_characters(model[:200]) if isinstance(model, str) else "",
        prompt=whole_characters(last_prompt(asked)[:_PROMPT]),
        stream=bool(asked.get("stream")),
        lease=now + LEASE,
        attended=now,
        created=now,
    )


def ends_with_connection(request: Request, default: str) -> bool:
    """Whether a run is to be stopped when the connection of the request that begins it closes.

    `default`: what `--on-disconnect` says for programs that do not know this protocol.
    """
    asked = request.headers.get("Midstream-On-Disconnect")
    if asked is None:
        return default == "cancel" and not any(map(_OWN_HEADERS.match, request.headers))
    if asked not in names.ON_DISCONNECT:
        raise _bad(f"Midstream-On-Disconnect must be {' or '.join(names.ON_DISCONNECT)}.")
    return asked == "cancel"


def _name(request: Request, header: str, allowed: re.Pattern[str]) -> str | None:
    value = request.headers.get(header)
    if value is not None and not allowed.fullmatch(value):
        raise _bad(f"{header} must be 1 to 128 characters of {allowed.pattern.partition('{')[0]}.")
    return value


def _bad(message: str, status: int = 400, code: str | None = None) -> RequestError:
    """A mistake of the client's program: a person who reads it needs to know no more than that."""
    return RequestError(problem("request_bad", message=message), status=status, code=code)


async def run_of(request: Request, store: RunStore) -> RunRecord:
    """The run of the path. Unknown, malformed and somebody else's look the same."""
    run_id = request.path_params["run"]
    if not names.RUN.fullmatch(run_id):
        raise unknown_run()
    return await readable_run(store, run_id, owner_of(request))


async def readable_run(store: RunStore, run_id: str, owner: str) -> RunRecord:
    while (run := await store.get(run_id)) is None and await recovering(store):
        await asyncio.sleep(ASK_AGAIN)
    if run is None or run.owner != owner:
        raise await missing_run(store)
    if run.purged:
        raise RequestError(problem("run_expired"), status=410, code="expired")
    return run


async def missing_run(store: RunStore) -> RequestError:
    """A store that has lost runs cannot tell them from those that it never had."""
    if await store.lost() is not None:
        return RequestError(problem("log_lost"), status=410, code="log_lost")
    return unknown_run()


def unknown_run() -> RequestError:
    return RequestError(problem("run_unknown"), status=404, code="unknown_run")


async def conversation_of(request: Request, store: RunStore) -> tuple[str, list[RunRecord]]:
    name = request.path_params["conversation"]
    known = names.CONVERSATION.fullmatch(name)
    runs = await store.runs(owner_of(request), name) if known else []
    if not runs:
        unknown = problem("conversation_unknown")
        raise RequestError(unknown, status=404, code="unknown_conversation")
    return name, runs


def page_of(request: Request, runs: list[RunRecord]) -> tuple[list[RunRecord], bool]:
    """The part of a list that `after`, a run's id, and `limit` name, and whether more follow."""
    limit, after = request.query_params.get("limit", str(len(runs))), request.query_params.get("after")
    if not _LIMIT.fullmatch(limit):
        raise _bad("limit must be a number from 1 on.")
    first = next((place for place, run in enumerate(runs, 1) if run.id == after), 0)
    if after is not None and not first:
        raise _bad("after must be the id of a run of this list.", code="bad_position")
    end = first + int(limit)
    return runs[first:end], end < len(runs)


async def cursor_of(request: Request, store: RunStore, run: RunRecord) -> int:
    """The position to read after.

    The header wins: EventSource repeats its URL when it comes back.
    """
    text = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise _bad("The position must be SEQ or EPOCH-SEQ.", code="bad_position")
    epoch, seq = match.groups()
    while not await _has(store, run, epoch, int(seq)):
        if not await recovering(store):
            raise PositionUnknown(run)
        await asyncio.sleep(ASK_AGAIN)
        run = await readable_run(store, run.id, run.owner)
    return int(seq)


async def _has(store: RunStore, run: RunRecord, epoch: str | None, seq: int) -> bool:
    if seq > run.head or epoch is None or seq == 0:
        return seq <= run.head
    if run.epoch == 1:
        return int(epoch) == 1
    page = await store.read(run.id, seq - 1, 1)
    return bool(page and page.entries and page.entries[0].epoch == int(epoch))
