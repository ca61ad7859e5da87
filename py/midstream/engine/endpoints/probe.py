"""Tests whether an endpoint can be used, and if not, why.

A browser gives no reason for a failed request. So the reasons are told apart by several requests:
whether a server answers at all, whether this page may read the answer, whether the server takes the
key, whether it has the model.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from midstream import json_text
from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.endpoints.http_errors import refusal
from midstream.engine.ports.host import Net, body_of
from midstream.errors import UpstreamError
from midstream.names import LOOPBACK

MODELS = 500  # the most that the screen lists
PATIENCE_S = 15.0  # a server that works lists its models at once


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code`: ok, or the fault:

    url         no address of an endpoint
    insecure    http to another machine: the page's policy, and browsers on https pages, forbid it
    offline     the browser has no network
    permission  the browser is set to keep this page from machines of the local network
    nobody      no answer: a wrong name, nothing listening, a certificate that is not trusted.
                A page gets the same error for all three; a tab that opens `url` shows which it is
    silent      it takes the connection and sends nothing
    cors        a server answers, but does not let this page read the answer
    key         401, 403
    path        404: no such API at this address
    status      another refusal
    models      no list of models in the answer
    model       the list does not have the endpoint's model
    """

    code: str
    host: str = ""
    detail: str = ""
    models: list[str] = field(default_factory=list)
    status: int = 0  # of an answer that refuses
    problem: dict[str, Any] | None = None  # of that answer
    url: str = ""  # of the request


async def probe(endpoint: Endpoint, key: str, net: Net, *, online: bool) -> Verdict:
    """Requests the list of models, which costs nothing, with `key` where there is one."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await _verdict(endpoint, key, net, online)
    except TimeoutError:
        return Verdict("silent", urlsplit(endpoint.base).netloc)


async def _verdict(endpoint: Endpoint, key: str, net: Net, online: bool) -> Verdict:
    parts = urlsplit(endpoint.base)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        return Verdict("url", detail=endpoint.url)
    host = parts.netloc
    local = parts.hostname in LOOPBACK
    if parts.scheme == "http" and not local:
        return Verdict("insecure", host)
    if not online and not local:
        return Verdict("offline", host)
    url = f"{endpoint.base}/models"
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        response = await net.open("GET", url, headers)
    except UpstreamError:
        return await _unanswered(url, host, net)
    try:
        if response.status != 200:
            code = {401: "key", 403: "key", 404: "path"}.get(response.status, "status")
            why = (await refusal(response)).record()
            return Verdict(code, host, status=response.status, problem=why)
        return _judged(await body_of(response), endpoint.model, host)
    except UpstreamError:
        return Verdict("nobody", host, url=url)
    finally:
        response.close()


async def _unanswered(url: str, host: str, net: Net) -> Verdict:
    if await net.denied():
        return Verdict("permission", host)
    try:
        await net.reach(url)
    except UpstreamError:
        return Verdict("nobody", host, url=url)
    return Verdict("cors", host)


def _judged(body: bytes, model: str, host: str) -> Verdict:
    try:
        models = [str(entry["id"]) for entry in json_text.decode(body)["data"]][:MODELS]
    except (ValueError, LookupError, TypeError):
        return Verdict("models", host)
    if model and model not in models:
        return Verdict("model", host, model, models)
    return Verdict("ok", host, models=models) if models else Verdict("models", host)
