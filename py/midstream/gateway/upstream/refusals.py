"""Why an upstream has not answered, as errors; and what a client is told of it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx

from midstream.errors import ErrorWords, UpstreamError, UpstreamRefused
from midstream.problems import problem
from midstream.providers import error_words

__all__ = ["client_status", "error_status", "refusal", "why_unreachable"]

_CODES = {401: "upstream_key", 403: "upstream_key", 404: "upstream_unknown", 429: "upstream_busy"}


def refusal(host: str, status: int, body: bytes, retry_after: str | None = None) -> UpstreamRefused:
    """Of an answer that is an error. Its words are kept, whatever the status: a 403 may be the
    key's, or a filter's, or the region's."""
    words = error_words.in_page(body)
    why = problem(_code(status, words), host=host, status=status, quote=words.message)
    return UpstreamRefused(
        why,
        status=status,
        retry_after=retry_after,
        words=words if words != ErrorWords() else None,
    )


def _code(status: int, words: ErrorWords) -> str:
    if 300 <= status < 400:
        return "upstream_redirects"
    if error_words.is_quota(words):
        return "upstream_quota"
    if status == 403 and words.message:
        return "upstream_refused"
    return _CODES.get(status, "upstream_refused")


def client_status(error: UpstreamError) -> tuple[int, str | None]:
    """The upstream's own status, so that a client does what it would do without us. But a key that
    is refused, and a redirect, are the gateway's: a client would look for its own key then.

    The second is for Retry-After.
    """
    if isinstance(error, UpstreamRefused):
        if error.status is None:
            return (503 if error.code == "model_missing" else 502), None
        return _told(error.status), error.retry_after if _told(error.status) == error.status else None
    return (504 if error.code == "upstream_silent" else 502), None


def error_status(words: ErrorWords | None) -> int:
    """Of an error under the status 200, which may name its own."""
    code = words.code if words else None
    number = int(code) if isinstance(code, int) or (isinstance(code, str) and code.isascii() and code.isdigit()) else 0
    return _told(number) if 400 <= number < 600 else 502


def _told(status: int) -> int:
    return 424 if status < 400 or status in (401, 407) else status


def why_unreachable(error: Exception) -> str:
    """The code of what was in the way, by the error at the bottom: httpx has one for all."""
    if isinstance(error, httpx.ConnectTimeout):
        return "upstream_slow"
    for kind, code in _CAUSES.items():
        if any(isinstance(cause, kind) for cause in _causes(error)):
            return code
    return "upstream_unreachable"


_CAUSES: dict[type[Exception], str] = {
    socket.gaierror: "upstream_name",
    ssl.SSLCertVerificationError: "upstream_certificate",
    ConnectionRefusedError: "upstream_port",
}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """A name may have several addresses, each with an error of its own."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for each in error.exceptions:
                yield from _causes(each)
        error = error.__cause__ or error.__context__
