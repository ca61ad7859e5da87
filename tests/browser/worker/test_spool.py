"""The spool of the real service worker, over the fetches that the engine makes: nothing of an endpoint's answer is lost
while pages come and go, nothing is asked twice, and no key is stored."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.screen_support import Site
from tests.browser.together import WEB
from tests.browser.worker.worker_support import ROWS, Client, installed
from tests.support.processes import replay
from tests.support.servers.scripted import Call, Scripted

SECRET = "sk-never-to-be-stored"


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
def client(profile: BrowserContext, site: Site) -> Iterator[Client]:
    client = Client(profile, site.url)
    yield client
    last = Client(profile, site.url) if client.page.is_closed() else client
    last.forget_all()
    for page in profile.pages:
        page.close()


@pytest.fixture
def upstream() -> Iterator[Scripted]:
    with Scripted() as server:
        yield server


def asked(url: str, **headers: str) -> dict[str, Any]:
    body = json.dumps({"stream": True, "messages": [{"role": "user", "content": "hi"}]})
    return {"url": url, "headers": {"content-type": "application/json", **headers}, "body": body}


def begin(client: Client, upstream: Scripted, key: str = "k1") -> Call:
    """An answer of which `one ` has come and is stored."""
    answer = client.follow("POST", f"spool/{key}", asked(upstream.url))
    assert (answer.status, answer.state) == (200, "live")
    call = upstream.call(len(upstream.calls))
    call.send(b"one ")
    client.until_text(4)
    until_stored(client, 4, key)
    return call


def until_stored(client: Client, size: int, key: str = "k1") -> None:
    """At least so many bytes are committed."""
    look = f"rows.spools.some((row) => row.key === '{key}' && row.size >= {size})"
    client.until(f"async () => {{ const rows = await ({ROWS})('chunks'); return {look}; }}")


def stored_text(client: Client) -> str:
    return "".join(chunk["bytes"] for chunk in client.rows()["chunks"])


def test_it_says_that_it_is_there(client: Client) -> None:
    answer = client.ask("GET", "spool/")
    assert (answer.status, answer.state) == (204, "1")
    assert client.ask("POST", "spool/ping").status == 204


def test_a_reload_keeps_the_connection(client: Client, answer_file: Path) -> None:
    with replay(answer_file, rate=100, chunk=6) as upstream:
        client.follow("POST", "spool/k1", asked(f"{upstream.url}/chat/completions"))
        before = client.until_text(3000)
        client.reload()
        answer = client.follow("POST", "spool/k1", asked(f"{upstream.url}/chat/completions"))
        assert (answer.status, answer.state) == (200, "live")
        assert answer.headers["midstream-run"] == "k1"
        text = client.until_over()
        assert text.startswith(before) and text.endswith("data: [DONE]\n\n")
        assert text == stored_text(client)
        assert [event["event"] for event in upstream.events()] == ["open", "done"]
    assert client.ask("HEAD", "spool/k1").state == "ended"
    assert client.ask("GET", "spool/k1").text == text


def test_the_bytes_are_those_of_the_upstream(client: Client, upstream: Scripted) -> None:
    """Also those that are no text, cut anywhere, from a reader that begins in the middle of a write."""
    pieces = [bytes(range(n % 251, 256)) * (n % 7) + b"\xff\xc3" for n in range(100)]
    call = begin(client, upstream)
    for piece in pieces[:50]:
        call.send(piece)
    client.reload()
    client.page.evaluate(
        """() => {
          window.whole = fetch('spool/k1').then((response) => response.arrayBuffer())
            .then((buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))));
        }"""
    )
    for piece in pieces[50:]:
        call.send(piece)
    call.end()
    whole = base64.b64decode(client.page.evaluate("window.whole"))
    assert whole == b"one " + b"".join(pieces)


def test_two_tabs_follow_one_request(client: Client, profile: BrowserContext, upstream: Scripted) -> None:
    call = begin(client, upstream)
    other = Client(profile, client.url)
    assert other.follow("POST", "spool/k1", asked(upstream.url)).state == "live"
    call.send(b"two ")
    assert client.until_text(8) == other.until_text(8) == "one two "
    client.page.close()
    call.send(b"three")
    call.end()
    assert other.until_over() == "one two three"
    assert len(upstream.calls) == 1


def test_many_at_once_make_one_request(client: Client, upstream: Scripted) -> None:
    value = json.dumps(asked(upstream.url))
    client.page.evaluate(
        """(body) => {
          const ask = () => fetch('spool/k1', {method: 'POST', body}).then((response) => response.text());
          window.all = Promise.all([...'123456'].map(ask));
        }""",
        value,
    )
    upstream.call(1).send(b"once").end()
    assert client.page.evaluate("window.all") == ["once"] * 6
    assert len(upstream.calls) == 1


def test_closed_and_opened_again(client: Client, profile: BrowserContext, upstream: Scripted) -> None:
    call = begin(client, upstream)
    client.page.close()
    call.send(b"two ")
    again = Client(profile, client.url)
    assert again.follow("GET", "spool/k1").state == "live"
    call.send(b"three")
    assert again.until_text(13) == "one two three"
    assert not call.left
    call.end()
    assert again.until_over() == "one two three"


def test_stop_closes_the_connection_and_keeps_what_came(client: Client, upstream: Scripted) -> None:
    call = begin(client, upstream)
    call.send(b"two ")
    client.until_text(8)
    assert client.ask("POST", "spool/k1/stop").status == 204
    assert stored_text(client) == "one two "  # written before the answer to stop
    call.until_left()
    assert client.until_over() == "one two "
    assert client.ask("POST", "spool/k1/stop").status == 204
    again = client.ask("GET", "spool/k1")
    assert (again.state, again.text) == ("stopped", "one two ")


def test_delete_stops_and_forgets(client: Client, upstream: Scripted) -> None:
    call = begin(client, upstream)
    assert client.ask("DELETE", "spool/k1").status == 204
    call.until_left()
    assert client.ask("GET", "spool/k1").status == 404
    rows = client.rows()
    assert (rows["spools"], rows["chunks"]) == ([], [])
    assert client.ask("DELETE", "spool/k1").status == 204


def test_stopped_before_the_upstream_has_said_anything(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        client.page.evaluate(
            "([body]) => { window.asked = fetch('spool/k1', {method: 'POST', body}).then((r) => r.status); }",
            [json.dumps(asked(url))],
        )
        until_stored(client, 0)
        assert client.ask("POST", "spool/k1/stop").status == 204
        assert client.page.evaluate("window.asked") == 502
        assert client.rows()["spools"][0]["state"] == "stopped"
        answer = client.ask("POST", "spool/k1", asked(url))
        assert (answer.status, answer.state) == (502, "stopped")
        assert answer.json()["error"]["code"] == "stopped"


def test_what_is_not_known(client: Client) -> None:
    assert client.ask("GET", "spool/k1").status == 404
    assert client.ask("HEAD", "spool/k1").status == 404
    assert client.ask("POST", "spool/k1/stop").status == 204
    assert client.ask("GET", "spool/no key").status == 400


def test_an_upstream_that_is_not_there_may_be_asked_again(client: Client) -> None:
    with Scripted() as gone:
        pass
    answer = client.ask("POST", "spool/k1", asked(gone.url))
    assert (answer.status, answer.state) == (502, "failed")
    assert answer.json()["error"]["code"] == "unreachable"
    assert client.rows()["spools"] == []
    with Scripted() as upstream:
        begin(client, upstream).end()
    assert client.until_over() == "one "


def test_an_error_of_the_upstream_is_passed_on(client: Client, upstream: Scripted) -> None:
    upstream.status = 429
    upstream.headers = {"Content-Type": "application/json", "Retry-After": "7"}
    client.follow("POST", "spool/k1", asked(upstream.url))
    upstream.call(1).send(b'{"error":{"message":"slow down"}}').end()
    client.until_over()
    answer = client.ask("GET", "spool/k1")
    assert (answer.status, answer.state) == (429, "ended")
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]["message"] == "slow down"


def test_an_upstream_that_dies_leaves_what_came(client: Client, upstream: Scripted) -> None:
    call = begin(client, upstream)
    call.die()
    assert client.until_over() == "one "
    answer = client.ask("GET", "spool/k1")
    assert (answer.status, answer.state, answer.text) == (200, "failed", "one ")
    assert client.ask("POST", "spool/k1", asked(upstream.url)).state == "failed"
    assert len(upstream.calls) == 1


def test_a_redirect_is_not_followed(client: Client, upstream: Scripted) -> None:
    with Scripted() as other:
        upstream.status, upstream.headers = 307, {"Location": other.url}
        client.page.evaluate(
            "([body]) => { window.asked = fetch('spool/k1', {method: 'POST', body}).then((r) => r.status); }",
            [json.dumps(asked(upstream.url))],
        )
        assert client.page.evaluate("window.asked") == 502
        assert other.calls == []


def test_a_killed_worker_leaves_a_lost_spool(client: Client, upstream: Scripted) -> None:
    call = begin(client, upstream)
    client.stop_worker()
    call.until_left()
    answer = client.ask("GET", "spool/k1")
    assert (answer.status, answer.state, answer.text) == (200, "lost", "one ")
    assert client.ask("POST", "spool/k1", asked(upstream.url)).text == "one "
    assert client.ask("HEAD", "spool/k1").state == "lost"
    assert len(upstream.calls) == 1  # nobody asked a second time


def test_killed_before_the_upstream_has_answered(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        client.page.evaluate(
            "([body]) => { fetch('spool/k1', {method: 'POST', body}).catch(() => {}); }",
            [json.dumps(asked(url))],
        )
        held, _ = silent.accept()  # it has connected, and gets no answer
        client.stop_worker()
        answer = client.ask("POST", "spool/k1", asked(url))
        assert (answer.status, answer.state) == (502, "lost")
        assert answer.json()["error"]["code"] == "lost"
        held.close()


def test_nothing_of_the_request_is_stored(client: Client, upstream: Scripted) -> None:
    url = f"{upstream.url}?key={SECRET}"
    value = asked(url, authorization=f"Bearer {SECRET}") | {"body": f'{{"user": "{SECRET}"}}'}
    client.follow("POST", "spool/k1", value)
    call = upstream.call(1)
    assert call.headers["authorization"] == f"Bearer {SECRET}" and SECRET in call.body.decode()
    call.send(b"one ")
    until_stored(client, 4)
    assert SECRET not in json.dumps(client.rows())
    call.end()
    client.until_over()
    kept = client.page.evaluate(
        """async () => {
          const keys = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()));
          return keys.flat().map(({url}) => url).join();
        }"""
    )
    assert SECRET not in json.dumps(client.rows()) + kept


@pytest.mark.parametrize(
    "url",
    [
        "http://192.168.0.1/",
        "file:///etc/passwd",
        "https://me:secret@127.0.0.1/",
        "spool",
        "data:,",
    ],
)
def test_what_may_not_be_asked(client: Client, url: str) -> None:
    assert client.ask("POST", "spool/k1", asked(url)).status == 400
    assert client.rows()["spools"] == []


def test_it_is_never_shown_as_a_page(client: Client, site: Site, upstream: Scripted) -> None:
    """What a foreign server wrote would run with this origin's rights."""
    upstream.headers = {"Content-Type": "text/html"}
    begin(client, upstream, "k1.html").end()
    site.files["spool/k1.html"] = b"<p>of the site"
    client.page.goto(f"{client.url}spool/k1.html")
    assert client.page.inner_text("body") == "of the site"


