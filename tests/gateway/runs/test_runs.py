"""A run as clients see it, over real sockets (PROTOCOL.md sections 4 to 7)."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from midstream import sse
from midstream.errors import UpstreamBroken, UpstreamRefused
from midstream.gateway.config import Limits
from midstream.gateway.http.requests import OWNER
from midstream.gateway.runs.relay import Relays
from midstream.gateway.store.interface import LEASE, RunStore
from midstream.gateway.store.memory import MemoryRunStore
from midstream.gateway.store.sqlite import SQLiteRunStore
from midstream.problems import problem
from midstream.providers import openai
from tests.gateway.live import (
    FINISH,
    JSON,
    PlayedUpstream,
    chat,
    in_process,
    live,
    seqs,
    text_of,
    word_chunk,
)
from tests.gateway.support import created, eventually, write

NO = problem("upstream_refused", host="model.example", status=429)

pytestmark = pytest.mark.anyio

WORDS = [f"word{number} " for number in range(40)]


def scripted(*words: str) -> PlayedUpstream:
    upstream = PlayedUpstream()
    upstream.script(*(word_chunk(word) for word in words), FINISH, None)
    return upstream


# -- the stream


async def test_a_stream_carries_every_payload_verbatim_with_its_position() -> None:
    odd = '{"choices": [ {"delta":{"content":"a\\u00e9"}} ],  "extra": 1}'
    upstream = PlayedUpstream()
    upstream.script(odd, word_chunk("b"), FINISH, None)
    async with live(upstream=upstream) as gateway, gateway.following() as stream:
        messages = await stream.rest()
    assert [message.data for message in messages[:3]] == [odd, word_chunk("b"), FINISH]
    assert [message.id for message in messages] == ["1-1", "1-2", "1-3", "1-4", None]
    assert messages[-1].data == "[DONE]"
    terminal = json.loads(messages[-2].data)
    assert terminal["midstream"]["state"] == "completed"
    assert terminal["object"] == "chat.completion.chunk"
    assert terminal["choices"] == [{"index": 0, "delta": {}, "finish_reason": None}]
    assert "error" not in terminal


async def test_the_answers_headers_name_the_run() -> None:
    async with in_process(upstream=scripted("a")) as gateway:
        response = await gateway.post()
    run = response.headers["midstream-run"]
    assert response.headers["location"] == f"/v1/runs/{run}"
    assert int(response.headers["midstream-head"]) >= 0
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store, no-transform"
    assert len(run) * 4 == 128


async def test_the_body_reaches_the_upstream_byte_for_byte() -> None:
    body = b'{"messages" : [{"role":"user","content":"\\u00e9"}],\n "stream":true, "x":1.0}'
    async with in_process(upstream=scripted("a")) as gateway:
        await gateway.client.post("/v1/chat/completions", content=body, headers=JSON)
        assert gateway.upstream.requests == [body]


async def test_of_a_request_only_the_last_question_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    said = [
        {"role": "system", "content": "an instruction"},
        {"role": "user", "content": "an earlier question"},
        {"role": "assistant", "content": "an earlier answer"},
        {"role": "user", "content": "the last question"},
    ]
    async with in_process(upstream=scripted("a"), store=SQLiteRunStore(path)) as gateway:
        await gateway.post(messages=said)
    kept = path.read_bytes()
    assert b"the last question" in kept
    assert b"an instruction" not in kept
    assert b"earlier" not in kept


async def test_a_reader_resumed_at_every_position_has_the_same_text() -> None:
    async with in_process(upstream=scripted(*WORDS)) as gateway:
        whole = (await gateway.post()).headers["midstream-run"]
        async with gateway.following(whole) as stream:
            all_messages = await stream.rest()
        for position in range(len(WORDS) + 1):
            async with gateway.following(whole, position) as stream:
                rest = await stream.rest()
            assert _said(rest) == _said(all_messages[position:])
            assert text_of(all_messages[:position]) + text_of(rest) == "".join(WORDS)


async def test_events_are_seen_as_they_come_by_all_readers() -> None:
    async with live() as gateway, gateway.following() as poster:
        answer = gateway.upstream.answers[0]
        async with gateway.following(poster.run) as second, gateway.following(poster.run) as third:
            for word in ("one ", "two ", "three "):
                answer.say(word)
                for reader in (poster, second, third):
                    assert text_of(await reader.take(1)) == word
            answer.finish()
            assert len({str(await reader.rest()) for reader in (poster, second, third)}) == 1


async def test_the_run_goes_on_when_everybody_has_left() -> None:
    async with live() as gateway:
        async with gateway.following() as poster:
            answer = gateway.upstream.answers[0]
            answer.say("heard ")
            await poster.take(1)
        answer.say("alone ")
        answer.finish()
        await asyncio.wait_for(answer.closed.wait(), 5)
        async with gateway.following(poster.run, 1) as stream:
            assert text_of(await stream.rest()) == "alone "


async def test_last_event_id_wins_over_the_query() -> None:
    async with in_process(upstream=scripted(*WORDS)) as gateway:
        run = (await gateway.post()).headers["midstream-run"]
        response = await gateway.client.get(f"/v1/runs/{run}/events?after=3", headers={"Last-Event-ID": "1-30"})
    assert seqs(sse.Decoder().feed(response.content))[0] == 31


async def test_after_the_terminal_event_there_is_nothing_and_never_will_be() -> None:
    async with in_process(upstream=scripted("a")) as gateway:
        run = (await gateway.post()).headers["midstream-run"]
        head = (await gateway.snapshot(run))["head"]
        response = await gateway.client.get(f"/v1/runs/{run}/events?after={head}")
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize(
    ("cursor", "status"),
    [
        ("0", 200),
        ("1-2", 200),
        ("2", 200),
        ("4", 416),
        ("999999", 416),
        ("2-2", 416),
        ("0-2", 416),
        ("9-0", 200),
        ("-1", 400),
        ("1-", 400),
        ("x", 400),
        ("1-2-3", 400),
        ("1" * 40, 400),
        ("2 ", 400),
    ],
)
async def test_a_position_is_known_or_the_client_is_told(cursor: str, status: int) -> None:
    async with live(upstream=scripted("a", "b")) as gateway:
        gateway.upstream.answers[0] = type(gateway.upstream.answers[0])()
        async with gateway.following() as stream:
            gateway.upstream.answers[0].say("a", "b", "c")
            await stream.take(3)
            url = f"/v1/runs/{stream.run}/events"
            async with gateway.client.stream("GET", url, params={"after": cursor}) as response:
                assert response.status_code == status
                if status != 400:
                    assert response.headers["midstream-head"] == "3"
                if status in (400, 416):
                    assert json.loads(await response.aread())["error"]["message"]


@pytest.mark.parametrize(
    ("cursor", "status"),
    [
        *[(beginning, 200) for beginning in ("0", "0-0", "1-0", "9-0")],
        *[(known, 200) for known in ("1", "1-1", "1-2", "2")],
        *[(end, 204) for end in ("3", "2-3")],
        *[(foreign, 416) for foreign in ("0-1", "2-1", "2-2", "3-2", "1-3", "3-3", "1-4", "2-4")],
    ],
)
async def test_a_position_of_another_epoch_is_unknown(store: RunStore, cursor: str, status: int) -> None:
    """Two events of a writer that died, and the end by who took the run over."""
    run = await created(store, owner=OWNER, lease=time.time() - LEASE)
    await write(store, run, word_chunk("a"), word_chunk("b"))
    async with in_process(store=store) as gateway:
        await gateway.ended(run.id)
        url = f"/v1/runs/{run.id}/events"
        for asked in (
            gateway.client.get(f"{url}?after={cursor}"),
            gateway.client.get(f"{url}?after=0", headers={"Last-Event-ID": cursor}),
        ):
            response = await asked
            assert (response.status_code, response.headers["midstream-head"]) == (status, "3")
            if status == 200:
                after = int(cursor.split("-")[-1])
                assert seqs(sse.Decoder().feed(response.content)) == [1, 2, 3][after:]


async def test_the_first_block_says_how_soon_to_come_back_and_no_other() -> None:
    async with in_process(upstream=scripted("a", "b")) as gateway:
        content = (await gateway.post()).content
    assert content.startswith(b"retry: 1000\nid: 1-1\ndata: ")
    assert content.count(b"retry:") == 1


async def test_a_heartbeat_is_a_comment_with_one_line_end() -> None:
    """With a blank line after it, openai-python takes `id:` + comment for an event and raises."""
    async with live(limits={"heartbeat": 0.05}) as gateway, gateway.following() as stream:
        raw = b""
        answer = gateway.upstream.answers[0]
        answer.say("a")
        async for chunk in stream.response.aiter_raw():
            raw += chunk
            # After the event: on a busy machine some come before it.
            if raw.rpartition(b"\n\n")[2].count(b"heartbeat") == 3:
                answer.finish()
            if b"[DONE]" in raw:
                break
    assert b"\n\n: heartbeat\n: heartbeat\n: heartbeat\n" in raw
    assert b": heartbeat\n\n" not in raw
    for block in raw.removesuffix(b"\n\n").split(b"\n\n"):
        assert block.split(b"\n")[-1].startswith(b"data: ")


async def test_payloads_cannot_forge_fields_of_the_stream() -> None:
    forged = '{"choices":[]\n\n\n,\r\n"id": 999\r,\n"event": 1,\n\n"data": 2}'
    upstream = PlayedUpstream()
    upstream.script(forged, word_chunk("a"), FINISH, None)
    async with (
        live(upstream=upstream, limits={"first_word": 0.0}) as gateway,
        gateway.following(stream_options={"include_usage": True}) as stream,
    ):
        messages = await stream.rest()
    assert seqs(messages) == [1, 2, 3, 4]
    assert messages[0].data.replace("\n", "") == forged.replace("\r", "").replace("\n", "")


# -- how a run ends


@pytest.mark.parametrize(
    ("items", "state", "code"),
    [
        ([word_chunk("a"), FINISH, None], "completed", None),
        ([word_chunk("a"), openai.chunk("u", "m", finish="length"), None], "completed", None),
        ([word_chunk("a"), None], "interrupted", "cut"),
        ([word_chunk("a"), openai.chunk("u", "m", finish="abort"), None], "interrupted", "cut"),
        ([None], "failed", "cut"),
        ([word_chunk("a"), '{"error":{"message":"boom","code":7}}', None], "failed", "7"),
        ([word_chunk("a"), '{"error":"boom"}', None], "failed", "error"),
        ([word_chunk("a"), "not json", None], "failed", "bad_payload"),
        ([UpstreamRefused(NO, code="upstream_unreachable")], "failed", "upstream_unreachable"),
        ([word_chunk("a"), UpstreamBroken(NO)], "interrupted", "upstream_broken"),
        ([UpstreamBroken(NO)], "failed", "upstream_broken"),
        ([word_chunk("a"), FINISH, UpstreamBroken(NO)], "completed", None),
        ([word_chunk("a"), FINISH, "bye", None], "completed", None),
        ([word_chunk("a"), FINISH, '{"error":"late"}', None], "completed", None),
        (
            [word_chunk("a"), "not json", word_chunk(""), "", "null", '{"type":"ping"}', FINISH, None],
            "failed",
            "bad_payload",
        ),
        ([word_chunk("a"), RuntimeError("our mistake")], "failed", "internal"),
    ],
)
async def test_every_run_ends_with_a_terminal_event_that_says_how(
    items: list[str | Exception | None], state: str, code: str | None
) -> None:
    upstream = PlayedUpstream()
    answer = upstream.script(*items)
    async with in_process(upstream=upstream) as gateway:
        response = await gateway.post()
        run = response.headers["midstream-run"]
        async with gateway.following(run) as stream:
            messages = await stream.rest()
        assert answer.closed.is_set()
        found = await gateway.snapshot(run)
    terminal = json.loads(messages[-2].data)
    assert terminal["midstream"]["state"] == found["state"] == state
    assert terminal["midstream"].get("code") == code
    assert messages[-1].data == "[DONE]"
    assert ("error" in terminal) == (state != "completed")
    assert found["text"] == ("a" if items[0] == word_chunk("a") else "")
    if state != "completed":
        assert terminal["midstream"]["message"]
        assert found["error"]["message"]


async def test_usage_may_come_after_the_finish() -> None:
    upstream = PlayedUpstream()
    usage = openai.chunk("u", "m", usage=(3, 5))
    upstream.script(word_chunk("a"), FINISH, usage, None)
    async with in_process(upstream=upstream) as gateway:
        found = await gateway.ended((await gateway.post()).headers["midstream-run"])
    assert found["usage"] == {"prompt_tokens": 3, "completion_tokens": 5}
    assert (found["tokens"], found["finish_reason"], found["state"]) == (5, "stop", "completed")


async def test_an_upstream_that_refuses_at_once_is_an_http_error() -> None:
    upstream = PlayedUpstream()
    upstream.script(UpstreamRefused(NO, status=429, retry_after="7"))
    async with in_process(upstream=upstream) as gateway:
        response = await gateway.post(key="k")
        assert (response.status_code, response.headers["retry-after"]) == (429, "7")
        assert response.json()["error"]["message"] == NO.message
        assert response.headers["midstream-run"]
        upstream.script(word_chunk("a"), FINISH, None)
        again = await gateway.post(key="k")
        assert again.status_code == 200
        assert again.headers["midstream-run"] != response.headers["midstream-run"]


async def test_an_upstream_that_refuses_late_is_a_terminal_event() -> None:
    async with live(limits={"first_word": 0.02}) as gateway, gateway.following() as stream:
        gateway.upstream.answers[0].end(UpstreamRefused(NO, status=503))
        messages = await stream.rest()
    assert json.loads(messages[0].data)["error"]["message"] == NO.message


# -- stopping


async def test_cancel_closes_the_upstream_and_keeps_the_text() -> None:
    async with live() as gateway, gateway.following() as stream:
        answer = gateway.upstream.answers[0]
        answer.say("a ", "b ")
        await stream.take(2)
        response = await gateway.client.post(f"/v1/runs/{stream.run}/cancel")
        assert answer.closed.is_set()
        found = response.json()
        assert (found["state"], found["text"]) == ("cancelled", "a b ")
        assert json.loads((await stream.rest())[0].data)["midstream"]["state"] == "cancelled"
        again = await gateway.client.post(f"/v1/runs/{stream.run}/cancel")
        assert again.json() == found


async def test_cancel_before_the_first_word() -> None:
    async with live(limits={"first_word": 0.01}) as gateway, gateway.following() as stream:
        response = await gateway.client.post(f"/v1/runs/{stream.run}/cancel")
        assert response.json()["state"] == "cancelled"
        assert gateway.upstream.answers[0].closed.is_set()
        assert [message.data for message in await stream.rest()][-1] == "[DONE]"


async def test_cancel_after_the_end_changes_nothing() -> None:
    async with in_process(upstream=scripted("a")) as gateway:
        run = (await gateway.post()).headers["midstream-run"]
        response = await gateway.client.post(f"/v1/runs/{run}/cancel")
    assert response.json()["state"] == "completed"


async def test_cancel_before_the_upstream_is_asked(store: RunStore) -> None:
    """Another worker has cancelled it between its creation and its relay's start."""
    run = await created(store)
    await store.cancel(run.id)
    upstream = PlayedUpstream()
    relays = Relays(upstream, store, Limits())
    relays.start(run, b"{}")

    async def ended() -> bool:
        found = await store.get(run.id)
        return found is not None and found.state == "cancelled"

    await eventually(ended, "end")
    await relays.stop()
    assert all(answer.closed.is_set() for answer in upstream.answers)


