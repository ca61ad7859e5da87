"""The forms in which servers publish an error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.errors import ErrorWords
from midstream.providers import error_words
from midstream.providers.error_words import in_page, is_quota

# (who does so, the body, its words)
PAGES: list[tuple[str, Any, ErrorWords]] = [
    (
        "OpenAI",
        {"error": {"message": "too long", "type": "invalid_request_error", "param": "messages", "code": "too_long"}},
        ErrorWords("too long", "too_long", "invalid_request_error", "messages"),
    ),
    ("OpenAI, without a code", {"error": {"message": "m", "type": "t", "code": None}}, ErrorWords("m", None, "t")),
    ("OpenRouter", {"error": {"message": "m", "code": 402, "metadata": {"raw": "x"}}}, ErrorWords("m", 402)),
    ("Ollama", {"error": "model 'x' not found"}, ErrorWords("model 'x' not found")),
    ("TGI", {"error": "too long", "error_type": "validation"}, ErrorWords("too long", None, "validation")),
    ("vLLM", {"object": "error", "message": "m", "type": "E", "code": 400}, ErrorWords("m", 400, "E")),
    ("Mistral", {"object": "error", "message": {"detail": [{"msg": "missing", "loc": ["body", "x"]}]}},
     ErrorWords("body.x: missing")),
    ("FastAPI", {"detail": "Not found"}, ErrorWords("Not found")),
    ("FastAPI, a list", {"detail": [{"loc": ["a", 0], "msg": "x"}, {"loc": ["b"], "msg": "y"}]},
     ErrorWords("a.0: x; b: y")),
    ("FastAPI, an object", {"detail": {"error": {"message": "m"}}}, ErrorWords("m")),
    ("LiteLLM", {"error": {"message": {"error": "deep"}, "code": "429"}}, ErrorWords("deep", "429")),
    ("Gemini", [{"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}], ErrorWords("m", 400)),
    ("Anthropic", {"type": "error", "error": {"type": "overloaded_error", "message": "m"}},
     ErrorWords("m", None, "overloaded_error")),
    ("Cloudflare", {"success": False, "errors": [{"code": 7003, "message": "m"}]}, ErrorWords("m", 7003)),
    ("DashScope", {"code": "InvalidApiKey", "message": "m", "request_id": "x"}, ErrorWords("m", "InvalidApiKey")),
    ("Spring", {"status": 500, "error": "Internal Server Error", "message": "m"}, ErrorWords("m", 500)),
    ("AWS", {"Message": "m", "__type": "Throttled"}, ErrorWords("m", "Throttled")),
    ("a message and nothing else", {"message": "m"}, ErrorWords("m")),
    ("problem+json", {"title": "Too large", "status": 413}, ErrorWords("Too large", 413)),
    ("a text in JSON", "m", ErrorWords("m")),
    ("plain text", b"CUDA out of memory\n", ErrorWords("CUDA out of memory")),
    ("a page", b"<html><title>502</title></html>", ErrorWords()),
    ("nothing", b"", ErrorWords()),
    ("JSON of another kind", {"x": 1}, ErrorWords()),
    ("deep JSON", b"[" * 100_000, ErrorWords("[" * error_words.TEXT)),
]  # fmt: skip


@pytest.mark.parametrize(("body", "words"), [page[1:] for page in PAGES], ids=[page[0] for page in PAGES])
def test_a_server_is_quoted(body: Any, words: ErrorWords) -> None:
    assert in_page(body if isinstance(body, bytes) else json.dumps(body).encode()) == words


@pytest.mark.parametrize(
    "words",
    [
        ErrorWords(code="insufficient_quota"),
        ErrorWords(type="insufficient_quota"),
        ErrorWords(code="billing_hard_limit_reached"),
    ],
)
def test_an_empty_account_is_known(words: ErrorWords) -> None:
    assert is_quota(words)
    assert not is_quota(ErrorWords("insufficient_quota", 429, "rate_limit_error"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "errors", "message", "detail", "code", "type", "loc", "msg"]), inner
        )
    ),
    max_leaves=8,
)


@given(JSON)
def test_whatever_comes_is_read(body: Any) -> None:
    words = in_page(json.dumps(body).encode())
    assert isinstance(words.message, str) and isinstance(words.type, str) and isinstance(words.name, str)