def test_an_answer_without_end_is_cut(client: Client, upstream: Scripted) -> None:
    client.page.evaluate(
        "async ([body]) => { window.unread = await fetch('spool/k1', {method: 'POST', body}); }",
        [json.dumps(asked(upstream.url))],
    )
    call = upstream.call(1)
    for _ in range(33):
        call.send(b"x" * 1024 * 1024)
    call.until_left()
    client.ask("POST", "spool/k1/stop")  # answered when all is stored; it has ended already
    assert client.ask("HEAD", "spool/k1").state == "full"
    size = [row["size"] for row in client.rows(without="chunks")["spools"]]
    assert size == [32 * 1024 * 1024]


def test_yesterdays_are_dropped(client: Client, upstream: Scripted) -> None:
    for key in ("old", "new"):
        begin(client, upstream, key).end()
        client.until_over()
    client.page.evaluate(
        """() => new Promise((resolve) => {
          const request = indexedDB.open('midstream-sw');
          request.onsuccess = () => {
            const store = request.result.transaction('spools', 'readwrite').objectStore('spools');
            const row = store.get('old');
            row.onsuccess = () => store.put({...row.result, created: Date.now() - 90_000_000});
            store.transaction.oncomplete = () => (request.result.close(), resolve());
          };
        })"""
    )
    client.stop_worker()
    assert client.ask("GET", "spool/new").text == "one "
    client.until("() => fetch('spool/old', {method: 'HEAD'}).then((answer) => answer.status === 404)")
    assert {row["key"] for row in client.rows()["chunks"]} == {"new"}