async def test_cancel_from_many_sides_at_once_is_one_end() -> None:
    async with live() as gateway, gateway.following() as stream:
        gateway.upstream.answers[0].say("a")
        await stream.take(1)
        cancel = f"/v1/runs/{stream.run}/cancel"
        answers = await asyncio.gather(*(gateway.client.post(cancel) for _ in range(10)))
        assert {answer.json()["state"] for answer in answers} == {"cancelled"}
        assert [message.id for message in await stream.rest()] == ["1-2", None]


@pytest.mark.parametrize("way", ["again", "list"])
async def test_who_never_got_the_runs_id_can_still_stop_it(way: str) -> None:
    """The prompt was sent, the answer's headers were lost, and then somebody presses Stop."""
    async with live(limits={"first_word": 5.0}) as gateway:
        request = gateway.client.build_request("POST", "/v1/chat/completions", **chat(key="q.a.0", conversation="c"))
        _, writer = await asyncio.open_connection(request.url.host, request.url.port)
        headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        head = f"POST {request.url.path} HTTP/1.1\r\n{headers}\r\n".encode()
        writer.write(head + request.content)

        async def asked() -> bool:
            return bool(gateway.upstream.requests)

        await eventually(asked, "request upstream")
        writer.close()  # before a byte of the answer has come

        if way == "again":
            gateway.upstream.answers[0].say("a")
            async with gateway.following(key="q.a.0", conversation="c") as stream:
                run = stream.run
        else:
            (entry,) = (await gateway.client.get("/v1/conversations/c")).json()["runs"]
            assert (entry["key"], entry["state"]) == ("q.a.0", "live")
            run = entry["id"]
        stopped = await gateway.client.post(f"/v1/runs/{run}/cancel")
        assert stopped.json()["state"] == "cancelled"
        assert gateway.upstream.answers[0].closed.is_set()
        assert len(gateway.upstream.requests) == 1


