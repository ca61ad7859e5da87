"""The routes (PROTOCOL.md).

Each reads a request, asks store, relays or readers, and picks the answer's form.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from midstream.errors import MidstreamError, RequestError
from midstream.gateway import static, views
from midstream.gateway.config import Config
from midstream.gateway.guard import Guard, Hosts
from midstream.gateway.readers import Readers
from midstream.gateway.relay import Relays
from midstream.gateway.responses import EventStream, ended_response, error_response
from midstream.gateway.store import LEASE, Run, Store, gives_key_back, title_of
from midstream.gateway.stores import make_store
from midstream.gateway.sweeper import Sweeper
from midstream.gateway.upstream import Upstream, from_config, last_prompt

_RUN_ID = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[!-~]{1,128}")  # keys and conversation ids: visible ASCII
_CURSOR = re.compile(r"(?:([0-9]{1,9})-)?([0-9]{1,15})")
_CONVERSATIONS = 200  # in a list, at most
_STOP_PATIENCE = 2.0  # seconds until a stopped run must have ended

# The one owner of everything, until there are accounts. Every look-up goes by it already.
OWNER = "local"


@dataclass(slots=True)
class Gateway:
    """What the routes work with; one for each process."""

    config: Config
    store: Store
    upstream: Upstream
    relays: Relays
    readers: Readers

    @classmethod
    def of(cls, request: Request) -> Gateway:
        gateway: Gateway = request.app.state.gateway
        return gateway


def create_app(
    config: Config, *, store: Store | None = None, upstream: Upstream | None = None
) -> ASGIApp:
    """The whole server as one ASGI app. `store` and `upstream` replace the configured ones."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with _running(config, store, upstream) as gateway:
            app.state.gateway = gateway
            yield {"gateway": gateway}  # uvicorn's server finds it there (server.py)

    routes: list[BaseRoute] = [Route("/config.json", config_json), Route("/healthz", healthz)]
    app = Starlette(
        routes=routes + (_API if config.serves_gateway else []),
        lifespan=lifespan if config.serves_gateway else None,
        exception_handlers={MidstreamError: _on_error, HTTPException: _on_http_error},
    )
    app.router.redirect_slashes = False
    # Not a mount: that would match before "wrong method" is noticed.
    app.router.default = _elsewhere(static.Dist(Path(config.dist)) if config.dist else None)
    app.state.config = config
    return Guard(app, Hosts(config.host, config.port, config.hosts), config.origins)


@contextlib.asynccontextmanager
async def _running(
    config: Config, store: Store | None, upstream: Upstream | None
) -> AsyncIterator[Gateway]:
    store = store or make_store(config.store)
    upstream = upstream or from_config(config)
    relays = Relays(upstream, store, config.limits)
    readers = Readers(store, config.limits.heartbeat)
    sweeper = Sweeper(store, relays, config.limits)
    await store.open()
    await sweeper.sweep()
    sweeping = asyncio.create_task(sweeper.run_forever())
    try:
        yield Gateway(config, store, upstream, relays, readers)
    finally:
        readers.stop()
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
        await relays.stop()
        await upstream.close()
        await store.close()


def _elsewhere(dist: ASGIApp | None) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        elif scope["path"].startswith("/v1/") or dist is None:
            error = RequestError("There is nothing at this address.", status=404, code="not_found")
            await error_response(error)(scope, receive, send)
        else:
            await dist(scope, receive, send)

    return answer


# -- runs


async def chat(request: Request) -> Response:
    """POST /v1/chat/completions: begins a run, or attaches to the one that holds the key."""
    gateway = Gateway.of(request)
    body = await _body(request, gateway.config.limits.body)
    run = _new_run(request, body)
    run, new = await gateway.store.create(run, body, max_live=gateway.config.limits.live_runs)
    if new:
        gateway.relays.start(run, body)
    if run.stream:
        await gateway.readers.begun(run.id, gateway.config.limits.first_word)
    else:
        await gateway.readers.ended(run.id)
    run = await _kept(gateway, run.id)
    if run.live and not run.stream:
        raise RequestError("The server is being stopped.", status=503, code="shutdown")
    if gives_key_back(run):
        return await _ended(gateway, run)
    if run.stream:
        return _stream(gateway, run, 0)
    if run.state != "completed":
        return await _ended(gateway, run)
    page = await gateway.store.read(run.id, 0, 1)
    answer = page.entries[0].payload if page else ""
    return Response(answer, headers=_headers(run), media_type="application/json")


async def models(request: Request) -> Response:
    return JSONResponse(await Gateway.of(request).upstream.models())


