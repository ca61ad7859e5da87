"""An error in a server's own words, out of the forms in which servers publish it.

{"error": {"message", "type", "param", "code"}}      OpenAI and most others
{"error": "…"}                                       Ollama, TGI, Spring (with "message" beside it)
[{"error": {…}}], {"errors": [{…}]}                  Gemini; Cloudflare
{"object": "error", "message", "type", "code"}       vLLM, Mistral
{"detail": "…" | [{"loc", "msg"}]}                   FastAPI, problem+json
{"code": "…", "message": "…"}                        DashScope, AWS, MiniMax (status_code, status_msg)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from midstream import json_text
from midstream.errors import ErrorWords

__all__ = ["TEXT", "in_json", "in_page", "is_quota"]

TEXT = 8000  # characters of a message that are kept
_DEPTH = 5  # of errors inside errors
_WORDS = (
    *("message", "msg", "detail", "error_message", "errorMessage", "error_description", "Message"),
    *("status_msg", "faultstring", "description", "reason", "title", "error"),
)
_CODES = ("code", "status_code", "errorCode", "status", "__type")


def in_page(body: bytes) -> ErrorWords:
    """The words in the body of an HTTP error: JSON in one of the forms, or plain text. A web page,
    which a proxy in between may have made, has none."""
    text = body.decode("utf-8", "replace").strip()
    try:
        page = json_text.decode(text)
    except ValueError:
        return ErrorWords("" if text.startswith("<") else text[:TEXT])
    if isinstance(page, str):
        return ErrorWords(page[:TEXT])
    return in_json(page, anything=True) or ErrorWords()


def in_json(body: object, *, anything: bool = False) -> ErrorWords | None:
    """The error that `body` holds; None for none. `anything`: it is known to be an error, so that
    its message needs no other mark."""
    if isinstance(body, list):
        return next((found for each in body if (found := in_json(each, anything=anything))), None)
    if not isinstance(body, dict):
        return None
    if body.get("error"):
        return _words_of(body["error"], body)
    if isinstance(errors := body.get("errors"), list) and errors:
        return _words_of(errors[0], body)
    if anything or ("choices" not in body and _is_error(body)):
        return _words_of(body, body)
    return None


def is_quota(words: ErrorWords) -> bool:
    """The account has no money or quota left: asking again in a moment cannot help."""
    return any(mark in f"{words.code} {words.type}".lower() for mark in _QUOTA)


_QUOTA = ("insufficient_quota", "quota_exceeded", "insufficient_balance", "billing", "credit")


def _is_error(body: Mapping[str, Any]) -> bool:
    if "error" in (body.get("object"), body.get("type"), body.get("status")) or body.get("success") is False:
        return True
    if isinstance(answered := body.get("base_resp"), dict):  # MiniMax: 0 is well
        return bool(answered.get("status_code"))
    if "detail" in body:
        return bool(_text(body["detail"]))
    return isinstance(body.get("message"), str) and any(body.get(name) for name in _CODES)


def _words_of(error: object, around: Mapping[str, Any]) -> ErrorWords:
    """`around`: the object that holds it, which may say more than it does."""
    if not isinstance(error, dict):
        kind = around.get("error_type") or around.get("type")
        code = next((around[name] for name in _CODES if _is_name(around.get(name))), None)
        message = _text(around.get("message")) or _text(error)
        return ErrorWords(message[:TEXT], code, kind if isinstance(kind, str) else "")
    if isinstance(inner := error.get("base_resp"), dict):
        error = inner
    code = next((error[name] for name in _CODES if _is_name(error.get(name))), None)
    kind, param = error.get("type"), error.get("param")
    return ErrorWords(
        _text(error)[:TEXT],
        code,
        kind if isinstance(kind, str) else "",
        param if isinstance(param, str) else None,
    )


def _is_name(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _text(value: object, depth: int = _DEPTH) -> str:
    """The first words in a message that may be an object or a list itself."""
    if isinstance(value, str):
        return value
    if depth and isinstance(value, list):
        return "; ".join(filter(None, (_text(each, depth - 1) for each in value[:8])))
    if depth and isinstance(value, dict):
        where = value.get("loc")  # FastAPI: the field of the request
        found = next((text for name in _WORDS if (text := _text(value.get(name), depth - 1))), "")
        return f"{'.'.join(map(str, where))}: {found}" if found and isinstance(where, list) else found
    return ""
