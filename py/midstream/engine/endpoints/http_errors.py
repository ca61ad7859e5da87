"""HTTP answers that are no streams, and requests without an answer, as problems for the screen."""

from __future__ import annotations

from urllib.parse import urlsplit

from midstream import json_text
from midstream.engine.ports.host import Response, body_of
from midstream.errors import ErrorWords, UpstreamBroken
from midstream.problems import Problem, problem, shortened
from midstream.providers import error_words
from midstream.providers.openai import problem_in

# By the status, when the other side is not one of ours; "endpoint_failed" is every 5xx.
_REFUSALS = {401: "endpoint_key", 403: "endpoint_key", 404: "endpoint_unknown"}


async def refusal(response: Response) -> Problem:
    """The problem that an error body of ours names; else the status, with the server's own words as
    a quote."""
    status = response.status
    if status == 200:
        kind = response.headers.get("content-type", "")
        if not kind:
            return problem("endpoint_no_kind")
        return problem("endpoint_no_stream", kind=shortened(kind))
    body = await body_of(response)
    words = error_words.in_page(body)
    return _ours(body) or problem(_code(status, words), quote=words.message, message=words.message, status=status)


def _code(status: int, words: ErrorWords) -> str:
    if error_words.is_quota(words):
        return "endpoint_quota"
    if status == 403 and words.message:  # a filter's, or the region's: its words say which
        return "endpoint_refused"
    return _REFUSALS.get(status, "endpoint_failed" if status >= 500 else "endpoint_refused")


def _ours(body: bytes) -> Problem | None:
    """The error of a server of ours."""
    try:
        error = json_text.decode(body)["error"]
    except (ValueError, KeyError, TypeError):
        return None
    return problem_in(error) if isinstance(error, dict) else None


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
