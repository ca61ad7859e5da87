"""The answers' forms: the event stream, and errors as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from midstream import sse
from midstream.errors import MidstreamError, RequestError, StoreError, UpstreamError
from midstream.gateway.runs.readers import Readers
from midstream.gateway.store.interface import ConversationBusy, LogEntry
from midstream.gateway.tasks import end_all
from midstream.gateway.upstream.refusals import client_status
from midstream.problems import Problem, problem
from midstream.providers import openai

log = logging.getLogger(__name__)

RETRY_MS = 1000  # what EventSource waits before it comes back
# One newline: after a blank line openai-python takes the comment for an event and raises.
HEARTBEAT = b": heartbeat\n"
CHUNK = 16 * 1024  # bytes handed over at once; bounds what a stalled reader holds
_STATUS_OF_STATE = {"cancelled": 409, "expired": 504}
_DONE = sse.encode(openai.DONE)


class EventStream(Response):
    """A run's events after a position, as SSE, to its end.

    Whoever goes away ends only this answer.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        readers: Readers,
        run_id: str,
        after: int,
        *,
        patience: float,
        headers: Mapping[str, str],
        left: Callable[[], Awaitable[None]] | None = None,
        allowed: Callable[[], bool] = lambda: True,
    ) -> None:
        """`left` is called when the connection closes before the stream has ended. `allowed`: whether
        the reader may have more; the stream breaks off when it may not."""
        fixed = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
        super().__init__(headers={**headers, **fixed})
        del self.headers["content-length"]
        self._readers = readers
        self._run_id = run_id
        self._after = after
        self._patience = patience
        self._left = left
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tasks = [asyncio.create_task(work) for work in (self._send(send), disconnected(receive))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            results = await end_all(tasks)
        if self._left and (results[1] is None or isinstance(results[0], TimeoutError)):
            await self._left()
        if isinstance(results[0], TimeoutError | StoreError):
            # The status has been sent. The stream breaks off, and the client comes back for the
            # rest. (That the store is away is said once, by the sweeper, not once for each reader.)
            level = logging.WARNING if isinstance(results[0], TimeoutError) else logging.DEBUG
            log.log(level, "a reader was let go: %s", type(results[0]).__name__)
        elif isinstance(results[0], Exception):
            raise results[0]

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with aclosing(self._body()) as body:
            async for chunk in body:
                async with asyncio.timeout(self._patience):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _body(self) -> AsyncGenerator[bytes, None]:
        first, ended = True, False
        async with aclosing(self._readers.pages(self._run_id, self._after)) as pages:
            async for page in pages:
                if not self._allowed():
                    return
                if page is None:
                    yield HEARTBEAT
                    continue
                for chunk in _chunks(page.entries):
                    yield f"retry: {RETRY_MS}\n".encode() + chunk if first else chunk
                    first = False
                ended = page.ends_at(page.entries[-1].seq)
        if ended:
            yield _DONE


def _chunks(entries: Sequence[LogEntry]) -> Iterator[bytes]:
    """Whole frames joined to about CHUNK bytes each."""
    frames: list[bytes] = []
    size = 0
    for entry in entries:
        frames.append(entry.frame)
        size += len(entry.frame)
        if size >= CHUNK:
            yield b"".join(frames)
            frames, size = [], 0
    if frames:
        yield b"".join(frames)


async def disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_connected(receive: Receive, work: Awaitable[None]) -> bool:
    """Waits for `work`. False, and the work is given up, when the client has left before its end."""
    tasks = [asyncio.ensure_future(task) for task in (work, disconnected(receive))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        done, _ = await end_all(tasks)
    if isinstance(done, Exception):
        raise done
    return done is None


def error_response(error: MidstreamError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """`{"error": {message, type, param, code, hint, problem}}`.

    OpenAI's form, so that its clients show the words; those of the upstream where it gave any.
    """
    more = dict(headers or {})
    if isinstance(error, ConversationBusy):
        more |= {"Midstream-Run": error.run, "Location": f"/v1/runs/{error.run}"}
    words = None
    if isinstance(error, UpstreamError):
        (status, retry_after), words = client_status(error), error.words
    else:
        status = error.status if isinstance(error, RequestError) else 503
        retry_after = None
    why = error.problem or _unusable(error)
    ours = {"message": why.message, "code": error.code, "hint": why.hint, "problem": why.record()}
    return _error(openai.error_object(words, **ours), status, retry_after, more)


def _unusable(error: MidstreamError) -> Problem:
    """A store's error says where the log lies: that is for whoever runs the server."""
    log.error("%s", error.line())
    reason = error.reason if isinstance(error, StoreError) else ""
    return problem("log_failed", message=reason and f"The server cannot use its log of answers: {reason}.")


def ended_response(payload: str, headers: Mapping[str, str]) -> JSONResponse:
    """The error of a run that ended before its first event, from its terminal payload."""
    ended = json.loads(payload)
    record = ended["midstream"]
    error = ended.get("error")
    if error is None:  # in the log of an older version
        ours = {name: record.get(name, "") for name in ("message", "code", "hint", "problem")}
        error = openai.error_object(None, **ours)
    status = record.get("status") or _STATUS_OF_STATE.get(record["state"], 502)
    return _error(error, status, record.get("retry_after"), headers)


class Json(JSONResponse):
    """In ASCII: half a surrogate pair, which a model may end a piece with, has no UTF-8 form."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def _error(
    error: Mapping[str, Any],
    status: int,
    retry_after: str | None,
    headers: Mapping[str, str],
) -> JSONResponse:
    after = retry_after or ("5" if status in (429, 503) else "")
    wait = {"Retry-After": after} if after else {}
    return Json({"error": error}, status, {"Cache-Control": "no-store", **wait, **headers})
