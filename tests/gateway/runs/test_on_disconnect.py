"""What becomes of a run when the connection that began it closes: Midstream-On-Disconnect, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from typing import Any

import httpx
import pytest

from midstream.gateway.store.interface import RunStore
from tests.gateway.live import Gateway, PlayedUpstream, chat, live, text_of
from tests.gateway.support import PATIENCE, eventually

pytestmark = pytest.mark.anyio

CANCEL = {"Midstream-On-Disconnect": "cancel"}
CONTINUE = {"Midstream-On-Disconnect": "continue"}


async def begin(gateway: Gateway, *, reset: bool = False, **options: Any) -> None:
    """A request whose client goes away while the upstream is answering it."""
    number = len(gateway.upstream.requests)
    asked = chat(**options)
    port = gateway.client.base_url.port
    head = {**asked["headers"], "Host": f"127.0.0.1:{port}", "Content-Length": len(asked["content"])}
    lines = ["POST /v1/chat/completions HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(("\r\n".join(lines) + asked["content"]).encode())

    async def opened() -> bool:
        return len(gateway.upstream.answers) > number and gateway.upstream.answers[number].opened.is_set()

    await eventually(opened, "request at the upstream")
    if options.get("stream", True):
        gateway.upstream.answers[number].say("some ", "words ")
        await asyncio.wait_for(reader.readuntil(b'"words "'), PATIENCE)
    if reset:
        ours = writer.get_extra_info("socket")
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def state(gateway: Gateway, conversation: str = "c") -> str:
    found = (await gateway.client.get(f"/v1/conversations/{conversation}")).json()
    return str(found["runs"][-1]["state"])


async def upstream_closed(gateway: Gateway, number: int = 0) -> None:
    await asyncio.wait_for(gateway.upstream.answers[number].closed.wait(), PATIENCE)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_told_to_cancel_a_run_ends_with_its_connection(store: RunStore, stream: bool, reset: bool) -> None:
    async with live(store=store) as gateway:
        await begin(gateway, conversation="c", headers=CANCEL, stream=stream, reset=reset)
        await upstream_closed(gateway)

        async def cancelled() -> bool:
            return await state(gateway) == "cancelled"

        await eventually(cancelled, "end of the run")


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize(
    ("default", "headers"),
    [
        ("continue", {}),
        ("cancel", {"Midstream-Conversation": "c"}),
        ("cancel", CONTINUE),
        ("cancel", {"Idempotency-Key": "k"}),
    ],
)
async def test_otherwise_it_goes_on_and_can_be_read_later(
    store: RunStore, stream: bool, default: str, headers: dict[str, str]
) -> None:
    async with live(store=store, on_disconnect=default) as gateway:
        await begin(gateway, headers=headers, stream=stream)
        # The gateway has seen the end of that connection: another of the same kind is open and whole.
        async with gateway.following(headers=CONTINUE) as other:
            gateway.upstream.answers[1].finish()
            await other.rest()
        answer = gateway.upstream.answers[0]
        assert not answer.closed.is_set()
        answer.say("and more")
        answer.finish()
        await upstream_closed(gateway)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
async def test_a_client_that_gives_up_three_times_pays_for_one_at_a_time(store: RunStore, stream: bool) -> None:
    """As OpenAI's clients do: a timeout, and the same request again, without any header of ours."""
    async with live(store=store, on_disconnect="cancel") as gateway:
        for number in range(3):
            await begin(gateway, stream=stream)
            await upstream_closed(gateway, number)
        still_open = [answer for answer in gateway.upstream.answers if not answer.closed.is_set()]
        assert still_open == []


async def test_a_retry_under_the_same_key_does_not_take_over_the_end(store: RunStore) -> None:
    """Only the connection that began the run decides: a second reader may come and go."""
    async with live(store=store) as gateway, gateway.following(key="k", headers=CONTINUE) as first:
        gateway.upstream.answers[0].say("one ")
        await first.take(1)
        async with gateway.following(key="k", headers=CANCEL) as second:
            await second.take(1)
        gateway.upstream.answers[0].say("two")
        gateway.upstream.answers[0].finish()
        assert text_of(await first.rest()) == "two"


async def test_a_run_that_has_been_told_whole_stays_completed(store: RunStore) -> None:
    upstream = PlayedUpstream()
    async with live(store=store, upstream=upstream) as gateway:
        async with gateway.following(conversation="c", headers=CANCEL) as stream:
            upstream.answers[0].say("all")
            upstream.answers[0].finish()
            assert json.loads((await stream.rest())[-2].data)["midstream"]["state"] == "completed"
        assert await state(gateway) == "completed"


async def test_a_client_that_leaves_at_once_has_its_run_cancelled(store: RunStore) -> None:
    """Before the first event, while the gateway still waits for an early refusal."""
    async with live(store=store, limits={"first_word": PATIENCE}) as gateway:
        with pytest.raises(httpx.ReadTimeout):
            await gateway.client.post("/v1/chat/completions", **chat(conversation="c", headers=CANCEL), timeout=0.2)
        await upstream_closed(gateway)


@pytest.mark.parametrize("value", ["", "stop", "Cancel", "cancel, continue"])
async def test_another_value_is_refused(value: str) -> None:
    async with live() as gateway:
        response = await gateway.post(headers={"Midstream-On-Disconnect": value})
        assert response.status_code == 400
        assert "cancel or continue" in response.json()["error"]["message"]
        assert gateway.upstream.requests == []