async def test_delete_ends_and_forgets() -> None:
    async with live() as gateway, gateway.following(conversation="c") as stream:
        gateway.upstream.answers[0].say("secret")
        await stream.take(1)
        assert (await gateway.client.delete(f"/v1/runs/{stream.run}")).status_code == 204
        assert gateway.upstream.answers[0].closed.is_set()
        for path in ("", "/events"):
            response = await gateway.client.get(f"/v1/runs/{stream.run}{path}")
            assert response.status_code == 410
            assert "secret" not in response.text
        assert (await gateway.client.get("/v1/conversations/c")).status_code == 404


@pytest.mark.full_run(reason="waits for the limit")
@pytest.mark.parametrize(("limit", "code"), [("unattended", "unattended"), ("total", "too_long")])
async def test_a_run_over_its_limits_expires(limit: str, code: str) -> None:
    upstream = PlayedUpstream()
    upstream.script(word_chunk("a"))  # ready at once: on a busy machine the limit comes soon
    async with live(upstream=upstream, limits={limit: 0.3, "first_word": 0.01}) as gateway:
        async with gateway.following() as stream:
            await stream.take(1)
        await asyncio.wait_for(gateway.upstream.answers[0].closed.wait(), 10)
        found = await gateway.ended(stream.run)
    assert (found["state"], found["text"]) == ("expired", "a")


