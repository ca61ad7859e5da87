"""`midstream serve`: options → config → a server that answers, or one line that says why not."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from midstream.errors import UsageError
from midstream.gateway import server
from midstream.gateway.addresses import is_loopback
from midstream.gateway.config import Config, base_url, limits_of
from midstream.gateway.http import static
from midstream.gateway.store.factory import default_store, make_store
from midstream.gateway.tokens import Tokens, default_folder
from midstream.gateway.upstream.model_process import ModelProcess, find_model_file, require_engine
from midstream.providers import demo


def serve(options: argparse.Namespace) -> int:
    """Everything that may be wrong is looked at before the port is opened."""
    server.configure_logging()
    config = config_of(options)
    config = replace(config, dist=str(static.find_dist(config.dist)))
    if config.serves_gateway:
        asyncio.run(_try_store(config.store))
    with _model(config, options.model_file) as config:
        listener = server.listen(config.host, config.port)
        address, port = listener.getsockname()[:2]
        config = replace(config, port=port, address=address)
        server.run(config, listener, partial(_announce, config))
    return 0


def _announce(config: Config, urls: Sequence[str]) -> None:
    for url in urls:
        print(f"Midstream: {url}", flush=True)
    for warning in _warnings(config):
        print(f"midstream: {warning}", file=sys.stderr, flush=True)


def _warnings(config: Config) -> Iterator[str]:
    """What whoever starts a gateway should know."""
    if not config.serves_gateway:
        return
    beyond = not is_loopback(config.host)
    if config.tokens and not Tokens(Path(config.tokens)).listed():
        yield "there is no token yet; `midstream token add NAME` makes one."
    if config.tokens and beyond:
        yield "over http, tokens and answers can be read on their way: put a proxy with https before it."
    if beyond and not config.tokens:
        yield "everybody who reaches these addresses can read all conversations and ask the model (--auth none)."


def config_of(options: argparse.Namespace) -> Config:
    """The options as a config; UsageError for what does not go together."""
    _refuse_contradictions(options)
    key_env = options.upstream_key_env
    if key_env and not os.environ.get(key_env):
        raise UsageError(f"The variable {key_env} is not set.", hint="Put the upstream's key there.")
    store = options.store or default_store()
    make_store(store)
    _refuse_open_door(options)
    return Config(
        host=options.host,
        port=options.port,
        workers=options.workers,
        store=store,
        upstream=base_url(options.upstream, "--upstream") if options.upstream else None,
        upstream_key_env=key_env,
        model=options.model or ("" if options.upstream or options.direct else "local"),
        direct=base_url(options.direct, "--direct") if options.direct else None,
        static_only=options.static_only,
        dist=options.dist,
        hosts=tuple(options.allow_host),
        origins=tuple(_origin(text) for text in options.allow_origin),
        tokens=str(options.tokens or default_folder()) if options.auth == "token" else None,
        demo_rate=_demo_rate(),
        limits=limits_of(options.limit),
        on_disconnect=options.on_disconnect,
    )


def _refuse_contradictions(options: argparse.Namespace) -> None:
    places = {"--upstream": options.upstream, "--direct": options.direct}
    given = [name for name, value in places.items() if value is not None]
    given += ["--static-only"] if options.static_only else []
    if len(given) > 1:
        raise UsageError(f"{given[0]} and {given[1]} exclude each other.")
    if options.upstream_key_env and not options.upstream:
        raise UsageError("--upstream-key-env needs --upstream.")
    named = options.model not in (None, "local", "demo")
    if named and not (options.upstream or options.direct):
        raise UsageError(f"--model {options.model} needs --upstream URL.", hint="Without one: local or demo.")
    if options.model in ("local", "demo") and (options.upstream or options.direct):
        raise UsageError(f"--model {options.model} and {given[0]} exclude each other.")
    if options.model_file and options.model not in (None, "local"):
        raise UsageError("--model-file is for --model local.")
    if options.workers > 1 and (options.store or "").startswith("memory"):
        raise UsageError("--store memory: is for one worker.", hint="Use sqlite:PATH.")


def _refuse_open_door(options: argparse.Namespace) -> None:
    """Other machines are let in only by somebody who has said how."""
    if options.static_only or options.direct:  # files that anybody may have
        if options.auth == "token":
            raise UsageError("--auth token is for a gateway; without one there is nothing to protect.")
        return
    if options.tokens and options.auth != "token":
        raise UsageError("--tokens needs --auth token.")
    if options.auth is None and not is_loopback(options.host):
        raise UsageError(
            f"Other machines can reach --host {options.host}, so say who may use it.",
            hint="--auth token: whoever has a token (`midstream token add NAME`). --auth none: everybody.",
        )


def _demo_rate() -> float:
    """Tokens per second of `--model demo`; tests do not want to wait."""
    try:
        return float(os.environ.get("MIDSTREAM_DEMO_RATE") or demo.RATE)
    except ValueError:
        raise UsageError("MIDSTREAM_DEMO_RATE must be a number.") from None


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
        raise UsageError(f"--allow-origin must be like https://chat.example, not {text!r}.")
    return f"{parts.scheme}://{parts.netloc}".lower()


async def _try_store(spec: str) -> None:
    """Opens and closes it, so that its errors come before anything else is started."""
    store = make_store(spec)
    await store.open()
    await store.close()


@contextlib.contextmanager
def _model(config: Config, file: str | None) -> Iterator[Config]:
    """Starts the local model beside the server when it is wanted; it loads while the page does."""
    if config.model != "local" or not config.serves_gateway:
        yield config
        return
    path = find_model_file(file)
    require_engine()
    model = ModelProcess(path)
    model.start()
    try:
        yield replace(config, model_state=str(model.state_file))
    finally:
        model.stop()
