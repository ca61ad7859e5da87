"""The whole server as one ASGI app: routes, files, guard, and what runs beside them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from midstream.errors import MidstreamError, RequestError
from midstream.gateway.config import Config
from midstream.gateway.http import routes, static
from midstream.gateway.http.auth import Auth
from midstream.gateway.http.guard import Guard, Hosts
from midstream.gateway.http.health import Health
from midstream.gateway.http.paths import is_api
from midstream.gateway.http.requests import PositionUnknown
from midstream.gateway.http.responses import error_response
from midstream.gateway.http.routes import Gateway
from midstream.gateway.http.sign_in import SignIn
from midstream.gateway.runs.readers import Readers
from midstream.gateway.runs.relay import Relays
from midstream.gateway.runs.sweeper import Sweeper
from midstream.gateway.store.factory import make_store
from midstream.gateway.store.interface import RunStore
from midstream.gateway.tasks import end_all
from midstream.gateway.tokens import Tokens
from midstream.gateway.upstream.sources import Upstream, from_config
from midstream.problems import problem


def create_app(config: Config, *, store: RunStore | None = None, upstream: Upstream | None = None) -> Guard:
    """The whole server as one ASGI app. `store` and `upstream` replace the configured ones.

    An app that mounts this one has to run its `lifespan`: Starlette runs only that of the outermost.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[dict[str, Any]]:
        if not config.serves_gateway:
            yield {}
            return
        async with _running(config, store, upstream) as gateway:
            app.state.gateway = gateway
            yield {"gateway": gateway}  # uvicorn's server finds it there (server.py)

    tokens = Tokens(Path(config.tokens)) if config.tokens and config.serves_gateway else None
    app = Starlette(
        routes=[
            *routes.ABOUT,
            *(routes.API if config.serves_gateway else []),
            *(SignIn(tokens, config.port).routes if tokens else []),
        ],
        lifespan=lifespan,
        exception_handlers={MidstreamError: _on_error, HTTPException: _on_http_error, ClientDisconnect: _on_gone},
    )
    app.router.redirect_slashes = False
    # Not a mount: that would match before "wrong method" is noticed.
    app.router.default = _elsewhere(static.Dist(Path(config.dist)) if config.dist else None)
    app.state.config = config
    hosts = Hosts((config.host, config.address), config.port, config.hosts)
    return Guard(Auth(app, tokens, config.port), hosts, config.origins, lifespan)


@contextlib.asynccontextmanager
async def _running(config: Config, store: RunStore | None, upstream: Upstream | None) -> AsyncIterator[Gateway]:
    store = store or make_store(config.store)
    upstream = upstream or from_config(config)
    relays = Relays(upstream, store, config.limits)
    readers = Readers(store, config.limits)
    sweeper = Sweeper(store, relays, config.limits)
    await store.open()
    await sweeper.sweep()
    sweeping = asyncio.create_task(sweeper.run_forever())
    try:
        yield Gateway(config, store, upstream, relays, readers, Health(store))
    finally:
        readers.stop()
        await end_all([sweeping])
        await relays.stop()
        await upstream.close()
        await store.close()


def _elsewhere(dist: ASGIApp | None) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        elif is_api(scope) or dist is None:
            error = RequestError(problem("not_found"), status=404, code="not_found")
            await error_response(error)(scope, receive, send)
        else:
            await dist(scope, receive, send)

    return answer


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MidstreamError)
    headers = {"Midstream-Head": str(error.head)} if isinstance(error, PositionUnknown) else {}
    return error_response(error, headers)


async def _on_gone(request: Request, error: Exception) -> Response:
    """The client left before its request was whole: nobody reads this."""
    return Response(status_code=400)


async def _on_http_error(request: Request, error: Exception) -> Response:
    """Starlette's own: a wrong method."""
    assert isinstance(error, HTTPException)
    why = problem("request_bad", message=error.detail)
    words = RequestError(why, status=error.status_code, code="http")
    return error_response(words, error.headers)
