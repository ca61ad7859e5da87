"""The app's files: types, policies, caching, and what is not there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from midstream.gateway.http.policies import DIAGRAM_POLICY, ENGINE_POLICY, SCREEN_POLICY
from tests.gateway.live import in_process

pytestmark = pytest.mark.anyio

TYPES = {
    "/": "text/html; charset=utf-8",
    "/index.html": "text/html; charset=utf-8",
    "/engine.html": "text/html; charset=utf-8",
    "/sw.js": "text/javascript; charset=utf-8",
    "/style.css": "text/css; charset=utf-8",
    "/manifest.json": "application/json",
    "/icon.svg": "image/svg+xml",
    "/engine/pyodide/pyodide.mjs": "text/javascript; charset=utf-8",
    "/engine/pyodide/pyodide.asm.wasm": "application/wasm",
    "/engine/engine.py": "text/plain; charset=utf-8",
    "/unknown.bin": "application/octet-stream",
}


@pytest.mark.parametrize("path", TYPES)
async def test_each_kind_of_file_has_its_type(small_dist: Path, path: str) -> None:
    async with in_process(dist=str(small_dist)) as gateway:
        response = await gateway.client.get(path)
        assert response.status_code == 200
        assert response.headers["content-type"] == TYPES[path]
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["x-content-type-options"] == "nosniff"
        again = await gateway.client.get(path, headers={"If-None-Match": response.headers["etag"]})
        assert again.status_code == 304
        head = await gateway.client.head(path)
        assert (head.status_code, head.content) == (200, b"")


async def test_each_document_has_its_policy(small_dist: Path) -> None:
    async with in_process(dist=str(small_dist)) as gateway:
        policies = {
            path: (await gateway.client.get(path)).headers.get("content-security-policy")
            for path in ("/", "/index.html", "/engine.html", "/late/diagram.html", "/sw.js")
        }
    assert policies["/"] == policies["/index.html"] == f"{SCREEN_POLICY}; frame-ancestors 'self'"
    assert policies["/engine.html"] == f"{ENGINE_POLICY}; frame-ancestors 'self'"
    assert policies["/late/diagram.html"] == f"{DIAGRAM_POLICY}; frame-ancestors 'self'"
    assert policies["/sw.js"] is None  # a worker's own policy would forbid its fetches
    assert "unsafe" not in SCREEN_POLICY
    assert "*" not in SCREEN_POLICY


@pytest.mark.parametrize(
    "path",
    [
        "/missing.js",
        "/pyodide",
        "/engine/pyodide/",
        "/engine/pyodide/missing.wasm",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "//etc/passwd",
        "/index.html/",
        "/index",
        "/v2/models",
    ],
)
async def test_what_is_not_there_is_not_found(small_dist: Path, path: str) -> None:
    async with in_process(dist=str(small_dist)) as gateway:
        response = await gateway.client.get(path)
    assert response.status_code == 404
    assert "html" not in response.headers["content-type"]
    assert "sandbox" in response.headers["content-security-policy"]


async def test_files_are_only_read(small_dist: Path) -> None:
    async with in_process(dist=str(small_dist)) as gateway:
        for method in ("POST", "PUT", "DELETE"):
            assert (await gateway.client.request(method, "/index.html")).status_code == 405


# -- packed files


@pytest.fixture
def packed_dist(small_dist: Path, tmp_path: Path) -> Path:
    """One in which Pyodide has been compressed. What is in it does not matter to the server."""
    folder = tmp_path / "dist"
    shutil.copytree(small_dist, folder)
    (folder / "engine/pyodide/pyodide.asm.wasm").write_text(PLAIN)
    (folder / "engine/pyodide/pyodide.asm.wasm.br").write_bytes(PACKED)
    return folder


PLAIN, PACKED = "0123456789", b"packed"
WASM = "/engine/pyodide/pyodide.asm.wasm"


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip, deflate, br, zstd", True),
        ("BR", True),
        ("*", True),
        ("br;q=0.1", True),
        ("identity;q=0.5, br;q=1.0", True),
        ("*;q=0, br", True),
        ("gzip", False),
        ("", False),
        ("br;q=0", False),
        ("br; q=0.000", False),
        ("br;q=0, *", False),
        ("br;q=0.3, identity;q=0.8", False),
        ("br;q=much", False),
        ("brotli", False),
    ],
)
async def test_who_takes_brotli_gets_it(packed_dist: Path, accepted: str, packed: bool) -> None:
    async with in_process(dist=str(packed_dist)) as gateway:
        sent = {"Accept-Encoding": accepted}
        async with gateway.client.stream("GET", WASM, headers=sent) as response:
            body = b"".join([chunk async for chunk in response.aiter_raw()])
        head = await gateway.client.head(WASM, headers=sent)
    assert body == (PACKED if packed else PLAIN.encode())
    assert response.headers.get("content-encoding") == ("br" if packed else None)
    assert response.headers["content-type"] == "application/wasm"
    assert response.headers["content-length"] == str(len(body))
    assert "Accept-Encoding" in response.headers["vary"]
    assert head.headers["content-length"] == str(len(body))
    assert head.headers["etag"] == response.headers["etag"]


async def test_plain_and_packed_are_told_apart_by_their_etags(packed_dist: Path) -> None:
    async with in_process(dist=str(packed_dist)) as gateway:

        async def asked(encoding: str, etag: str = "") -> tuple[int, str]:
            headers = {"Accept-Encoding": encoding, "If-None-Match": etag}
            async with gateway.client.stream("GET", WASM, headers=headers) as response:
                assert "Accept-Encoding" in response.headers["vary"]
                return response.status_code, response.headers["etag"]

        _, packed = await asked("br")
        _, plain = await asked("identity")
        assert packed != plain
        assert await asked("br", packed) == (304, packed)
        assert await asked("identity", plain) == (304, plain)
        assert await asked("identity", packed) == (200, plain)


async def test_a_part_is_one_of_the_plain_file(packed_dist: Path) -> None:
    async with in_process(dist=str(packed_dist)) as gateway:
        headers = {"Accept-Encoding": "br", "Range": "bytes=2-4"}
        response = await gateway.client.get(WASM, headers=headers)
    assert (response.status_code, response.text) == (206, PLAIN[2:5])
    assert "content-encoding" not in response.headers


async def test_a_packed_page_keeps_its_policy(packed_dist: Path) -> None:
    (packed_dist / "engine.html.br").write_bytes(PACKED)
    async with in_process(dist=str(packed_dist)) as gateway:
        request = gateway.client.stream("GET", "/engine.html", headers={"Accept-Encoding": "br"})
        async with request as response:
            assert response.headers["content-encoding"] == "br"
    assert response.headers["content-type"] == TYPES["/engine.html"]
    assert ENGINE_POLICY in response.headers["content-security-policy"]


# -- config.json


async def endpoints(**options: object) -> dict[str, object]:
    async with in_process(**options) as gateway:  # type: ignore[arg-type]
        response = await gateway.client.get("/config.json")
        assert response.headers["content-type"] == "application/json"
        found: dict[str, object] = response.json()
        return found


async def test_a_gateway_names_itself(small_dist: Path) -> None:
    assert await endpoints(dist=str(small_dist), model="demo") == {
        "endpoints": [
            {
                "name": "Demo",
                "kind": "gateway",
                "url": "v1",
                "model": "played",
                "note": "",
                "about": "",
            }
        ],
        "default": "Demo",
    }


async def test_direct_names_the_other_endpoint_and_has_no_gateway(small_dist: Path) -> None:
    direct = "http://127.0.0.1:11434/v1"
    options = {"dist": str(small_dist), "direct": direct, "model": "m"}
    assert await endpoints(**options) == {
        "endpoints": [{"name": "Direct", "kind": "openai", "url": direct, "model": "m"}],
        "default": "Direct",
    }
    async with in_process(**options) as gateway:  # type: ignore[arg-type]
        assert (await gateway.client.get("/v1/models")).status_code == 404
        assert (await gateway.client.get("/")).status_code == 200


async def test_static_only_serves_the_file(small_dist: Path) -> None:
    found = await endpoints(dist=str(small_dist), static_only=True)
    assert found == {"endpoints": [], "default": "file"}


async def test_static_only_without_the_file_is_the_demo(tmp_path: Path) -> None:
    found = await endpoints(dist=str(tmp_path), static_only=True)
    assert found["default"] == "Demo"
    assert found["endpoints"][0]["kind"] == "demo"  # type: ignore[index]
