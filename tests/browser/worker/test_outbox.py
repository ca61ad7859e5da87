"""The outbox of the real service worker: what was written reaches the gateway exactly once and in order."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.screen_support import Site
from tests.browser.worker.worker_support import ROWS, Client, installed
from tests.support.processes import Serve, free_port, replay, serve
from tests.support.servers.scripted import Call, Scripted

TAG = "midstream-outbox"
# Long enough that no second try by itself comes in a test.
BUSY = {"Retry-After": "600", "Content-Type": "application/json"}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@pytest.fixture(scope="module")
def profile(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    with installed(browser, site) as context:
        yield context


@pytest.fixture
def gateway() -> Iterator[Scripted]:
    """Answers when the test says so."""
    with Scripted(held=True) as server:
        yield server


@pytest.fixture
def client(profile: BrowserContext, site: Site, gateway: Scripted) -> Iterator[Client]:
    client = Client(profile, site.url)
    yield client
    client.forget_all()
    gateway.cut()
    client.until(f"async () => !(await ({ROWS})()).outbox.length")
    for page in profile.pages:
        page.close()


def entry(url: str, kind: str = "prompt", conversation: str = "c1", **parts: Any) -> dict[str, Any]:
    headers = {"content-type": "application/json", "midstream-conversation": conversation}
    body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]})
    common = {"kind": kind, "conversation": conversation, "method": "POST", "url": url}
    return common | {"headers": headers, "body": body} | parts


def put(client: Client, url: str, key: str, kind: str = "prompt", conversation: str = "c1") -> None:
    value = entry(url, kind, conversation)
    value["headers"]["idempotency-key"] = key
    assert client.ask("PUT", f"outbox/{key}", value).status == 201


def entries(client: Client) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in client.ask("GET", "outbox/").json()}


def until(client: Client, key: str, state: str, attempts: int = 0) -> dict[str, Any]:
    """The entry once it is in this state after at least so many tries."""
    found: dict[str, Any] = client.until(
        f"""async () => (await (await fetch('{client.url}outbox/')).json())
              .find((row) => row.key === '{key}' && row.state === '{state}' && row.attempts >= {attempts})"""
    )
    return found


def accept(call: Call, run: str = "r1") -> None:
    call.answer(200, {"Midstream-Run": run, "Content-Type": "text/event-stream"})


def refuse(call: Call, status: int, message: str = "no", **headers: str) -> None:
    body = json.dumps({"error": {"message": message}}).encode()
    call.answer(status, BUSY | headers).send(body).end()


def block(client: Client, gateway: Scripted, key: str, conversation: str = "c1") -> None:
    """An entry at the head of its conversation that waits for long."""
    put(client, gateway.url, key, conversation=conversation)
    refuse(gateway.call(1), 503)
    until(client, key, "queued", attempts=1)


def test_it_is_sent_and_its_run_is_kept(client: Client, gateway: Scripted) -> None:
    put(client, gateway.url, "m1")
    call = gateway.call(1)
    assert until(client, "m1", "sending")["attempts"] == 1
    assert call.headers["idempotency-key"] == "m1"
    assert json.loads(call.body)["messages"][0]["content"] == "hi"
    accept(call)
    call.send(b"data: something\n\n")
    assert until(client, "m1", "sent")["run"] == "r1"
    call.until_left()  # nobody reads it here, and the gateway goes on by itself
    row = client.rows()["outbox"][0]
    assert (row["body"], row["headers"]) == (None, {})
    assert client.ask("DELETE", "outbox/m1").json() == {"state": "sent", "run": "r1"}
    assert client.ask("DELETE", "outbox/m1").json() == {"state": "none", "run": None}


@pytest.fixture
def real_gateway(answer_file: Path, tmp_path: Path) -> Iterator[tuple[Serve, Any]]:
    (tmp_path / "index.html").touch()
    store = f"sqlite:{tmp_path / 'runs.sqlite'}"
    with (
        replay(answer_file, rate=0, chunk=6) as upstream,
        serve("--upstream", upstream.url, "--store", store, "--dist", str(tmp_path)) as running,
    ):
        yield running, upstream


def forward(call: Call, gateway: Serve) -> dict[str, str]:
    """Hands the request to the real gateway; gives the headers of its answer."""
    names = ("content-type", "idempotency-key", "midstream-conversation")
    headers = {name: call.headers[name] for name in names}
    request = urllib.request.Request(f"{gateway.url}v1/chat/completions", call.body, headers)
    with urllib.request.urlopen(request) as response:
        return {"Midstream-Run": response.headers["Midstream-Run"]}


def test_killed_between_send_and_store_makes_one_run(
    client: Client, gateway: Scripted, real_gateway: tuple[Serve, Any]
) -> None:
    real, upstream = real_gateway
    put(client, gateway.url, "m1")
    first = forward(gateway.call(1), real)  # it has the prompt, and its answer never arrives
    client.stop_worker()
    gateway.call(1).until_left()
    assert client.ask("GET", "spool/").status == 204  # a page speaks to the worker: it starts again
    second = forward(gateway.call(2), real)
    gateway.call(2).answer(200, second)
    assert first == second
    assert until(client, "m1", "sent")["run"] == first["Midstream-Run"]
    assert len(upstream.events("open")) == 1


def test_two_tabs_at_once_send_once(client: Client, profile: BrowserContext, gateway: Scripted) -> None:
    other = Client(profile, client.url)
    put(client, gateway.url, "m1")
    put(other, gateway.url, "m1")
    for tab in (client, other, client):
        assert tab.ask("POST", "outbox/replay").status == 202
    accept(gateway.call(1))
    until(other, "m1", "sent")
    client.ask("POST", "outbox/replay")
    put(client, gateway.url, "m2")
    assert gateway.call(2).headers["idempotency-key"] == "m2"  # and m1 was not sent again
    accept(gateway.call(2))
    until(client, "m2", "sent")


def test_a_refusal_is_shown_and_holds_nobody_up(client: Client, gateway: Scripted) -> None:
    put(client, gateway.url, "m1")
    put(client, gateway.url, "m2")
    refuse(gateway.call(1), 422, "This key belongs to another request.")
    failed = until(client, "m1", "failed")
    assert (failed["status"], failed["message"]) == (422, "This key belongs to another request.")
    accept(gateway.call(2))
    until(client, "m2", "sent")
    assert client.ask("DELETE", "outbox/m1").json()["state"] == "failed"


@pytest.mark.parametrize("status", [503, 429, 425, 409])
def test_what_may_work_later_is_tried_later(client: Client, gateway: Scripted, status: int) -> None:
    put(client, gateway.url, "m1")
    refuse(gateway.call(1), status, "not now")
    waiting = until(client, "m1", "queued", attempts=1)
    assert (waiting["status"], waiting["message"]) == (status, "not now")
    client.ask("POST", "spool/ping")  # no reason to try before the gateway wants it
    put(client, gateway.url, "other", conversation="c2")
    assert gateway.call(2).headers["idempotency-key"] == "other"
    accept(gateway.call(2))
    until(client, "other", "sent")
    client.ask("POST", "outbox/replay")
    assert gateway.call(3).headers["idempotency-key"] == "m1"
    accept(gateway.call(3))
    assert until(client, "m1", "sent")["attempts"] == 2


def test_nobody_there_then_the_browser_finds_a_network(client: Client) -> None:
    port = free_port()
    put(client, f"http://127.0.0.1:{port}/", "m1")
    assert until(client, "m1", "queued", attempts=1)["status"] == 0
    with Scripted(held=True, port=port) as back:
        client.sync(TAG)
        accept(back.call(1))
        until(client, "m1", "sent")


def test_a_worker_that_starts_tries_again(client: Client, gateway: Scripted) -> None:
    block(client, gateway, "m1")
    client.stop_worker()
    client.reload()
    client.ask("GET", "spool/")
    accept(gateway.call(2))
    until(client, "m1", "sent")


def test_the_order_of_a_conversation_is_kept(client: Client, gateway: Scripted) -> None:
    block(client, gateway, "m1")
    for key in ("m2", "m3"):
        put(client, gateway.url, key)
    put(client, gateway.url, "other", conversation="c2")
    sent = []
    for number in (2, 3, 4, 5):
        call = gateway.call(number)
        sent.append(call.headers["idempotency-key"])
        accept(call)
        until(client, sent[-1], "sent")
        if number == 2:
            client.ask("POST", "outbox/replay")
    assert sent == ["other", "m1", "m2", "m3"]


def test_a_stop_beats_a_resume_that_waits(client: Client, gateway: Scripted) -> None:
    block(client, gateway, "m1")
    put(client, gateway.url, "m2", "resume")
    put(client, gateway.url, "m3", "resume", "c2")
    gateway.call(2)  # of another conversation: on its way, and not concerned
    put(client, gateway.url, "m4", "stop")
    assert set(entries(client)) == {"m1", "m3", "m4"}
    accept(gateway.call(2))
    until(client, "m3", "sent")


def test_what_is_taken_back_is_never_sent(client: Client, gateway: Scripted) -> None:
    block(client, gateway, "m1")
    put(client, gateway.url, "m2")
    assert client.ask("DELETE", "outbox/m1").json() == {"state": "queued", "run": None}
    client.ask("POST", "outbox/replay")
    assert gateway.call(2).headers["idempotency-key"] == "m2"
    accept(gateway.call(2))
    until(client, "m2", "sent")


def test_what_is_on_its_way_goes_when_that_has_ended(client: Client, gateway: Scripted) -> None:
    put(client, gateway.url, "m1")
    call = gateway.call(1)
    assert client.ask("DELETE", "outbox/m1").json() == {"state": "sending", "run": None}
    assert entries(client) == {}
    refuse(call, 503)
    client.until(f"async () => !(await ({ROWS})()).outbox.length")
    client.ask("POST", "outbox/replay")
    put(client, gateway.url, "m2")
    assert gateway.call(2).headers["idempotency-key"] == "m2"


def test_the_same_key_again_changes_nothing(client: Client, gateway: Scripted) -> None:
    block(client, gateway, "m1")
    changed = entry(gateway.url, conversation="c9", body="other words")
    assert client.ask("PUT", "outbox/m1", changed).status == 201
    assert entries(client)["m1"]["conversation"] == "c1"


@pytest.mark.parametrize("name", ["Authorization", "x-api-key", "Cookie", "api-key"])
def test_no_header_that_may_be_a_key_is_stored(client: Client, gateway: Scripted, name: str) -> None:
    value = entry(gateway.url, headers={name: "sk-secret"})
    answer = client.ask("PUT", "outbox/m1", value)
    assert answer.status == 400 and name in answer.json()["error"]["message"]
    assert client.rows()["outbox"] == []


@pytest.mark.parametrize(
    "parts",
    [
        {"kind": "other"},
        {"conversation": ""},
        {"method": "GET"},
        {"url": "http://me:secret@127.0.0.1/"},
        {"url": "http://192.168.0.1/"},
        {"body": 7},
        {"headers": {"accept": 1}},
    ],
    ids=lambda parts: next(iter(parts)),
)
def test_what_makes_no_sense(client: Client, gateway: Scripted, parts: dict[str, Any]) -> None:
    assert client.ask("PUT", "outbox/m1", entry(gateway.url) | parts).status == 400
    assert client.rows()["outbox"] == []


def test_the_list_has_no_bodies(client: Client, gateway: Scripted) -> None:
    block(client, gateway, "m1")
    shown = entries(client)["m1"]
    assert not {"body", "headers"} & set(shown)
    assert {"key", "kind", "conversation", "created", "attempts", "state"} <= set(shown)