async def test_a_run_that_is_read_is_attended() -> None:
    store = MemoryRunStore()
    async with (
        live(store=store, limits={"first_word": 0.01}) as gateway,
        gateway.following() as stream,
    ):
        run = await store.get(stream.run)
        assert run is not None
        assert time.time() - run.attended < 5


async def test_an_answer_over_the_size_limit_fails_with_what_it_had() -> None:
    async with live(limits={"log": 1000, "first_word": 0.01}) as gateway:
        async with gateway.following() as stream:
            gateway.upstream.answers[0].say(*["x" * 100] * 20)
            messages = await stream.rest()
        found = await gateway.snapshot(stream.run)
    assert (found["state"], found["error"]["code"]) == ("failed", "too_large")
    assert text_of(messages) == found["text"] != ""


# -- one run for one prompt


async def test_a_hundred_posts_with_one_key_are_one_upstream_call() -> None:
    async with live() as gateway:
        posts = [asyncio.create_task(gateway.post(key="k")) for _ in range(100)]

        async def begun() -> bool:
            return bool(gateway.upstream.answers)

        await eventually(begun, "upstream call")
        gateway.upstream.answers[0].say(*WORDS)
        gateway.upstream.answers[0].finish()
        responses = await asyncio.gather(*posts)
        assert len(gateway.upstream.requests) == 1
    assert len({response.headers["midstream-run"] for response in responses}) == 1
    assert {text_of(sse.Decoder().feed(response.content)) for response in responses} == {"".join(WORDS)}


