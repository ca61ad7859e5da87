"""Who may talk to the server: Host and Origin, in all the spellings that have fooled servers."""

from __future__ import annotations

import asyncio

import pytest

from tests.gateway.live import in_process, live

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1:8765", True),
        ("localhost:8765", True),
        ("LOCALHOST:8765", True),
        ("[::1]:8765", True),
        ("127.0.0.1", False),
        ("127.0.0.1:8766", False),
        ("127.0.0.1:08765x", False),
        ("127.0.0.1:-1", False),
        ("127.0.0.1:", False),
        ("localhost.:8765", False),
        ("127.0.0.1.:8765", False),
        ("evil.localhost:8765", False),
        ("127.0.0.1.nip.io:8765", False),
        ("evil.example", False),
        ("evil.example:8765", False),
        ("2130706433:8765", False),
        ("0x7f.1:8765", False),
        ("127.1:8765", False),
        ("[::ffff:127.0.0.1]:8765", False),
        ("0.0.0.0:8765", False),
        ("192.168.1.7:8765", False),
        ("user@127.0.0.1:8765", False),
        ("127.0.0.1:8765@evil.example", False),
        ("127.0.0.1:8765, evil.example", False),
        ("", False),
        (":8765", False),
    ],
)
async def test_only_our_own_names_are_answered(host: str, allowed: bool) -> None:
    async with in_process() as gateway:
        for path in ("/healthz", "/v1/models", "/config.json", "/nothing"):
            response = await gateway.client.get(path, headers={"Host": host})
            assert (response.status_code != 421) == allowed
            if not allowed:
                assert response.json()["error"]["code"] == "wrong_host"
        assert gateway.upstream.requests == []


async def test_bound_to_all_addresses_any_address_is_ours_but_no_name() -> None:
    async with in_process(host="0.0.0.0") as gateway:
        for host, status in [
            ("192.168.1.7:8765", 200),
            ("[fe80::1]:8765", 200),
            ("evil.example:8765", 421),
        ]:
            response = await gateway.client.get("/healthz", headers={"Host": host})
            assert response.status_code == status


async def test_bound_to_all_addresses_a_page_at_another_address_is_foreign() -> None:
    """An attacker has an address too, and can listen on our port there."""
    async with in_process(host="0.0.0.0") as gateway:
        for origin, status in [
            ("http://192.168.1.7:8765", 200),
            ("http://localhost:8765", 200),
            ("http://203.0.113.9:8765", 403),
            ("http://[2001:db8::1]:8765", 403),
        ]:
            headers = {"Host": "192.168.1.7:8765", "Origin": origin}
            assert (await gateway.client.get("/v1/models", headers=headers)).status_code == status


async def test_a_configured_name_is_ours_at_any_port() -> None:
    async with in_process(hosts=("chat.example",)) as gateway:
        for host in ("chat.example", "Chat.Example:8080"):
            headers = {"Host": host, "Origin": f"https://{host}"}
            assert (await gateway.client.get("/healthz", headers=headers)).status_code == 200
        headers = {"Host": "evil.chat.example"}
        assert (await gateway.client.get("/healthz", headers=headers)).status_code == 421


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://127.0.0.1:8765", 200),
        ("http://localhost:8765", 200),
        ("null", 403),
        ("", 403),
        ("http://127.0.0.1:8766", 403),
        ("http://evil.example", 403),
        ("http://127.0.0.1:8765.evil.example", 403),
        ("http://evil.localhost:8765", 403),
        ("ftp://127.0.0.1:8765", 403),
        ("file://", 403),
        ("chrome-extension://abcdef", 403),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/runs/x/cancel"), ("GET", "/v1/models"), ("DELETE", "/v1/runs/x")],
)
async def test_only_our_own_pages_may_use_it(origin: str | None, status: int, method: str, path: str) -> None:
    headers = {} if origin is None else {"Origin": origin}
    async with in_process() as gateway:
        response = await gateway.client.request(method, path, headers=headers)
    assert (response.status_code == 403) == (status == 403)
    assert "access-control-allow-origin" not in response.headers
    assert response.headers["vary"] == "Origin"


async def test_a_foreign_page_cannot_begin_a_run() -> None:
    async with in_process() as gateway:
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            response = await gateway.client.post("/v1/chat/completions", json={"messages": []}, headers=headers)
            assert response.status_code == 403
        assert gateway.upstream.requests == []


async def test_a_link_from_another_site_opens_the_app_but_not_the_api() -> None:
    async with in_process() as gateway:
        headers = {"Sec-Fetch-Site": "cross-site"}
        assert (await gateway.client.get("/config.json", headers=headers)).status_code == 200
        assert (await gateway.client.get("/v1/models", headers=headers)).status_code == 403


async def test_an_allowed_origin_gets_its_cors_headers_and_no_other() -> None:
    origin = "https://chat.example"
    async with in_process(origins=(origin,)) as gateway:
        response = await gateway.client.get("/v1/models", headers={"Origin": origin})
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == origin
        exposed = response.headers["access-control-expose-headers"].lower().split(", ")
        assert {"midstream-run", "midstream-head", "location", "retry-after"} <= set(exposed)
        assert "access-control-allow-credentials" not in response.headers
        preflight = await gateway.client.options(
            "/v1/chat/completions",
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Private-Network": "true",
            },
        )
        assert preflight.status_code == 204
        allowed = preflight.headers["access-control-allow-headers"].lower().split(", ")
        assert {"idempotency-key", "midstream-conversation", "last-event-id"} <= set(allowed)
        assert preflight.headers["access-control-allow-private-network"] == "true"
        other = await gateway.client.options("/v1/models", headers={"Origin": "https://evil.example"})
        assert other.status_code == 403


async def test_no_answer_is_ever_shown_as_a_page() -> None:
    async with in_process() as gateway:
        for path in ("/v1/models", "/v1/<script>", "/v1/runs/<img src=x>", "/nothing", "/healthz"):
            response = await gateway.client.get(path)
            assert response.headers["x-content-type-options"] == "nosniff"
            assert "text/html" not in response.headers.get("content-type", "")
            assert "<" not in response.text


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: HOST\r\n", b"200"),
        (b"GET http://evil.example/healthz HTTP/1.1\r\nHost: HOST\r\n", b"404"),
        (b"GET http://HOST/healthz HTTP/1.1\r\nHost: evil.example\r\n", b"421"),
        (b"GET /healthz HTTP/1.1\r\nHost: HOST\r\nHost: evil.example\r\n", b"400"),
        (b"GET /healthz HTTP/1.1\r\n", b"400"),
        (b"GET /healthz HTTP/1.0\r\n", b"421"),
    ],
)
async def test_on_the_wire(request_head: bytes, status: bytes) -> None:
    async with live() as gateway:
        port = gateway.client.base_url.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        host = f"127.0.0.1:{port}".encode()
        writer.write(request_head.replace(b"HOST", host) + b"Connection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert answer.split()[1] == status
