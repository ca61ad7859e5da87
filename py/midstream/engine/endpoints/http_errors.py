"""HTTP answers that are no streams, and requests without an answer, as problems for the screen."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from midstream import json_text
from midstream.engine.ports.host import Response, body_of
from midstream.errors import UpstreamBroken
from midstream.problems import Problem, problem, shortened
from midstream.providers.openai import problem_in

# By the status, when the other side is not one of ours; "endpoint_failed" is every 5xx.
_REFUSALS = {401: "endpoint_key", 403: "endpoint_key", 404: "endpoint_unknown"}


async def refusal(response: Response) -> Problem:
    """The problem that an error body of ours names; else the status, with the message of an
    OpenAI-style error body, or the start of the body, as a quote."""
    status = response.status
    if status == 200:
        kind = response.headers.get("content-type", "")
        if not kind:
            return problem("endpoint_no_kind")
        return problem("endpoint_no_stream", kind=shortened(kind))
    error = _error_in((await body_of(response)).decode("utf-8", "replace").strip())
    code = _REFUSALS.get(status, "endpoint_failed" if status >= 500 else "endpoint_refused")
    message = str(error.get("message") or "")
    return problem_in(error) or problem(code, quote=message, message=message, status=status)


def _error_in(body: str) -> dict[str, Any]:
    try:
        error = json_text.decode(body)["error"]
    except (ValueError, KeyError, TypeError):
        # A web page of a proxy in between is no message for a person.
        return {"message": "" if body.startswith("<") else body}
    return error if isinstance(error, dict) else {"message": error}


def unreachable(url: str, how: object) -> UpstreamBroken:
    """The error of a request without an answer. The browser gives the same reason for every cause;
    its console has more."""
    host = urlsplit(url).netloc
    message = f"Nobody answers at {host}: {how}"
    return UpstreamBroken(problem("unreachable", message=message, host=host))


def broken(error: Exception) -> UpstreamBroken:
    message = f"The connection to the endpoint broke: {error}"
    return UpstreamBroken(problem("connection_broke", message=message))


def integer(text: str | None) -> int:
    """A header's number; 0 for none."""
    return int(text) if text and text.isascii() and text.isdigit() else 0
