"""Requests of the dialect that are no runs: they go to the upstream and back as they are.

Nothing of them is kept, and a closed connection ends them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from midstream import sse
from midstream.errors import RequestError, UpstreamError
from midstream.gateway.http.requests import read_body
from midstream.gateway.upstream.passed_headers import PassedHeaders, from_client
from midstream.gateway.upstream.sources import Upstream
from midstream.problems import problem
from midstream.providers import openai

__all__ = ["forward", "model_path", "request_id"]

log = logging.getLogger(__name__)


async def forward(request: Request, upstream: Upstream, path: str, limit: int) -> Response:
    """Raises UpstreamError as long as nothing has come back."""
    body = await read_body(request, limit) if request.method == "POST" else b""
    passed = PassedHeaders(from_client(request.headers))
    async with AsyncExitStack() as stack:
        kind, pieces = await stack.enter_async_context(upstream.forward(request.method, path, body, passed))
        answer = _pieces(stack.pop_all(), pieces, kind)
    headers = {**passed.received, "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
    return StreamingResponse(answer, headers={**headers, "Content-Type": kind})


async def _pieces(stack: AsyncExitStack, pieces: AsyncGenerator[bytes, None], kind: str) -> AsyncGenerator[bytes, None]:
    async with stack:
        try:
            async for piece in pieces:
                yield piece
        except UpstreamError as error:
            log.warning("a forwarded answer was cut: %s", error.code)
            if not kind.startswith(sse.KIND):
                raise  # the connection breaks off, so that half an answer is not taken for a whole one
            ours = {"message": error.message, "code": error.code, "problem": error.problem.record()}
            yield sse.encode(json.dumps({"error": openai.error_object(error.words, **ours)}))


def model_path(model: str) -> str:
    """The name of a model may have slashes; it must not lead elsewhere."""
    if any(part in ("", ".", "..") for part in model.split("/")):
        raise RequestError(problem("not_found"), status=404, code="not_found")
    return f"/models/{quote(model, safe='/:@')}"


def request_id(request: Request, passed: PassedHeaders, run: str) -> dict[str, str]:
    """What is named in a letter to the upstream's people: its own id of the request, else the
    client's, else ours."""
    known = passed.received.get("x-request-id") or passed.sent.get("x-request-id") or run
    return {**passed.received, "x-request-id": known}
