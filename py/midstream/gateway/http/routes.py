"""The routes (PROTOCOL.md).

Each reads a request, asks store, relays or readers, and picks the answer's form.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from midstream.errors import RequestError
from midstream.gateway.config import Config, Limits
from midstream.gateway.http import forwarding, json_views, static
from midstream.gateway.http.health import Health
from midstream.gateway.http.paths import root_of
from midstream.gateway.http.requests import (
    conversation_of,
    cursor_of,
    ends_with_connection,
    missing_run,
    new_run,
    owner_of,
    page_of,
    read_body,
    readable_run,
    run_of,
    visitor_of,
)
from midstream.gateway.http.responses import EventStream, Json, ended_response, while_connected
from midstream.gateway.runs.readers import Readers
from midstream.gateway.runs.relay import Relays
from midstream.gateway.store.interface import RunRecord, RunStore, gives_key_back
from midstream.gateway.upstream.passed_headers import PassedHeaders, from_client
from midstream.gateway.upstream.sources import Upstream
from midstream.problems import problem
from midstream.text import title_of

_CONVERSATIONS = 200  # in a list, at most
_STOP_PATIENCE = 2.0  # seconds until a stopped run must have ended


@dataclass(slots=True)
class Gateway:
    """What the routes work with; one for each process."""

    config: Config
    store: RunStore
    upstream: Upstream
    relays: Relays
    readers: Readers
    health: Health

    @classmethod
    def of(cls, request: Request) -> Gateway:
        gateway: Gateway | None = getattr(request.app.state, "gateway", None)
        if gateway is None:  # mounted below another app, which does not run our lifespan
            raise RequestError(problem("not_started"), status=503, code="not_started")
        return gateway


# -- runs


async def chat(request: Request) -> Response:
    """POST /v1/chat/completions: begins a run, or attaches to the one that holds the key."""
    gateway = Gateway.of(request)
    body = await read_body(request, gateway.config.limits.body)
    cancels = ends_with_connection(request, gateway.config.on_disconnect)
    run = new_run(request, body)
    passed = PassedHeaders(from_client(request.headers))
    if run.stream:
        gateway.readers.require_room()
    run, new = await gateway.store.create(run, max_live=gateway.config.limits.live_runs)
    if new:
        gateway.relays.start(run, body, passed)
    left = partial(gateway.store.cancel, run.id) if new and cancels else None
    if not await while_connected(request.receive, _first_or_last(gateway, run)):
        if left:
            await left()
        return Response(status_code=400)  # to nobody
    run = await readable_run(gateway.store, run.id, run.owner)
    if run.live and not run.stream:
        raise RequestError(problem("shutdown"), status=503, code="shutdown")
    response = await _answer(request, run, left)
    response.headers.update(forwarding.request_id(request, passed, run.id))
    return response


async def _answer(request: Request, run: RunRecord, left: Callable[[], Awaitable[None]] | None) -> Response:
    gateway = Gateway.of(request)
    if gives_key_back(run) or not (run.stream or run.state == "completed"):
        return await _ended(gateway, run)
    if run.stream:
        return _stream(request, run, 0, left)
    page = await gateway.store.read(run.id, 0, 1)
    answer = page.entries[0].payload if page else ""
    return Response(answer, headers=_headers(run), media_type="application/json")


async def _first_or_last(gateway: Gateway, run: RunRecord) -> None:
    """Waits for what decides the form of the answer."""
    if run.stream:
        await gateway.readers.begun(run.id, _patience(gateway.config.limits, run))
    else:
        await gateway.readers.ended(run)


def _patience(limits: Limits, run: RunRecord) -> float:
    """A client that names no key and no conversation knows nothing of runs: it wants the upstream's
    own status. Another one wants the run's id, soon."""
    return limits.first_word if run.key or run.conversation else limits.plain_first_word


async def models(request: Request) -> Response:
    return _json(await Gateway.of(request).upstream.models())


async def model(request: Request) -> Response:
    return await _forwarded(request, forwarding.model_path(request.path_params["model"]))


async def embeddings(request: Request) -> Response:
    return await _forwarded(request, "/embeddings")


async def completions(request: Request) -> Response:
    return await _forwarded(request, "/completions")


async def _forwarded(request: Request, path: str) -> Response:
    gateway = Gateway.of(request)
    return await forwarding.forward(request, gateway.upstream, path, gateway.config.limits.body)


async def run_snapshot(request: Request) -> Response:
    return await _snapshot(request, await run_of(request, Gateway.of(request).store))


async def run_events(request: Request) -> Response:
    """GET …/events: SSE from a position; 204 when there is nothing after it and never will be."""
    gateway = Gateway.of(request)
    run = await run_of(request, gateway.store)
    after = await cursor_of(request, gateway.store, run)
    if not run.live and after == run.head:
        return Response(status_code=204, headers=_headers(run))
    if request.method == "HEAD":
        return Response(headers=_headers(run), media_type=EventStream.media_type)
    return _stream(request, run, after)


