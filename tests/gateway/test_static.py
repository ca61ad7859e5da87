"""The app's files: types, policies, caching, and what is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from midstream.gateway.static import ENGINE_POLICY, SCREEN_POLICY
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
    "/pyodide/pyodide.mjs": "text/javascript; charset=utf-8",
    "/pyodide/pyodide.asm.wasm": "application/wasm",
    "/engine.py": "text/plain; charset=utf-8",
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
            for path in ("/", "/index.html", "/engine.html", "/sw.js")
        }
    assert policies["/"] == policies["/index.html"] == f"{SCREEN_POLICY}; frame-ancestors 'self'"
    assert policies["/engine.html"] == f"{ENGINE_POLICY}; frame-ancestors 'self'"
    assert policies["/sw.js"] is None  # a worker's own policy would forbid its fetches
    assert "unsafe" not in SCREEN_POLICY
    assert "*" not in SCREEN_POLICY


@pytest.mark.parametrize(
    "path",
    [
        "/missing.js",
        "/pyodide",
        "/pyodide/",
        "/pyodide/missing.wasm",
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
            {"name": "Demo", "kind": "gateway", "url": "v1", "model": "played", "note": ""}
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
