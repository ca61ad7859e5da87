"""Official clients notice nothing of the gateway: a whole answer is whole, and every other end raises.

One gateway for all of them, before an upstream of recorded shapes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from midstream.gateway.config import Limits
from midstream.gateway.upstream.http_client import HttpUpstream
from tests.gateway.live import live
from tests.gateway.upstream.test_shapes import AFTER, HI, SCALE, SHAPES
from tests.support.servers.raw_upstream import Shape, raw_upstream
from tooling.places import HERE
from tooling.setup import npm

pytestmark = pytest.mark.full_run(reason="real clients of two languages start")

SCRIPT = Path(__file__).with_name("clients.mjs")
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}

# Of those that end well the text, of the others also a part of what a client raises.
WELL = {
    "plain": "hi",
    "with_a_role": "hi",
    "no_done": "hi",
    "usage_after_the_finish": "hi",
    "azure_first_chunk_empty_choices": "hi",
    "garbage_after_finish": "hi",
    "empty_data": "hi",
    "null_data": "hi",
    "error_after_finish": "hi",
    "whole_json_though_stream": "hi",
    "sse_as_text_plain": "hi",
    "keep_alive_events": "hi",
}
BADLY = {
    "done_without_finish": "ended the stream before the answer was complete",
    "rst_in_the_middle": "closed the connection in the middle",
    "error_frame_object": "boom",
    "vllm_old_error_object": "engine died",
    "garbage_text": "cannot be read",
    "error_line": "out of memory",
    "detail_in_the_stream": "boom",
    "cut_in_the_middle_of_an_event": "before the answer was complete",
}
REFUSED = {"vllm_error_400_toplevel": (400, "max context 10"), "quota_429": (429, "quota"), "text_500": (500, "CUDA")}
EVERY = [*WELL, *BADLY, *REFUSED]
HANGS: Shape = {"send": [[0, HI]], "close": "hang"}
CLIENTS = ["python", "python helper", "loop", "helper", "sdk"]


@pytest.fixture(scope="module")
def met() -> Iterator[dict[str, dict[str, Any]]]:
    yield asyncio.run(everything())


async def everything() -> dict[str, dict[str, Any]]:
    limits: dict[str, Any] = {"after_finish": AFTER, "plain_first_word": 10.0}
    async with raw_upstream({**SHAPES, "hangs": HANGS}, scale=SCALE) as raw:
        upstream = HttpUpstream(raw.url, "sk-key", limits=replace(Limits(), **limits))
        async with live(upstream=upstream, limits=limits) as gateway:
            base = str(gateway.client.base_url)
            async with AsyncOpenAI(base_url=f"{base}/v1", api_key="none", max_retries=0) as client:
                node, python, stop = await asyncio.gather(
                    in_node(base), in_python(client), cancelled(client, gateway.client)
                )
    return {name: {**python[name], **node[name]} for name in EVERY} | {"cancelled": {"loop": stop}}


async def in_python(client: AsyncOpenAI) -> dict[str, dict[str, Any]]:
    async def both(name: str) -> dict[str, Any]:
        return {"python": await loop(client, name), "python helper": await helper(client, name)}

    return dict(zip(EVERY, await asyncio.gather(*map(both, EVERY)), strict=True))


async def loop(client: AsyncOpenAI, name: str) -> dict[str, Any]:
    """The one of the documentation, unchanged."""
    text = ""
    try:
        async for chunk in await client.chat.completions.create(model=name, stream=True, **HELLO):
            text += chunk.choices[0].delta.content or ""
    except openai.APIError as error:
        return {"text": text, "error": raised(error)}
    return {"text": text}


async def helper(client: AsyncOpenAI, name: str) -> dict[str, Any]:
    try:
        async with client.chat.completions.stream(model=name, **HELLO) as answer:
            whole = await answer.get_final_completion()
    except openai.APIError as error:
        return {"text": "", "error": raised(error)}
    return {"text": whole.choices[0].message.content or ""}


def raised(error: openai.APIError) -> dict[str, Any]:
    status = error.status_code if isinstance(error, openai.APIStatusError) else None
    return {"message": error.message, "code": error.code, "status": status}


async def cancelled(client: AsyncOpenAI, other: httpx.AsyncClient) -> dict[str, Any]:
    """Somebody else stops it in the middle."""
    text = ""
    answer = await client.chat.completions.create(model="hangs", stream=True, **HELLO)
    try:
        async for chunk in answer:
            text += chunk.choices[0].delta.content or ""
            await other.post(f"/v1/runs/{answer.response.headers['midstream-run']}/cancel")
    except openai.APIError as error:
        return {"text": text, "error": raised(error)}
    return {"text": text}


async def in_node(base: str) -> dict[str, dict[str, Any]]:
    running = await asyncio.create_subprocess_exec(
        str(npm.node(HERE)), str(SCRIPT), base, *EVERY, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, trouble = await running.communicate()
    assert running.returncode == 0, trouble.decode()
    found: dict[str, dict[str, Any]] = json.loads(said)
    return found


@pytest.mark.parametrize("name", WELL)
def test_a_whole_answer_is_whole_to_every_client(name: str, met: dict[str, dict[str, Any]]) -> None:
    for client in CLIENTS:
        # The helper for Node refuses an answer whose upstream gives no role.
        if client != "helper" or name == "with_a_role":
            assert met[name][client] == {"text": WELL[name]}, client


@pytest.mark.parametrize("name", BADLY)
def test_an_answer_that_is_not_whole_is_an_error_to_every_client(name: str, met: dict[str, dict[str, Any]]) -> None:
    for client in CLIENTS:
        assert BADLY[name] in met[name][client]["error"]["message"], client
        assert met[name][client]["text"] in ("hi", ""), client
    assert met[name]["python"]["text"] == met[name]["loop"]["text"] == met[name]["sdk"]["text"] == "hi"


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_has_its_status_in_every_client(name: str, met: dict[str, dict[str, Any]]) -> None:
    status, words = REFUSED[name]
    for client in CLIENTS:
        error = met[name][client]["error"]
        assert (error["status"], words in error["message"]) == (status, True), client


def test_a_stop_is_an_error_too(met: dict[str, dict[str, Any]]) -> None:
    assert met["cancelled"]["loop"]["text"] == "hi"
    assert met["cancelled"]["loop"]["error"]["code"] == "cancelled"


@pytest.mark.parametrize("name", EVERY)
def test_an_event_source_gets_each_position_once_and_stops(name: str, met: dict[str, dict[str, Any]]) -> None:
    ids = met[name]["follow"]["ids"]
    assert ids == [f"1-{seq}" for seq in range(1, len(ids) + 1)]
    assert ids