async def run_snapshot(request: Request) -> Response:
    gateway = Gateway.of(request)
    run = await _run(request)
    return await _snapshot(gateway, run)


async def run_events(request: Request) -> Response:
    """GET …/events: SSE from a position; 204 when there is nothing after it and never will be."""
    gateway = Gateway.of(request)
    run = await _run(request)
    after = await _cursor(request, gateway, run)
    if not run.live and after == run.head:
        return Response(status_code=204, headers=_headers(run))
    if request.method == "HEAD":
        return Response(headers=_headers(run), media_type=EventStream.media_type)
    return _stream(gateway, run, after)


async def run_cancel(request: Request) -> Response:
    """Idempotent; answers with the run as it then is, which is ended unless its writer is slow."""
    gateway = Gateway.of(request)
    run = await _stop(gateway, await _run(request))
    return await _snapshot(gateway, run)


async def run_delete(request: Request) -> Response:
    gateway = Gateway.of(request)
    run = await _stop(gateway, await _run(request))
    if run.live:
        raise RequestError(
            "The run does not stop at once.", status=409, code="still_live", hint="Try again."
        )
    await gateway.store.delete(run.id)
    return Response(status_code=204)


# -- conversations


async def conversations(request: Request) -> Response:
    found = await Gateway.of(request).store.conversations(OWNER, _CONVERSATIONS)
    return _json({"object": "list", "data": [views.conversation_view(item) for item in found]})


async def conversation(request: Request) -> Response:
    name, runs = await _conversation(request)
    return _json(
        {
            "id": name,
            "object": "midstream.conversation",
            "title": title_of(runs[0].prompt),
            "active": next((run.id for run in runs if run.live), None),
            "runs": [views.run_view(run) for run in runs],
        }
    )


async def conversation_active(request: Request) -> Response:
    """The running answer with its text so far, 204 when there is none."""
    _, runs = await _conversation(request)
    for run in runs:
        if run.live:
            return await _snapshot(Gateway.of(request), run)
    return Response(status_code=204)


# -- about the server


async def config_json(request: Request) -> Response:
    """What the page may talk to, by this server's options."""
    config: Config = request.app.state.config
    if config.static_only:
        return _static_config(config)
    if config.direct:
        model = "" if config.model in ("local", "demo") else config.model
        endpoint = {"name": "Direct", "kind": "openai", "url": config.direct, "model": model}
    else:
        upstream = Gateway.of(request).upstream
        name = {"local": "Local model", "demo": "Demo"}.get(config.model, "Gateway")
        endpoint = {"name": name if not config.upstream else "Gateway", "kind": "gateway"}
        endpoint |= {"url": "v1", "model": upstream.model, "note": upstream.note}
    return _json({"endpoints": [endpoint], "default": endpoint["name"]})


def _static_config(config: Config) -> Response:
    """The site's own file, as a host without us would serve it."""
    file = Path(config.dist or ".") / "config.json"
    if file.is_file():
        headers = {"Cache-Control": "no-cache"}
        return Response(file.read_bytes(), media_type="application/json", headers=headers)
    demo = {"name": "Demo", "kind": "demo", "url": "", "model": "demo"}
    return _json({"endpoints": [demo], "default": "Demo"})


async def healthz(request: Request) -> Response:
    config: Config = request.app.state.config
    if config.serves_gateway:
        await Gateway.of(request).store.get("0" * 32)  # raises when the log cannot be read
    return _json({"status": "ok"})


_API: list[BaseRoute] = [
    Route("/v1/chat/completions", chat, methods=["POST"]),
    Route("/v1/models", models),
    Route("/v1/runs/{run}", run_snapshot),
    Route("/v1/runs/{run}", run_delete, methods=["DELETE"]),
    Route("/v1/runs/{run}/events", run_events),
    Route("/v1/runs/{run}/cancel", run_cancel, methods=["POST"]),
    Route("/v1/conversations", conversations),
    Route("/v1/conversations/{conversation}", conversation),
    Route("/v1/conversations/{conversation}/active", conversation_active),
]


# -- reading requests


async def _body(request: Request, limit: int) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # also what keeps a foreign page's form from being taken
        raise RequestError("The body must be application/json.", status=415, code="not_json")
    pieces, size = [], 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise RequestError(f"The body is over {limit} bytes.", status=413, code="too_large")
    return b"".join(pieces)


