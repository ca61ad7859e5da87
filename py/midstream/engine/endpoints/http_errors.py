"""Answers that are no streams, and those that never came: what is to be said of them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from midstream.engine.ports.host import Response
from midstream.errors import UpstreamBroken
from midstream.problems import Problem, problem, shortened
from midstream.providers.openai import problem_in

BODY_BYTES = 64 * 1024  # the rest is not read


async def body_of(response: Response) -> bytes:
    body = b""
    while len(body) < BODY_BYTES and (chunk := await response.read()):
        body += chunk
    return body


# By the status, when the other side is not one of ours; "endpoint_failed" is every 5xx.
_REFUSALS = {401: "endpoint_key", 403: "endpoint_key", 404: "endpoint_unknown"}


async def refusal(response: Response) -> Problem:
    """What an error says by its code, where it is ours; else the status, and as a quote the words of
    an OpenAI-style error body, or its start."""
    status = response.status
    if status == 200:
        kind = response.headers.get("content-type", "")
        if not kind:
            return problem("endpoint_no_kind")
        return problem("endpoint_no_stream", kind=shortened(kind))
    error = _error_in((await body_of(response)).decode("utf-8", "replace").strip())
    code = _REFUSALS.get(status, "endpoint_failed" if status >= 500 else "endpoint_refused")
    words = str(error.get("message") or "")
    return problem_in(error) or problem(code, quote=words, message=words, status=status)


def _error_in(words: str) -> dict[str, Any]:
    try:
        error = json.loads(words)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        # A page of a proxy in between is no sentence that anybody could read.
        return {"message": "" if words.startswith("<") else words}
    return error if isinstance(error, dict) else {"message": error}


def unreachable(url: str, how: object) -> UpstreamBroken:
    """Of a request that nobody has answered. What the browser says of it is the same for all
    reasons, and in its console."""
    host = urlsplit(url).netloc
    words = f"Nobody answers at {host}: {how}"
    return UpstreamBroken(problem("unreachable", message=words, host=host))


def broken(error: Exception) -> UpstreamBroken:
    words = f"The connection to the endpoint broke: {error}"
    return UpstreamBroken(problem("connection_broke", message=words))


def integer(text: str | None) -> int:
    """A header's number; 0 for none."""
    return int(text) if text and text.isascii() and text.isdigit() else 0
