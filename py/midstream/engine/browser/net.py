"""The Net of the browser: fetch with a streamed body.

While Python was loading, engine/pyodide/early_requests.mjs has made the requests that the engine will
probably make. Such a request is not made twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import js

from midstream.engine.endpoints.http_errors import broken, unreachable


class FetchNet:
    """`base`: the URL to which others are relative. A worker made from a blob has no usable one."""

    def __init__(self, base: str) -> None:
        self._base = base

    def absolute(self, url: str) -> str:
        return str(js.URL.new(url, self._base).href)

    async def reach(self, url: str) -> None:
        # no-cors: the answer cannot be read then, but no endpoint can hide that it is there.
        options = {"mode": "no-cors", "cache": "no-store", "credentials": "omit"}
        try:
            await js.fetch(self.absolute(url), js.JSON.parse(json.dumps(options)))
        except Exception as error:
            raise unreachable(self.absolute(url), error) from error

    async def denied(self) -> bool:
        try:
            permission = js.JSON.parse('{"name": "local-network-access"}')
            return bool((await js.navigator.permissions.query(permission)).state == "denied")
        except Exception:  # a browser that knows no such permission denies nothing by it
            return False

    async def open(self, method: str, url: str, headers: Mapping[str, str], body: str | None = None) -> FetchResponse:
        if body is None and (begun := _early(method, self.absolute(url), headers)):
            return await _answered(self.absolute(url), begun.response, begun.controller)
        controller = js.AbortController.new()
        options = js.JSON.parse(
            json.dumps(
                {
                    "method": method,
                    "headers": dict(headers),
                    "cache": "no-store",
                    "credentials": "same-origin",
                    "redirect": "error",
                }
                | ({} if body is None else {"body": body})
            )
        )
        options.signal = controller.signal
        fetching = js.fetch(self.absolute(url), options)
        return await _answered(self.absolute(url), fetching, controller)


def end_early() -> None:
    """Ends the early requests that nobody has taken."""
    if early := getattr(js, "midstreamEarly", None):
        early.end()


def _early(method: str, url: str, headers: Mapping[str, str]) -> Any:
    early = getattr(js, "midstreamEarly", None)
    return early and early.take(method, url, json.dumps(dict(headers), separators=(",", ":")))


async def _answered(url: str, fetching: Any, controller: Any) -> FetchResponse:
    try:
        return FetchResponse(await fetching, controller)
    except Exception as error:  # pyodide raises JsException, which exists in Pyodide only
        raise unreachable(url, error) from error


class FetchResponse:
    def __init__(self, response: Any, controller: Any) -> None:
        self.status = int(response.status)
        self.headers = {str(name): str(value) for name, value in response.headers.entries()}
        self._controller = controller
        # Reading with the reader, not `async for`: WebKit's ReadableStream has no async iterator.
        self._reader = response.body.getReader() if response.body else None

    async def read(self) -> bytes:
        if self._reader is None:
            return b""
        try:
            piece = await self._reader.read()
        except Exception as error:
            raise broken(error) from error
        return b"" if piece.done else bytes(piece.value.to_bytes())

    def close(self) -> None:
        self._controller.abort()