async def test_a_key_with_another_body_is_refused() -> None:
    async with in_process(upstream=scripted("a")) as gateway:
        await gateway.post(key="k")
        response = await gateway.post(key="k", text="something else")
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "key_reused"


async def test_a_conversation_answers_one_at_a_time() -> None:
    async with live() as gateway, gateway.following(conversation="c") as stream:
        response = await gateway.post(conversation="c", text="another")
        assert response.status_code == 409
        assert response.headers["location"] == f"/v1/runs/{stream.run}"
        assert response.headers["midstream-run"] == stream.run
        gateway.upstream.answers[0].finish()
        await stream.rest()
        gateway.upstream.script(word_chunk("a"), FINISH, None)
        assert (await gateway.post(conversation="c", text="another")).status_code == 200


async def test_too_many_runs_are_told_to_wait() -> None:
    async with live(limits={"live_runs": 1}) as gateway, gateway.following():
        response = await gateway.post()
        assert response.status_code == 429
        assert int(response.headers["retry-after"]) > 0


# -- requests


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", JSON, 400),
        (b"[]", JSON, 400),
        (b"{}", JSON, 400),
        (b'{"messages":"x"}', JSON, 400),
        (b"[" * 200_000, JSON, 400),
        (b'{"messages":[]}', {"Content-Type": "text/plain"}, 415),
        (b'{"messages":[]}', {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b'{"messages":[]}', {**JSON, "Idempotency-Key": "k" * 129}, 400),
        (b'{"messages":[]}', {**JSON, "Idempotency-Key": "a b"}, 400),
        (b'{"messages":[]}', {**JSON, "Midstream-Conversation": ""}, 400),
        (b'{"messages":[]}', {**JSON, "Midstream-Conversation": "a/b"}, 400),
        (b'{"messages":["' + b"x" * 3000 + b'"]}', JSON, 413),
    ],
)
async def test_requests_that_make_no_sense(content: bytes, headers: dict[str, str], status: int) -> None:
    limit = 2000 if status == 413 else 1_000_000
    async with in_process(limits={"body": limit}) as gateway:
        response = await gateway.client.post("/v1/chat/completions", content=content, headers=headers)
        assert response.status_code == status
        assert response.json()["error"]["message"]
        assert gateway.upstream.requests == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/runs/" + "0" * 32, 404),
        ("GET", "/v1/runs/" + "0" * 32 + "/events", 404),
        ("POST", "/v1/runs/" + "0" * 32 + "/cancel", 404),
        ("DELETE", "/v1/runs/" + "0" * 32, 404),
        ("GET", "/v1/runs/..%2f..%2fetc", 404),
        ("GET", "/v1/runs/" + "0" * 31 + "%0a/events", 404),
        ("GET", "/v1/conversations/none", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/", 404),
        ("GET", "/v1/models/", 404),
        ("GET", "/v1/chat/completions", 405),
        ("DELETE", "/v1/models", 405),
        ("GET", "/", 404),
    ],
)
async def test_addresses_that_are_not_there(method: str, path: str, status: int) -> None:
    async with in_process() as gateway:
        response = await gateway.client.request(method, path)
    assert response.status_code == status
    assert response.json()["error"]["message"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"


async def test_somebody_elses_run_looks_like_none(store: RunStore) -> None:
    run = await created(store, owner="somebody else", conversation="c")
    await write(store, run, "secret", end="completed")
    async with in_process(store=store) as gateway:
        for method, path in [("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("DELETE", "")]:
            mine = await gateway.client.request(method, f"/v1/runs/{run.id}{path}")
            none = await gateway.client.request(method, f"/v1/runs/{'0' * 32}{path}")
            assert (mine.status_code, mine.content) == (404, none.content)
        assert (await gateway.client.get("/v1/conversations/c")).status_code == 404
        assert (await gateway.client.get("/v1/conversations")).json()["data"] == []


# -- without a stream


async def test_a_request_without_a_stream_gets_the_upstreams_answer() -> None:
    whole = json.dumps(openai.completion("u", "m", "hi", finish="stop", usage=(1, 2)))
    upstream = PlayedUpstream()
    upstream.script(whole, None)
    async with in_process(upstream=upstream) as gateway:
        response = await gateway.post(stream=False, key="k")
        assert (response.status_code, response.text) == (200, whole)
        again = await gateway.post(stream=False, key="k")
        assert again.text == whole
        assert len(upstream.requests) == 1
        found = await gateway.snapshot(response.headers["midstream-run"])
    assert (found["text"], found["state"]) == ("hi", "completed")


async def test_without_a_stream_too_a_failure_is_an_http_error() -> None:
    upstream = PlayedUpstream()
    upstream.script(UpstreamBroken(NO, code="upstream_silent"))
    async with in_process(upstream=upstream) as gateway:
        response = await gateway.post(stream=False)
    assert response.status_code == 504
    assert response.json()["error"]["message"] == NO.message


# -- conversations


async def test_another_device_finds_the_conversation_and_its_running_answer() -> None:
    async with live() as gateway:
        gateway.upstream.script(word_chunk("one"), FINISH, None)
        first = (await gateway.post(conversation="c", text="What is one?")).headers["midstream-run"]
        async with gateway.following(conversation="c", text="And two?", key="k2") as stream:
            gateway.upstream.answers[1].say("t", "w")
            await stream.take(2)
            listed = (await gateway.client.get("/v1/conversations")).json()["data"]
            assert [(item["id"], item["title"], item["active"]) for item in listed] == [
                ("c", "What is one?", stream.run)
            ]
            whole = (await gateway.client.get("/v1/conversations/c")).json()
            assert [(run["id"], run["prompt"]) for run in whole["runs"]] == [
                (first, "What is one?"),
                (stream.run, "And two?"),
            ]
            active = (await gateway.client.get("/v1/conversations/c/active")).json()
            assert (active["id"], active["text"], active["seq"]) == (stream.run, "tw", 2)
            await gateway.client.post(f"/v1/runs/{active['id']}/cancel")
        assert (await gateway.client.get("/v1/conversations/c/active")).status_code == 204


async def test_models_are_passed_through() -> None:
    async with in_process() as gateway:
        assert (await gateway.client.get("/v1/models")).json()["data"][0]["id"] == "played"


async def test_half_a_surrogate_pair_is_no_trouble(store: RunStore) -> None:
    """Some servers cut an emoji into two pieces; JSON can say that, UTF-8 cannot."""
    upstream = PlayedUpstream()
    halves = [
        '{"choices":[{"delta":{"content":"\\ud83d"}}]}',
        '{"choices":[{"delta":{"content":"\\ude80"}}]}',
    ]
    upstream.script(*halves, '{"error":{"message":"half \\ud83d"}}')
    async with in_process(store=store, upstream=upstream) as gateway:
        body = b'{"stream":true,"model":"\\udfff","messages":[{"role":"user","content":"\\ud800"}]}'
        headers = {**JSON, "Midstream-Conversation": "c"}
        response = await gateway.client.post("/v1/chat/completions", content=body, headers=headers)
        found = await gateway.snapshot(response.headers["midstream-run"])
        assert (found["text"], found["state"], found["prompt"]) == ("🚀", "failed", "\ufffd")
        assert (await gateway.client.get("/v1/conversations")).json()["data"][0]["id"] == "c"


# -- writers that die


async def test_the_sweeper_ends_a_run_whose_writer_died(store: RunStore) -> None:
    run = await created(store, owner=OWNER, lease=time.time() - LEASE)
    await write(store, run, word_chunk("kept"))
    async with in_process(store=store) as gateway:
        found = await gateway.ended(run.id)
        assert (found["state"], found["epoch"], found["text"]) == ("interrupted", 2, "kept")
        async with gateway.following(run.id, "1-1") as stream:
            assert [message.id for message in await stream.rest()] == ["2-2", None]


async def test_a_reader_ahead_of_a_log_that_lost_its_end_is_told(store: RunStore) -> None:
    """A power cut took the last commits; the client has seen more than the log still has."""
    run = await created(store, owner=OWNER, lease=time.time() - LEASE)
    await write(store, run, word_chunk("a"), word_chunk("b"))
    async with in_process(store=store) as gateway:
        await gateway.ended(run.id)
        for cursor in ("1-3", "1-9"):
            response = await gateway.client.get(f"/v1/runs/{run.id}/events?after={cursor}")
            assert (response.status_code, response.headers["midstream-head"]) == (416, "3")


async def test_stopping_the_server_interrupts_its_runs_and_lets_readers_go() -> None:
    store = MemoryRunStore()
    async with live(store=store) as gateway, gateway.following() as stream:
        answer = gateway.upstream.answers[0]
        answer.say("a")
        await stream.take(1)
        await gateway.stop()
        # The stream just ends: without a terminal event the client knows that it has to come back.
        assert await stream.rest() == []
        assert answer.closed.is_set()
    run = await store.get(stream.run)
    assert run is not None
    assert (run.state, run.head) == ("interrupted", 2)


def _said(messages: list[sse.Message]) -> list[tuple[str | None, str]]:
    return [(message.id, message.data) for message in messages]


# -- pages of a long conversation


async def test_a_conversation_is_read_in_pages(store: RunStore) -> None:
    async with in_process(store=store) as gateway:
        made = [
            await created(store, owner=OWNER, conversation="c", created=10.0 + n, state="completed") for n in range(5)
        ]

        async def page(query: str) -> tuple[list[int], bool]:
            body = (await gateway.client.get(f"/v1/conversations/c{query}")).json()
            ids = [run.id for run in made]
            return [ids.index(run["id"]) for run in body["runs"]], body["has_more"]

        assert await page("") == ([0, 1, 2, 3, 4], False)
        assert await page("?limit=2") == ([0, 1], True)
        assert await page(f"?limit=2&after={made[1].id}") == ([2, 3], True)
        assert await page(f"?limit=2&after={made[3].id}") == ([4], False)
        assert await page(f"?limit=1&after={made[4].id}") == ([], False)
        assert await page(f"?after={made[2].id}") == ([3, 4], False)
        for query in ("?limit=0", "?limit=-1", "?limit=x", "?limit=", f"?after={'0' * 32}", "?after="):
            assert (await gateway.client.get(f"/v1/conversations/c{query}")).status_code == 400
