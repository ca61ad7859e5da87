"""The connection to a model's server: what it may do wrong, and what a person then reads."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from midstream import sse
from midstream.errors import (
    UpstreamBroken,
    UpstreamError,
    UpstreamRefused,
    UsageError,
)
from midstream.gateway.config import Limits, base_url
from midstream.gateway.upstream.http_client import HttpUpstream
from midstream.gateway.upstream.refusals import client_status
from midstream.gateway.upstream.sources import DemoUpstream, last_prompt
from midstream.providers import demo, openai
from tests.gateway.live import word_chunk
from tests.support.certificate import server_context
from tests.support.processes import free_port

pytestmark = pytest.mark.anyio

KEY = "sk-canary-0123456789"
EVENTS = {"Content-Type": "text/event-stream"}
Handler = Callable[[httpx.Request], httpx.Response]


def upstream_of(handler: Handler, **limits: Any) -> HttpUpstream:
    transport = httpx.MockTransport(handler)
    return HttpUpstream(
        "http://model.example/v1",
        KEY,
        limits=Limits(**limits),
        transport=transport,
    )


async def payloads(upstream: HttpUpstream | DemoUpstream, body: bytes = b"{}") -> list[str]:
    async with aclosing(upstream.payloads(body)) as found:
        return [payload async for payload in found]


def streaming(*pieces: bytes | Exception, headers: dict[str, str] = EVENTS) -> Handler:
    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    return lambda request: httpx.Response(200, headers=headers, content=body())


async def test_payloads_come_verbatim_and_done_ends_them() -> None:
    odd = '{"a" : 1}'
    wire = sse.encode(odd) + b": ping\n\n" + sse.encode(word_chunk("x")) + sse.encode("[DONE]")
    handler = streaming(wire[:5], wire[5:30], wire[30:], b"data: never\n\n")
    assert await payloads(upstream_of(handler)) == [odd, word_chunk("x")]


async def test_the_request_has_our_key_and_the_clients_body() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return streaming(b"")(request)

    await payloads(upstream_of(handler), b'{"x": 1}')
    assert str(seen[0].url) == "http://model.example/v1/chat/completions"
    assert seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert seen[0].content == b'{"x": 1}'


async def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    upstream = HttpUpstream("http://model.example/v1", KEY)
    assert upstream._client._mounts == {}
    await upstream.close()


async def test_json_where_events_were_asked_for_is_one_payload() -> None:
    body = json.dumps(openai.completion("u", "m", "hi", finish="stop", usage=(1, 1)))
    kind = {"Content-Type": "application/json; charset=utf-8"}
    assert await payloads(upstream_of(streaming(body.encode(), headers=kind))) == [body]


async def failure(handler: Handler, **limits: float) -> UpstreamError:
    with pytest.raises(UpstreamError) as error:
        await payloads(upstream_of(handler, **limits))
    assert KEY not in error.value.line()
    assert "\n" not in error.value.line()
    return error.value


@pytest.mark.parametrize(
    ("status", "words", "told"),
    [
        (301, "redirects elsewhere (301)", 424),
        (302, "redirects elsewhere (302)", 424),
        (307, "redirects elsewhere (307)", 424),
        (400, "refused (400). Message: too long for …", 400),
        (401, "refused the gateway's key (401). Message: too long", 424),
        (402, "refused (402). Message: too long", 402),
        (403, "refused (403). Message: too long", 403),
        (404, "does not know this model or path (404). Message: too long", 404),
        (422, "refused (422). Message: too long", 422),
        (408, "refused (408). Message: too long", 408),
        (409, "refused (409). Message: too long", 409),
        (429, "has too much to do (429). Message: too long", 429),
        (500, "refused (500). Message: too long", 500),
        (503, "refused (503). Message: too long", 503),
        (529, "refused (529). Message: too long", 529),
    ],
)
async def test_a_refusal_says_who_and_why(status: int, words: str, told: int) -> None:
    calls: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(str(request.url))
        error = {"error": {"message": f"too long\nfor {KEY}"}}
        headers = {"Location": "http://169.254.169.254/", "Retry-After": "9"}
        return httpx.Response(status, headers=headers, json=error)

    error = await failure(handler)
    assert isinstance(error, UpstreamRefused)
    assert words in error.message
    assert "model.example" in error.message
    assert client_status(error) == (told, "9" if told == status else None)
    assert error.words and error.words.message == "too long\nfor …"
    assert calls == ["http://model.example/v1/chat/completions"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":[]}', b'{"error":{"message":{}}}'])
async def test_an_error_page_that_is_not_ours_to_show(body: bytes) -> None:
    error = await failure(lambda request: httpx.Response(400, content=body))
    assert error.message.endswith("refused (400).")


@pytest.mark.parametrize(
    ("trouble", "kind", "code"),
    [
        (httpx.ConnectError("x"), UpstreamRefused, "upstream_unreachable"),
        (httpx.ConnectTimeout("x"), UpstreamRefused, "upstream_slow"),
        (httpx.ReadTimeout("x"), UpstreamBroken, "upstream_silent"),
        (httpx.RemoteProtocolError("x"), UpstreamBroken, "upstream_broken"),
    ],
)
async def test_trouble_before_the_answer(trouble: httpx.HTTPError, kind: type[UpstreamError], code: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise trouble

    error = await failure(handler)
    assert (type(error), error.code) == (kind, code)


async def unreached(base: str, **limits: float) -> UpstreamError:
    upstream = HttpUpstream(base, KEY, limits=Limits(**limits))  # type: ignore[arg-type]
    try:
        with pytest.raises(UpstreamRefused) as error:
            await payloads(upstream)
    finally:
        await upstream.close()
    assert "cannot be reached" in error.value.message
    assert error.value.code == error.value.problem.code
    assert error.value.problem.values == {"host": urlsplit(base).netloc}
    return error.value


async def test_a_name_that_does_not_exist() -> None:
    assert (await unreached("http://model.invalid/v1")).code == "upstream_name"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])  # that has more than one address
async def test_a_port_that_is_closed(host: str) -> None:
    assert (await unreached(f"http://{host}:{free_port()}/v1")).code == "upstream_port"


async def test_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    context = server_context(tmp_path)
    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await unreached(f"https://localhost:{port}/v1")
    assert error.code == "upstream_certificate"


async def test_a_connection_that_is_not_taken() -> None:
    """A queue of one that is full: the kernel lets the next one wait."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        with contextlib.ExitStack() as waiting:
            for _ in range(4):
                each = waiting.enter_context(socket.socket())
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", port))
            error = await unreached(f"http://127.0.0.1:{port}/v1", connect=0.2)
    assert error.code == "upstream_slow"


