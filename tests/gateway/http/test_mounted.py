"""The gateway below a path of another app: addresses, the guard, and its beginning and end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from midstream.gateway.config import Config
from midstream.gateway.http.app import create_app
from midstream.gateway.store.memory import MemoryRunStore
from midstream.gateway.tokens import Tokens
from tests.gateway.live import FINISH, PlayedUpstream, chat, client_for, lifespan, word_chunk

pytestmark = pytest.mark.anyio

EXAMPLE = Path(__file__).parents[3] / "docs/gateway.md"


def mounted(upstream: PlayedUpstream, **options: str) -> Starlette:
    gateway = create_app(Config(**options), store=MemoryRunStore(), upstream=upstream)  # type: ignore[arg-type]
    return Starlette(routes=[Mount("/below", gateway)], lifespan=gateway.lifespan)


def client_of(app: Starlette) -> httpx.AsyncClient:
    return client_for(8765, httpx.ASGITransport(app))


async def test_every_address_has_the_path_before_it(small_dist: Path) -> None:
    upstream = PlayedUpstream()
    upstream.script(word_chunk("a"), FINISH, None)
    upstream.script(word_chunk("b"))
    app = mounted(upstream, dist=str(small_dist))
    async with lifespan(app), client_of(app) as client:
        done = await client.post("/below/v1/chat/completions", **chat())
        run = done.headers["midstream-run"]
        assert done.headers["location"] == f"/below/v1/runs/{run}"
        found = await client.get(done.headers["location"])
        assert found.json()["text"] == "a"
        assert found.json()["events"] == f"/below/v1/runs/{run}/events"
        assert (await client.get(found.json()["events"])).text.endswith("data: [DONE]\n\n")
        for path, text in (("/below/", "screen"), ("/below/style.css", "p {}"), ("/below/healthz", "ok")):
            assert text in (await client.get(path)).text
        assert (await client.get("/below/v1/nothing")).json()["error"]["code"] == "not_found"
        assert (await client.get("/below/engine/")).status_code == 404


async def test_the_busy_runs_address_too() -> None:
    upstream = PlayedUpstream()
    app = mounted(upstream)
    async with lifespan(app), client_of(app) as client:
        upstream.script(word_chunk("a"))
        stopping = {"Midstream-Conversation": "c"}
        first = asyncio.create_task(client.post("/below/v1/chat/completions", **chat(headers=stopping)))
        while not upstream.requests:
            await asyncio.sleep(0)
        busy = await client.post("/below/v1/chat/completions", **chat(headers=stopping, text="other"))
        assert busy.headers["location"] == f"/below/v1/runs/{busy.headers['midstream-run']}"
        await client.post(f"{busy.headers['location']}/cancel")
        await first


@pytest.mark.parametrize("path", ["/below/v1/models", "/below/v1/conversations"])
async def test_the_guard_knows_the_api_below_a_path(path: str) -> None:
    app = mounted(PlayedUpstream())
    async with lifespan(app), client_of(app) as client:
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
            assert (await client.get(path, headers=headers)).status_code == 403
        assert (await client.get(path, headers={"Host": "evil.example"})).status_code == 421


async def test_the_sign_in_below_a_path(tmp_path: Path) -> None:
    token = Tokens(tmp_path).add("ann")
    app = mounted(PlayedUpstream(), tokens=str(tmp_path))
    async with lifespan(app), client_of(app) as client:
        assert (await client.get("/below/v1/models")).status_code == 401
        asked = await client.get("/below/?c=a", headers={"Accept": "text/html"})
        assert asked.headers["location"] == "sign-in?next=c%3Da"
        done = await client.post("/below/sign-in", data={"token": token, "next": "c=a"})
        assert "Path=/below/" in done.headers["set-cookie"]
        assert (await client.get("/below/v1/models")).status_code == 200
        assert (await client.get("/other")).status_code == 404


async def test_an_app_that_does_not_start_it_is_told_so() -> None:
    """A Mount and nothing else: Starlette runs the lifespan of the outermost app only."""
    gateway = create_app(Config(), store=MemoryRunStore(), upstream=PlayedUpstream())
    app = Starlette(routes=[Mount("/below", gateway)])
    async with lifespan(app), client_of(app) as client:
        for path in ("healthz", "v1/models", "v1/conversations", "config.json"):
            response = await client.get(f"/below/{path}")
            assert response.status_code == 503
            assert "lifespan" in response.json()["error"]["hint"]


async def test_the_lines_of_the_page_mount_it() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").partition("## Below another app")[2].partition("```python\n")[2]
    names: dict[str, Starlette] = {}
    exec(lines.partition("```")[0], names)
    async with lifespan(names["app"]), client_of(names["app"]) as client:
        assert (await client.get("/chat/healthz")).json() == {"status": "ok"}
