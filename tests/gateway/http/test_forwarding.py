"""What passes through the gateway as it is: other requests of the dialect, and harmless headers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from midstream.gateway.config import Limits
from midstream.gateway.upstream.http_client import HttpUpstream
from midstream.gateway.upstream.redaction import Redaction
from tests.gateway.live import Gateway, live

pytestmark = pytest.mark.anyio

KEY = "sk-canary/0123"
HARMLESS = {
    "X-Title": "an app",
    "HTTP-Referer": "https://app.example",
    "OpenAI-Organization": "org",
    "OpenAI-Project": "project",
    "OpenAI-Beta": "assistants=v2",
    "User-Agent": "an-app/1",
    "X-Request-ID": "mine-1",
    "X-Stainless-Lang": "python",
}
PRIVATE = {"Authorization": "Bearer theirs", "Cookie": "a=b", "X-Forwarded-For": "10.0.0.1", "Api-Key": "theirs"}


@dataclass
class Server:
    """Answers each path of `answers` (status, headers, pieces) and keeps what it was asked."""

    answers: dict[str, tuple[int, dict[str, str], list[bytes]]]
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        status, headers, pieces = self.answers[request.url.raw_path.decode()]

        async def body() -> AsyncIterator[bytes]:
            for piece in pieces:
                await asyncio.sleep(0)
                yield piece

        return httpx.Response(status, headers=headers, content=body())


@asynccontextmanager
async def before(server: Server) -> AsyncIterator[Gateway]:
    transport = httpx.MockTransport(server)
    upstream = HttpUpstream("http://model.example/v1", KEY, limits=Limits(), transport=transport)
    async with live(upstream=upstream) as gateway:
        yield gateway


JSON = {"Content-Type": "application/json"}
EVENTS = {"Content-Type": "text/event-stream"}


async def test_embeddings_and_one_model_come_as_they_are() -> None:
    vectors = b'{"data" :[{"embedding":[0.1]}]}'
    server = Server({"/v1/embeddings": (200, JSON, [vectors]), "/v1/models/org/m%20x": (200, JSON, [b'{"id":"m x"}'])})
    async with before(server) as gateway:
        found = await gateway.client.post(
            "/v1/embeddings", content=b'{"input" :"x"}', headers=JSON | HARMLESS | PRIVATE
        )
        model = await gateway.client.get("/v1/models/org/m%20x")
    assert (found.content, model.json()) == (vectors, {"id": "m x"})
    asked = server.requests[0]
    assert asked.content == b'{"input" :"x"}'
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert {name: asked.headers[name] for name in HARMLESS} == HARMLESS
    assert not {"cookie", "x-forwarded-for", "api-key"} & asked.headers.keys()


async def test_a_completion_is_streamed() -> None:
    pieces = [b'data: {"choices":[{"text":"a"}]}\n\n', b"data: [DONE]\n\n"]
    async with before(Server({"/v1/completions": (200, EVENTS, pieces)})) as gateway:
        found = await gateway.client.post("/v1/completions", content=b"{}", headers=JSON)
    assert found.content == b"".join(pieces)
    assert found.headers["content-type"].startswith("text/event-stream")


async def test_a_completion_that_is_cut_ends_with_an_error() -> None:
    class Cut(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b'data: {"choices":[{"text":"a"}]}\n\n'
            raise httpx.ReadError("cut")

    transport = httpx.MockTransport(lambda request: httpx.Response(200, headers=EVENTS, stream=Cut()))
    async with live(upstream=HttpUpstream("http://model.example/v1", KEY, transport=transport)) as gateway:
        found = await gateway.client.post("/v1/completions", content=b"{}", headers=JSON)
    assert json.loads(found.text.split("data: ")[-1])["error"]["problem"]["code"] == "upstream_cut"


@pytest.mark.parametrize("path", ["/v1/models/..%2Fsecret", "/v1/models/a//b", "/v1/models/"])
async def test_a_models_name_leads_nowhere_else(path: str) -> None:
    server = Server({})
    async with before(server) as gateway:
        assert (await gateway.client.get(path)).status_code == 404
    assert server.requests == []


async def test_errors_have_the_upstreams_words_and_never_the_key() -> None:
    error = {"message": f"no {KEY} here", "type": "t", "param": "p", "code": "context_length_exceeded"}
    body = json.dumps({"error": error}).replace("/", "\\/").encode()
    server = Server({path: (400, JSON | {"X-Request-ID": "theirs-1", "Set-Cookie": "a=b"}, [body[:30], body[30:]])
                     for path in ("/v1/embeddings", "/v1/chat/completions")})  # fmt: skip
    async with before(server) as gateway:
        for response in (
            await gateway.client.post("/v1/embeddings", content=b"{}", headers=JSON),
            await gateway.post(),
        ):
            found = response.json()["error"]
            assert response.status_code == 400
            assert {name: found[name] for name in error} == {**error, "message": "no … here"}
            assert found["problem"]["code"] == "upstream_refused"
            assert "canary" not in response.text
    assert response.headers["x-request-id"] == "theirs-1"
    assert "set-cookie" not in response.headers


async def test_an_answer_has_a_request_id() -> None:
    chunk = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n'
    ids = {"X-Request-ID": "theirs-1", "X-RateLimit-Remaining-Requests": "7"}
    server = Server({"/v1/chat/completions": (200, EVENTS | ids, [chunk])})
    async with before(server) as gateway:
        first = await gateway.post(headers={"X-Title": "an app"})
        server.answers["/v1/chat/completions"] = (200, EVENTS, [chunk])
        second = await gateway.post(headers={"X-Request-ID": "mine-1"})
        third = await gateway.post()
    assert (first.headers["x-request-id"], first.headers["x-ratelimit-remaining-requests"]) == ("theirs-1", "7")
    assert second.headers["x-request-id"] == "mine-1"
    assert third.headers["x-request-id"] == third.headers["midstream-run"]
    assert server.requests[0].headers["x-title"] == "an app"


async def test_the_key_is_taken_out_of_a_stream_however_it_is_cut() -> None:
    text = f'data: {{"choices":[{{"delta":{{"content":"a {KEY} b sk-can"}},"finish_reason":"stop"}}]}}\n\n'.encode()
    for size in range(1, 25):
        redaction = Redaction(KEY)
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        found = b"".join(map(redaction.feed, pieces)) + redaction.rest()
        assert found.decode() == text.decode().replace(KEY, "…")
    async with before(Server({"/v1/chat/completions": (200, EVENTS, [text[:50], text[50:]])})) as gateway:
        found_text = (await gateway.post()).text
    assert "a … b sk-can" in found_text
    assert "canary" not in found_text