@pytest.mark.parametrize("trouble", [httpx.ReadError("x"), httpx.RemoteProtocolError("x")])
async def test_trouble_in_the_middle_keeps_what_came(trouble: httpx.HTTPError) -> None:
    upstream = upstream_of(streaming(sse.encode(word_chunk("x")), trouble))
    found = []
    with pytest.raises(UpstreamBroken, match="closed the connection in the middle"):
        async with aclosing(upstream.payloads(b"{}")) as events:
            async for payload in events:
                found.append(payload)
    assert found == [word_chunk("x")]


KINDS = ["text/html", "application/octet-stream", "", "text/event-streams", "text/plain; charset=utf-8"]


@pytest.mark.parametrize("kind", [*KINDS, "application/json"])
@pytest.mark.parametrize("body", [b"<html>hm</html>", b"data", b"idle", b"dat\n", "日".encode()])
async def test_another_content_type_is_no_stream(kind: str, body: bytes) -> None:
    error = await failure(streaming(*(body[n : n + 1] for n in range(len(body))), headers={"Content-Type": kind}))
    assert "not with a stream" in error.message


@pytest.mark.parametrize("kind", [*KINDS, "application/json", "text/event-stream"])
@pytest.mark.parametrize(
    "wire", [b"data: {}\n\n", b"\n\ndata: {}\n\n", b": hm\ndata: {}\n\n", b"data: {}", b"{}", b" {}"]
)
async def test_a_body_is_looked_into_whatever_it_is_called(kind: str, wire: bytes) -> None:
    pieces = [wire[n : n + 1] for n in range(len(wire))]
    assert await payloads(upstream_of(streaming(*pieces, headers={"Content-Type": kind}))) == ["{}"]


