"""A page of another origin that the gateway allows: the browser lets it send and read everything
that the protocol needs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.processes import Replay, serve

# What a client does of PROTOCOL.md: begin, follow from a position, a position that is unknown, stop, look.
CLIENT = """async (gateway) => {
  const body = JSON.stringify({
    model: "m", stream: true, messages: [{role: "user", content: "hello"}]
  });
  const headers = {
    "content-type": "application/json", "idempotency-key": "q.a.0", "midstream-conversation": "c"
  };
  const begun = await fetch(gateway + "/v1/chat/completions", {method: "POST", headers, body});
  const run = begun.headers.get("midstream-run");
  const first = new TextDecoder().decode((await begun.body.getReader().read()).value);
  const events = gateway + "/v1/runs/" + run + "/events";
  const later = await fetch(events + "?after=1-1", {cache: "no-store"});
  const resumed = new TextDecoder().decode((await later.body.getReader().read()).value);
  const unknown = await fetch(events, {headers: {"last-event-id": "9-1"}});
  const stopped = await fetch(gateway + "/v1/runs/" + run + "/cancel", {method: "POST"});
  const list = await (await fetch(gateway + "/v1/conversations/c")).json();
  const gone = await fetch(gateway + "/v1/runs/" + run, {method: "DELETE"});
  return {
    run, head: begun.headers.get("midstream-head"), place: begun.headers.get("location"), first,
    resumed, unknown: unknown.status, known: Number(unknown.headers.get("midstream-head")),
    stopped: (await stopped.json()).state, key: list.runs[0].key, gone: gone.status,
  };
}"""


class _Elsewhere(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def elsewhere() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}"
        site.shutdown()
        thread.join()


@pytest.mark.parametrize("allowed", [True, False])
def test_a_page_of_another_origin(page: Page, crawling: Replay, elsewhere: str, tmp_path: Path, allowed: bool) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>screen</title>")
    options = ["--upstream", crawling.url, "--dist", str(tmp_path), "--store", "memory:"]
    options += ["--allow-origin", elsewhere if allowed else "http://another.example"]
    page.goto(elsewhere)
    with serve(*options) as app:
        gateway = app.url.rstrip("/")
        if not allowed:
            assert page.evaluate("url => fetch(url).catch(() => 'no')", gateway + "/v1/models") == "no"
            return
        found = page.evaluate(CLIENT, gateway)
    assert found["place"] == f"/v1/runs/{found['run']}"
    assert int(found["head"]) >= 0
    assert "id: 1-1\n" in found["first"] and "id: 1-2\n" in found["resumed"]
    assert found["unknown"] == 416 and found["known"] >= 2
    assert (found["stopped"], found["key"], found["gone"]) == ("cancelled", "q.a.0", 204)