async def run_cancel(request: Request) -> Response:
    """Idempotent; answers with the run as it then is, which is ended unless its writer is slow."""
    gateway = Gateway.of(request)
    run = await _stop(gateway, await run_of(request, gateway.store))
    return await _snapshot(request, run)


async def run_delete(request: Request) -> Response:
    gateway = Gateway.of(request)
    run = await _stop(gateway, await run_of(request, gateway.store))
    if run.live:
        raise RequestError(problem("still_live"), status=409, code="still_live")
    await gateway.store.delete(run.id)
    return Response(status_code=204)


# -- conversations


async def conversations(request: Request) -> Response:
    found = await Gateway.of(request).store.conversations(owner_of(request), _CONVERSATIONS)
    return _json({"object": "list", "data": [json_views.conversation_view(item) for item in found]})


async def conversation(request: Request) -> Response:
    """Its runs, or a page of them: each may have a prompt of 64 KB."""
    name, runs = await conversation_of(request, Gateway.of(request).store)
    shown, more = page_of(request, runs)
    return _json(
        {
            "id": name,
            "object": "midstream.conversation",
            "title": title_of(runs[0].prompt),
            "active": next((run.id for run in runs if run.live), None),
            "runs": [json_views.run_view(run, root_of(request.scope)) for run in shown],
            "has_more": more,
        }
    )


async def conversation_active(request: Request) -> Response:
    """The running answer with its text so far, 204 when there is none."""
    _, runs = await conversation_of(request, Gateway.of(request).store)
    for run in runs:
        if run.live:
            return await _snapshot(request, run)
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
        endpoint |= {"url": "v1", "model": upstream.model}
        endpoint |= {"note": upstream.note, "about": upstream.about}
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
        await Gateway.of(request).health.check()
    return _json({"status": "ok"})


# -- making answers


def _headers(run: RunRecord) -> dict[str, str]:
    return {
        "Midstream-Run": run.id,
        "Midstream-Head": str(run.head),
        "Location": f"/v1/runs/{run.id}",
        "Cache-Control": "no-store",
        "Content-Security-Policy": static.NOTHING_POLICY,
    }


def _stream(
    request: Request, run: RunRecord, after: int, left: Callable[[], Awaitable[None]] | None = None
) -> Response:
    gateway = Gateway.of(request)
    gateway.readers.require_room()
    return EventStream(
        gateway.readers,
        run.id,
        after,
        patience=gateway.config.limits.stalled_reader,
        headers=_headers(run),
        left=left,
        allowed=visitor_of(request).stays,
    )


async def _ended(gateway: Gateway, run: RunRecord) -> Response:
    """A run without an answer to show, as an HTTP error."""
    page = await gateway.store.read(run.id, run.head - 1, 1)
    if page is None or not page.entries:
        raise await missing_run(gateway.store)
    return ended_response(page.entries[0].payload, _headers(run))


async def _snapshot(request: Request, run: RunRecord) -> Response:
    view = await json_views.snapshot(Gateway.of(request).store, run, root_of(request.scope))
    if view is None:
        raise await missing_run(Gateway.of(request).store)
    return _json(view, _headers(run))


async def _stop(gateway: Gateway, run: RunRecord) -> RunRecord:
    if run.live:
        await gateway.store.cancel(run.id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_PATIENCE):
                await gateway.readers.ended(run)
    return await readable_run(gateway.store, run.id, run.owner)


def _json(content: Any, headers: dict[str, str] | None = None) -> Response:
    fixed = {"Cache-Control": "no-store", "Content-Security-Policy": static.NOTHING_POLICY}
    return Json(content, headers={**fixed, **(headers or {})})


ABOUT: list[BaseRoute] = [Route("/config.json", config_json), Route("/healthz", healthz)]

API: list[BaseRoute] = [
    Route("/v1/chat/completions", chat, methods=["POST"]),
    Route("/v1/models", models),
    Route("/v1/models/{model:path}", model),
    Route("/v1/embeddings", embeddings, methods=["POST"]),
    Route("/v1/completions", completions, methods=["POST"]),
    Route("/v1/runs/{run}", run_snapshot),
    Route("/v1/runs/{run}", run_delete, methods=["DELETE"]),
    Route("/v1/runs/{run}/events", run_events),
    Route("/v1/runs/{run}/cancel", run_cancel, methods=["POST"]),
    Route("/v1/conversations", conversations),
    Route("/v1/conversations/{conversation}", conversation),
    Route("/v1/conversations/{conversation}/active", conversation_active),
]