async def test_an_endless_event_is_cut_off() -> None:
    upstream = upstream_of(streaming(sse.encode("whole") + b"data: " + b"x" * 5000, b"x" * 5000), event=5020)
    found = []
    with pytest.raises(sse.EventTooLarge):
        async with aclosing(upstream.payloads(b"{}")) as events:
            async for payload in events:
                found.append(payload)
    assert found == ["whole"]


async def test_an_endless_json_answer_is_cut_off() -> None:
    kind = {"Content-Type": "application/json"}
    error = await failure(streaming(b"{", *[b"x" * 1000] * 100, headers=kind), event=10_000)
    assert "more than 10000 bytes" in error.message


async def test_models_that_are_not_json() -> None:
    with pytest.raises(UpstreamBroken, match="list of models"):
        await upstream_of(lambda request: httpx.Response(200, content=b"<html>")).models()


async def test_closing_the_payloads_closes_the_connection() -> None:
    """Over a real socket: the model's server must see that nobody is reading any more."""
    closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        writer.write(sse.encode(word_chunk("x")))
        assert await reader.read() == b"{}"
        closed.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    upstream = HttpUpstream(f"http://127.0.0.1:{port}/v1")
    async with aclosing(upstream.payloads(b"{}")) as events:
        assert await anext(events) == word_chunk("x")
    await asyncio.wait_for(closed.wait(), 0.5)
    await upstream.close()
    server.close()
    await server.wait_closed()


# -- the script


async def test_the_script_streams_chunks_with_usage() -> None:
    body = json.dumps({"stream": True, "messages": [{"role": "user", "content": "hi"}]}).encode()
    found = await payloads(DemoUpstream(rate=0), body)
    events = [event for payload in found for event in openai.parse(payload)]
    text = "".join(getattr(event, "text", "") for event in events)
    assert text == "".join(demo.tokens("hi"))


async def test_the_script_answers_without_a_stream_too() -> None:
    (whole,) = await payloads(DemoUpstream(rate=0), b'{"messages": []}')
    assert json.loads(whole)["choices"][0]["message"]["content"] == "".join(demo.tokens(""))


# -- small readers


@pytest.mark.parametrize(
    ("messages", "prompt"),
    [
        ([], ""),
        (None, ""),
        ([{"role": "system", "content": "s"}], ""),
        ([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "a"),
        ([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}], "b"),
        ([{"role": "user", "content": [{"type": "text", "text": "a"}, {"image_url": 1}, {"text": "b"}]}], "ab"),
        ([{"role": "user", "content": None}], ""),
        (["x", 1], ""),
    ],
)  # fmt: skip
def test_the_last_prompt_is_found(messages: object, prompt: str) -> None:
    assert last_prompt({"messages": messages}) == prompt


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1"),
        ("http://127.0.0.1:11434/", "http://127.0.0.1:11434/v1"),
        ("https://api.example/v1/", "https://api.example/v1"),
        ("https://api.example/openai/v2", "https://api.example/openai/v2"),
        ("http://[::1]:80", "http://[::1]:80/v1"),
    ],
)
def test_a_base_url_gets_its_path(given: str, base: str) -> None:
    assert base_url(given, "--upstream") == base


@pytest.mark.parametrize(
    "given",
    ["", "x", "not a url", "ftp://a/v1", "http://", "http:///v1", "http://u:p@a/v1", "http://k@a",
     "http://a/v1?x=1", "http://a/#x", "file:///etc/passwd", "http://a:99999/", "http://[::1/"],
)  # fmt: skip
def test_a_base_url_that_is_none(given: str) -> None:
    with pytest.raises(UsageError):
        base_url(given, "--upstream")
