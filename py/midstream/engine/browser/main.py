"""The engine in a PyScript worker: waits for the screen's port, then serves it."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi import create_proxy

from midstream.engine.app import Engine, decode
from midstream.engine.browser.locks import lock
from midstream.engine.browser.net import FetchNet, end_early
from midstream.engine.browser.pygments_loader import Library
from midstream.engine.browser.tabs import Tabs
from midstream.engine.endpoints.keyed_net import KeyedNet
from midstream.engine.ports.host import Host, Message, Net, said_of
from midstream.engine.ports.keys import Keys
from midstream.engine.store.tab_store import open_store
from midstream.errors import MidstreamError, UsageError
from midstream.problems import Problem, problem

CONFIG_S = (
    5.0  # after that the app goes on without: a person who writes must not wait for a dead network
)
EARLY_S = 5.0  # after that an answer that has not asked is one that will not

_serving: set[asyncio.Task[None]] = set()


def main(xworker: Any) -> None:
    """Answers the messages of engine/engine.js: `{port, base}`, where `base` is the URL of the page's
    folder, and `{ping}`, by which it knows that this event loop runs."""
    # A memory snapshot has frozen the generator's state for everybody.
    random.seed(js.crypto.randomUUID())

    def on_message(event: Any) -> None:
        port = getattr(event.data, "port", None)
        if port is not None:
            serving = asyncio.ensure_future(serve(port, str(event.data.base)))
            _serving.add(serving)  # the event loop holds tasks weakly
            serving.add_done_callback(_serving.discard)
        elif getattr(event.data, "ping", None):
            asyncio.get_running_loop().call_soon(xworker.postMessage, "pong")

    xworker.onmessage = create_proxy(on_message)
    xworker.postMessage(f"started {js.midstreamBoot}")


async def serve(port: Any, base: str) -> None:
    """Joins an engine to a port. Knows nothing of what carries it: a dedicated or a shared worker
    will do."""
    outbox = Batch(lambda batch: port.postMessage(batch))
    keys = Keys()
    net = KeyedNet(FetchNet(base), keys)
    store = await open_store(outbox.post)
    tabs = Tabs()
    host = Host(
        store=store,
        net=net,
        post=outbox.post,
        now=lambda: js.Date.now() / 1000,
        new_id=lambda: str(js.crypto.randomUUID()),
        lock=lock,
        tell_tabs=tabs.tell,
        library=Library(net),
        keys=keys,
    )
    engine = Engine(host)
    intents: asyncio.Queue[Message] = asyncio.Queue()
    tabs.listen(lambda message: intents.put_nowait({"type": "tab", "said": message}))

    def on_batch(event: Any) -> None:
        for intent in decode(event.data):
            intents.put_nowait(intent)

    port.onmessage = create_proxy(on_batch)
    await engine.start()
    asyncio.get_running_loop().call_later(EARLY_S, end_early)
    configuring = asyncio.ensure_future(_configure(engine, net, outbox.post))
    configuring.add_done_callback(lambda task: task.result())
    while True:
        await engine.handle(await intents.get())


class Batch:
    """Collects the messages of one turn of the event loop into one postMessage: a JSON array."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._messages: list[Message] = []

    def post(self, message: Message) -> None:
        if not self._messages:
            asyncio.get_running_loop().call_soon(self._flush)
        self._messages.append(message)

    def _flush(self) -> None:
        messages, self._messages = self._messages, []
        self._send(json.dumps(messages, ensure_ascii=False, separators=(",", ":")))


async def _configure(engine: Engine, net: Net, post: Callable[[Message], None]) -> None:
    """config.json says which endpoints there are; without it only the built-in demo is offered, and
    that is said."""
    try:
        config = await asyncio.wait_for(_read_config(net), CONFIG_S)
    except TimeoutError:
        why: MidstreamError | Problem = problem("config_silent", seconds=CONFIG_S)
    except MidstreamError as error:
        why = error
    else:
        return engine.configure(config)
    post({"type": "notice", "code": "no-config", "level": "info"} | said_of(why))
    engine.configure({})


async def _read_config(net: Net) -> dict[str, Any]:
    response = await net.open("GET", "config.json", {})
    body = b""
    while piece := await response.read():
        body += piece
    if response.status != 200:
        raise UsageError(problem("config_status", status=response.status))
    try:
        config = json.loads(body)
    except ValueError as error:
        raise UsageError(problem("config_unreadable", message=f"config.json: {error}")) from error
    if not isinstance(config, dict):
        words = "config.json does not hold an object."
        raise UsageError(problem("config_unreadable", message=words))
    return config
