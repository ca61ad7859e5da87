"""The model to ask for where the configuration names none: the first that the endpoint offers."""

from __future__ import annotations

import json

from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.endpoints.http_errors import body_of, refusal
from midstream.engine.ports.host import Net
from midstream.errors import StoreError, UpstreamError, UpstreamRefused
from midstream.journal import Change, Store
from midstream.problems import problem


async def model_of(endpoint: Endpoint, net: Net, store: Store) -> str:
    """Configured, else asked for, else the one of last time: a prompt that is written offline has to
    be made up whole, so that it can be sent without us.

    Raises UpstreamError when nobody answers and nobody ever has.
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
        return  # it is asked for again


async def _first(endpoint: Endpoint, net: Net) -> str:
    response = await net.open("GET", f"{endpoint.base}/models", {})
    try:
        if response.status not in (200, 404):  # 404: a server without such a list
            raise UpstreamRefused(await refusal(response), status=response.status)
        body = await body_of(response)
    finally:
        response.close()
    try:
        return str(json.loads(body)["data"][0]["id"])
    except (ValueError, LookupError, TypeError) as error:
        raise UpstreamRefused(problem("endpoint_no_models")) from error
