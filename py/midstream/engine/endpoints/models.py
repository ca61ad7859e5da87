"""The model of an endpoint for which the configuration names none: the first of its list."""

from __future__ import annotations

from midstream import json_text
from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.endpoints.http_errors import refusal
from midstream.engine.ports.host import Net, body_of
from midstream.errors import StoreError, UpstreamError, UpstreamRefused
from midstream.journal import Change, Store
from midstream.problems import problem


async def model_of(endpoint: Endpoint, net: Net, store: Store) -> str:
    """The configured model, else the first of the endpoint's list, else the one of last time: the
    request of a prompt is complete also offline, so that the service worker can send it.

    Raises UpstreamError when the endpoint does not answer and never has.
    """
    if endpoint.kind == "demo":
        return "demo"
    if endpoint.model:
        return endpoint.model
    key = f"model {endpoint.base}"
    known = await store.setting(key)
    remembered = str(known["model"]) if known and isinstance(known.get("model"), str) else ""
    try:
        model = await _first(endpoint, net)
    except UpstreamError:
        if remembered:
            return remembered
        raise
    if model != remembered:
        await _remember(store, key, model)
    return model


async def _remember(store: Store, key: str, model: str) -> None:
    try:
        await store.commit(Change().put("settings", {"id": key, "model": model}))
    except StoreError:
        return  # the endpoint is asked again next time


async def _first(endpoint: Endpoint, net: Net) -> str:
    response = await net.open("GET", f"{endpoint.base}/models", {})
    try:
        if response.status not in (200, 404):  # 404: a server without such a list
            raise UpstreamRefused(await refusal(response), status=response.status)
        body = await body_of(response)
    finally:
        response.close()
    try:
        return str(json_text.decode(body)["data"][0]["id"])
    except (ValueError, LookupError, TypeError) as error:
        raise UpstreamRefused(problem("endpoint_no_models")) from error