def test_without_storage_it_goes_on_from_memory(client: Client, upstream: Scripted) -> None:
    """A database that it cannot open: that of a newer version."""
    database = """(name, version) => new Promise((resolve) => {
      const request = version ? indexedDB.open(name, version) : indexedDB.deleteDatabase(name);
      request.onsuccess = () => { request.result?.close(); resolve(); };
    })"""
    client.stop_worker()
    client.page.evaluate(f"({database})('midstream-sw', 99)")
    prompt = {"kind": "prompt", "conversation": "c1", "url": upstream.url}
    assert client.ask("PUT", "outbox/m1", prompt).status == 500  # never "stored" when it is not
    client.follow("POST", "spool/k1", asked(upstream.url))
    call = upstream.call(1)
    call.send(b"one ")
    client.until_text(4)
    client.reload()
    assert client.follow("POST", "spool/k1", asked(upstream.url)).state == "live"
    call.send(b"two")
    call.end()
    assert client.until_over() == "one two"
    assert client.ask("GET", "spool/k1").text == "one two"
    assert len(upstream.calls) == 1
    client.stop_worker()
    client.page.evaluate(f"({database})('midstream-sw')")


def test_an_update_waits_for_a_live_answer(browser: Browser, upstream: Scripted) -> None:
    site = Site()
    site.build("1")
    with installed(browser, site) as context:
        update_while_live(Client(context, site.url), site, upstream)
    site.stop()


def update_while_live(client: Client, site: Site, upstream: Scripted) -> None:
    call = begin(client, upstream)
    site.files["style.css"] = (WEB / "style.css").read_bytes() + b"\n"
    site.build("2")
    client.page.evaluate("navigator.serviceWorker.getRegistration().then((found) => found.update())")
    client.until("async () => Boolean((await navigator.serviceWorker.getRegistration()).waiting)")
    skip = """async () => {
      const {waiting} = await navigator.serviceWorker.getRegistration();
      const {port1, port2} = new MessageChannel();
      waiting.postMessage({type: 'skip-waiting'}, [port2]);
      return new Promise((resolve) => (port1.onmessage = (event) => resolve(event.data)));
    }"""
    assert client.page.evaluate(skip) == {"held": True}
    call.send(b"two").end()
    assert client.until_over() == "one two"
    assert client.page.evaluate(skip) == {"held": False}
    client.until("async () => !(await navigator.serviceWorker.getRegistration()).waiting")
    assert client.ask("GET", "spool/k1").text == "one two"
