"""Answers that are no streams: their bodies, and the words of an error in them."""

from __future__ import annotations

import json

from .host import Response

BODY_BYTES = 64 * 1024  # the rest is not read


async def body_of(response: Response) -> bytes:
    body = b""
    while len(body) < BODY_BYTES and (chunk := await response.read()):
        body += chunk
    return body


async def error_message(response: Response) -> str:
    """The words of an OpenAI-style error body, else the start of the body, else the status."""
    if response.status == 200:
        kind = response.headers.get("content-type", "") or "no content type"
        return f"The endpoint answered with {kind} instead of a stream."
    words = (await body_of(response)).decode("utf-8", "replace").strip()
    try:
        error = json.loads(words)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError):
        return words[:300] or f"The endpoint answered with status {response.status}."


def integer(text: str | None) -> int:
    """A header's number; 0 for none."""
    return int(text) if text and text.isascii() and text.isdigit() else 0
