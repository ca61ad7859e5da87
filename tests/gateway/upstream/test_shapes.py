"""Upstreams as they are in the field (tests/cases/upstreams.json, and kinds of our own): each is played
over a real socket through the gateway, and through the client of a page that talks to the endpoint
itself. Of that page only the browser's fetch is replaced (tests/support/httpnet.py).

The recorded times are played faster; the limits that they are measured against are shorter likewise.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from midstream import session
from midstream.engine.answers import flusher
from midstream.gateway.config import Limits
from midstream.gateway.upstream.http_client import HttpUpstream
from midstream.journal import MemoryStore
from midstream.progress import AFTER_FINISH_S
from tests.gateway.live import Gateway, live
from tests.support.httpnet import HttpNet
from tests.support.servers.raw_upstream import RawUpstream, Shape, raw_upstream, shapes
from tests.unit.engine.support import FAULTS, Locks, new_page, send, text_of

pytestmark = pytest.mark.full_run(reason="110 shapes play at the pace of a network")

SCALE = 0.2
KEY = "sk-canary/0123456789"
AFTER = AFTER_FINISH_S * SCALE


def event(**body: Any) -> str:
    return f"data: {json.dumps(body)}\n\n"


def chunk(**body: Any) -> str:
    return event(id="c", object="chat.completion.chunk", created=1, model="m", **body)


def said(**parts: Any) -> str:
    return chunk(choices=[{"index": 0, "finish_reason": None, **parts}])


HI = said(delta={"content": "hi"})
STOP = said(delta={}, finish_reason="stop")
DONE = "data: [DONE]\n\n"
USAGE = chunk(choices=[], usage={"prompt_tokens": 1, "completion_tokens": 1})


def stream(wanted: str, *send: str, **more: Any) -> Shape:
    return {"wanted": wanted, "send": [[0, text] for text in send], **more}


def choice(index: int, text: str = "", reason: str | None = None) -> str:
    return chunk(choices=[{"index": index, "delta": {"content": text}, "finish_reason": reason}])


def refused(status: int, body: str, wanted: str, kind: str = "application/json", **headers: str) -> Shape:
    return {"wanted": wanted, "send": [[0, body]], "status": status, "ctype": kind, "headers": headers}


CALL = said(delta={"tool_calls": [{"index": 0, "id": "x", "function": {"name": "f", "arguments": "{}"}}]})
OURS: dict[str, Shape] = {
    "bad_line_between_words": stream("completed hi you", HI, "data: {oops\n\n", choice(0, " you"), STOP, DONE),
    "with_a_role": stream(
        "completed hi", said(delta={"role": "assistant", "content": ""}), HI, STOP, USAGE, DONE
    ),
    "empty_data": stream("completed hi", "data:\n\n", HI, "data: \n\n", STOP, DONE),
    "null_data": stream("completed hi", HI, "data: null\n\n", STOP, "data: null\n\n", DONE),
    "keep_alive_events": stream(
        "completed hi",
        'event: ping\ndata: {"type": "ping"}\n\n', HI, "event: keepalive\ndata: ping\n\n", "data: {}\n\n", STOP,
    ),
    "error_line": stream("failed hi says out of memory", HI, 'error: {"code":500,"message":"out of memory"}\n\n'),
    "error_line_of_words": stream("failed hi says out of memory", HI, "error: out of memory\n"),
    "error_event": stream("failed hi says boom", HI, 'event: error\ndata: {"message":"boom"}\n\n'),
    "error_event_of_words": stream("failed hi says boom", HI, "event: error\ndata: boom\n\n", DONE),
    "bare_error_after_text": stream("failed hi says boom", HI, '{"error": {"message": "boom"}}\n'),
    "bare_error_on_lines": stream("failed says boom", '{\n  "error": {\n    "message": "boom"\n  }\n}'),
    "detail_in_the_stream": stream("failed hi says boom", HI, event(detail="boom")),
    "list_with_an_error": stream("failed says boom", 'data: [{"error": {"code": 400, "message": "boom"}}]\n\n'),
    "error_after_finish": stream("completed hi", HI, STOP, event(error={"message": "late"}), DONE),
    "error_line_after_finish": stream("completed hi", HI, STOP, "error: late\n\n"),
    "rst_after_finish": stream("completed hi", HI, STOP, close="rst"),
    "rst_between_text_and_finish_of_an_earlier_piece": stream(
        "interrupted hi more", HI, STOP, choice(0, " more"), close="rst"
    ),
    "words_of_a_server_for_an_end": stream("failed hi says Overloaded", HI, "data: Overloaded, sorry\n\n"),
    "end_without_blank_line": stream("completed hi", HI, STOP.rstrip("\n")),
    "end_without_line_end": stream("completed hi", HI + STOP.rstrip("\n")),
    "cut_in_the_middle_of_an_event": stream("interrupted hi", HI, STOP[:30]),
    "rst_in_the_middle_of_an_event": stream("interrupted hi", HI, STOP[:30], close="rst"),
    "no_content_type": stream("completed hi", HI, STOP, DONE, ctype=None),
    "octet_stream": stream("completed hi", HI, STOP, DONE, ctype="application/octet-stream"),
    "json_type_for_events": stream("completed hi", HI, STOP, DONE, ctype="application/json"),
    "json_without_a_type": stream("completed hi", json.dumps({"choices": [
        {"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}]}), ctype=None),
    "json_called_events": stream("completed hi", json.dumps({"choices": [
        {"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}]}, indent=1)),
    "json_error_in_200": stream("failed says boom", '{"error": {"message": "boom"}}', ctype="application/json"),
    "big_json": stream("completed", json.dumps({"choices": [{"message": {"images": ["A" * 1_200_000]},
        "finish_reason": "stop"}]}), ctype="application/json"),
    "usage_before_the_finish": stream("completed hi", HI, USAGE, STOP, DONE),
    "usage_after_the_finish": stream("completed hi", HI, STOP, USAGE, DONE),
    "usage_after_done": stream("completed hi", HI, STOP, DONE, USAGE),
    "finish_empty": stream("interrupted hi", HI, said(delta={}, finish_reason=""), DONE),
    "finish_null_word_all_along": stream(
        "completed hi", said(delta={"content": "hi"}, finish_reason="null"), said(delta={}, finish_reason="stop"), DONE
    ),
    "finish_twice": stream("completed hi", HI, STOP, STOP, DONE),
    "finish_alone": stream("completed", STOP, DONE),
    "finish_length": stream("completed hi", HI, said(delta={}, finish_reason="MAX_TOKENS"), DONE),
    "finish_network_error": stream("interrupted hi", HI, said(delta={}, finish_reason="network_error"), DONE),
    "two_choices": stream(
        "completed A", choice(0, "A"), choice(1, "B"), choice(0, "", "stop"), choice(1, "2"), choice(1, "", "stop")
    ),
    "two_choices_one_cut": stream("interrupted A", choice(0, "A"), choice(1, "B"), choice(0, reason="stop"), DONE),
    "other_choice_first": stream(
        "completed A", choice(1, "B"), choice(0, "A"), choice(1, reason="stop"), choice(0, reason="stop"), DONE
    ),
    "tool_call": stream("completed", CALL, said(delta={}, finish_reason="tool_calls"), DONE),
    "tool_call_and_done": stream("interrupted", CALL, DONE),
    "tool_call_rst": stream("interrupted", CALL, close="rst"),
    "refusal": stream("completed No.", said(delta={"refusal": "No."}), STOP, DONE),
    "reasoning_then_cut": stream("interrupted", said(delta={"reasoning_content": "hm"})),
    "role_then_cut": stream("failed", said(delta={"role": "assistant", "content": ""})),
    "status_201": stream("completed hi", HI, STOP, DONE, status=201),
    "no_content_204": {"wanted": "http 502", "send": [], "status": 204, "headers": {"Content-Length": "0"}},
    "closed_at_once": {"wanted": "http 502", "send": [], "nohead": True},
    "payment_402": refused(402, '{"error":{"message":"Insufficient credits","code":402}}', "http 402 says credits"),
    "moderation_403": refused(403, '{"error":{"message":"Your input was flagged"}}', "http 403 says flagged"),
    "key_401": refused(401, '{"error":{"message":"Incorrect API key"}}', "http 424 says Incorrect API key"),
    "conflict_409": refused(409, '{"message": "busy", "code": "conflict"}', "http 409 says busy"),
    "overloaded_529": refused(529, '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
                              "http 529 says Overloaded"),
    "page_502": refused(502, "<html><h1>Bad gateway</h1></html>", "http 502", "text/html"),
    "gone_410": refused(410, '{"error":"no such model any more"}', "http 410 says no such model"),
    "spring_500": refused(500, '{"status":500,"error":"Internal Server Error","message":"boom"}', "http 500 says boom"),
}  # fmt: skip
SHAPES = {**shapes(), **OURS}


@dataclass(frozen=True)
class Found:
    """How an answer ended. `state`: completed, interrupted, failed, or "http N"."""

    state: str
    text: str
    error: str  # the words of it, in which the server's are quoted
    asked: int


def agrees(found: Found, wanted: str) -> bool:
    wanted, _, quote = wanted.partition(" says ")
    if wanted.startswith("http "):
        return found.state == wanted and quote in found.error
    state, _, text = wanted.partition(" ")
    return found.state == state and (not text or found.text == text) and quote in found.error


# -- through the gateway


async def through_the_gateway() -> dict[str, Found]:
    async with raw_upstream(SHAPES, scale=SCALE) as raw:
        limits: dict[str, Any] = {"after_finish": AFTER, "first_word": 10.0, "live_runs": len(SHAPES)}
        upstream = HttpUpstream(raw.url, KEY, limits=replace(Limits(), **limits))
        # Kept connections may be closed by the server just when they are used again.
        pool = httpx.Limits(max_keepalive_connections=0)
        async with (
            live(upstream=upstream, limits=limits) as gateway,
            httpx.AsyncClient(base_url=gateway.client.base_url, limits=pool, timeout=30, trust_env=False) as client,
        ):
            gateway.client = client
            found = await asyncio.gather(*(ask_gateway(gateway, raw, name) for name in SHAPES))
    return dict(zip(SHAPES, found, strict=True))


async def ask_gateway(gateway: Gateway, raw: RawUpstream, name: str) -> Found:
    choices = {"n": 2} if "choice" in name else {}
    response = await gateway.post(model=name, **choices)
    run = response.headers["midstream-run"]
    snapshot = await gateway.snapshot(run)
    error = json.dumps(response.json()["error"]) if response.status_code != 200 else json.dumps(snapshot["error"])
    state = snapshot["state"] if response.status_code == 200 else f"http {response.status_code}"
    return Found(state, snapshot["text"], error, raw.asked[name])


# -- through a page that has no gateway

ENDED = {"complete": "completed", "length": "completed", "interrupted": "interrupted", "failed": "failed"}


async def through_a_page() -> dict[str, Found]:
    async with raw_upstream(SHAPES, scale=SCALE) as raw:
        room = asyncio.Semaphore(16)  # a slow machine must not make the first moment of a request long

        async def ask(name: str) -> Found:
            async with room:
                return await ask_page(raw, name)

        found = await asyncio.gather(*map(ask, SHAPES))
    return dict(zip(SHAPES, found, strict=True))


async def ask_page(raw: RawUpstream, name: str) -> Found:
    store, net = MemoryStore(), HttpNet(raw.url)
    endpoint = {"name": "Plain", "kind": "openai", "url": raw.url, "model": name}
    page = await new_page(store, Locks(), net, config={"endpoints": [endpoint]})
    answer = await send(page, name)

    def status() -> Mapping[str, Any]:
        every = [m for m in page.messages if m["type"] == "status" and m["message"] == answer]
        return every[-1] if every else {"state": ""}

    async with asyncio.timeout(30):
        # A server that has too much to do is asked again later: its words stand there meanwhile.
        while status()["state"] not in ENDED and "error" not in status():
            await asyncio.sleep(0.01)
    last = status()
    error, state = last.get("error", {}), ENDED.get(last["state"], "failed")
    text = await text_of(store, answer)
    await page.vanish()
    await net.close()
    return Found(state, text, json.dumps(error, ensure_ascii=False), raw.asked[name])


@pytest.fixture(scope="module")
def played() -> Iterator[dict[str, tuple[Found, Found]]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "AFTER_FINISH_S", AFTER)
        patch.setattr(flusher, "FLUSH_S", 0.002)
        gateway = asyncio.run(through_the_gateway())
        page = asyncio.run(through_a_page())
    yield {name: (gateway[name], page[name]) for name in SHAPES}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_ends_as_wanted_in_both_ways(name: str, played: dict[str, tuple[Found, Found]]) -> None:
    gateway, page = played[name]
    wanted = str(SHAPES[name]["wanted"])
    if wanted == "retried":
        assert (gateway.state, gateway.text, gateway.asked) == ("completed", "hi", 2)
        assert (page.state, page.text, page.asked) == ("completed", "hi", 2)
        return
    assert agrees(gateway, wanted), gateway
    of_a_page = "failed" + wanted.partition(" says ")[1] + wanted.partition(" says ")[2]
    assert agrees(page, of_a_page if wanted.startswith("http ") else wanted), page
    assert KEY not in gateway.error
    assert FAULTS == []