def _new_run(request: Request, body: bytes) -> Run:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError("The body is not valid JSON.", code="not_json") from None
    if not isinstance(asked, dict) or not isinstance(asked.get("messages"), list):
        raise RequestError("The body must be an object with a list of messages.")
    now = time.time()
    canonical = json.dumps(asked, sort_keys=True, ensure_ascii=True).encode()
    model = asked.get("model")
    return Run(
        id=secrets.token_hex(16),
        owner=OWNER,
        conversation=_name(request.headers.get("midstream-conversation"), "Midstream-Conversation"),
        key=_name(request.headers.get("idempotency-key"), "Idempotency-Key"),
        fingerprint=hashlib.sha256(canonical).hexdigest(),
        model=model[:200] if isinstance(model, str) else "",
        prompt=last_prompt(asked),
        stream=bool(asked.get("stream")),
        lease=now + LEASE,
        attended=now,
        created=now,
    )


def _name(value: str | None, header: str) -> str | None:
    if value is not None and not _NAME.fullmatch(value):
        raise RequestError(f"{header} must be 1 to 128 visible ASCII characters.")
    return value


async def _run(request: Request) -> Run:
    """The run of the path. Unknown, malformed and somebody else's look the same."""
    run_id = request.path_params["run"]
    if not _RUN_ID.fullmatch(run_id):
        raise _unknown_run()
    return await _kept(Gateway.of(request), run_id)


async def _kept(gateway: Gateway, run_id: str) -> Run:
    run = await gateway.store.get(run_id)
    if run is None or run.owner != OWNER:
        raise _unknown_run()
    if run.purged:
        raise RequestError("The log of this run is no longer kept.", status=410, code="expired")
    return run


def _unknown_run() -> RequestError:
    return RequestError("There is no such run.", status=404, code="unknown_run")


async def _conversation(request: Request) -> tuple[str, list[Run]]:
    name = request.path_params["conversation"]
    known = _NAME.fullmatch(name)
    runs = await Gateway.of(request).store.runs(OWNER, name) if known else []
    if not runs:
        raise RequestError(
            "There is no such conversation.", status=404, code="unknown_conversation"
        )
    return name, runs


async def _cursor(request: Request, gateway: Gateway, run: Run) -> int:
    """The position to read after.

    The header wins: EventSource repeats its URL when it comes back.
    """
    text = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise RequestError("The position must be SEQ or EPOCH-SEQ.", code="bad_position")
    epoch, seq = match.groups()
    after = int(seq)
    known = after <= run.head
    if known and epoch is not None and after > 0:
        page = await gateway.store.read(run.id, after - 1, 1)
        known = bool(page and page.entries and page.entries[0].epoch == int(epoch))
    if not known:
        raise PositionUnknown(run)
    return after


# -- making answers


class PositionUnknown(RequestError):
    """Never a silent skip or restart: the client has to know that it and the log differ."""

    def __init__(self, run: Run) -> None:
        super().__init__(
            f"This log has no such position; its last is {run.head}.",
            status=416,
            code="position_unknown",
            hint="Read from the beginning.",
        )
        self.head = run.head


def _headers(run: Run) -> dict[str, str]:
    return {
        "Midstream-Run": run.id,
        "Midstream-Head": str(run.head),
        "Location": f"/v1/runs/{run.id}",
        "Cache-Control": "no-store",
        "Content-Security-Policy": static.NOTHING_POLICY,
    }


def _stream(gateway: Gateway, run: Run, after: int) -> Response:
    patience = gateway.config.limits.stalled_reader
    return EventStream(gateway.readers, run.id, after, patience=patience, headers=_headers(run))


async def _ended(gateway: Gateway, run: Run) -> Response:
    """A run without an answer to show, as an HTTP error."""
    page = await gateway.store.read(run.id, run.head - 1, 1)
    if page is None or not page.entries:
        raise _unknown_run()
    return ended_response(page.entries[0].payload, _headers(run))


async def _snapshot(gateway: Gateway, run: Run) -> Response:
    view = await views.snapshot(gateway.store, run)
    if view is None:
        raise _unknown_run()
    return _json(view, _headers(run))


async def _stop(gateway: Gateway, run: Run) -> Run:
    if run.live:
        await gateway.store.cancel(run.id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_PATIENCE):
                await gateway.readers.ended(run.id)
    return await _kept(gateway, run.id)


def _json(content: Any, headers: dict[str, str] | None = None) -> JSONResponse:
    fixed = {"Cache-Control": "no-store", "Content-Security-Policy": static.NOTHING_POLICY}
    return JSONResponse(content, headers={**fixed, **(headers or {})})


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MidstreamError)
    headers = {"Midstream-Head": str(error.head)} if isinstance(error, PositionUnknown) else {}
    return error_response(error, headers)


async def _on_http_error(request: Request, error: Exception) -> Response:
    """Starlette's own: a wrong method."""
    assert isinstance(error, HTTPException)
    words = RequestError(error.detail, status=error.status_code, code="http")
    return error_response(words, error.headers)
