"""The engine in a PyScript worker: waits for the screen's port, then serves it."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi import create_proxy

from midstream import json_text
from midstream.engine.app import Engine, decode
from midstream.engine.browser.locks import lock
from midstream.engine.browser.net import FetchNet, end_early
from midstream.engine.browser.open_store import open_store, watch_storage
from midstream.engine.browser.pygments_loader import PygmentsLoader
from midstream.engine.browser.tabs import Tabs
from midstream.engine.browser.watchdog import WorkerWatchdog
from midstream.engine.endpoints.keyed_net import KeyedNet
from midstream.engine.ports.host import LARGE_BODY_BYTES, Host, Message, Net, body_of, detail_of
from midstream.engine.ports.jobs import Jobs
from midstream.engine.ports.keys import Keys
from midstream.engine.ports.watchdog import Watchdog
from midstream.errors import MidstreamError, UsageError
from midstream.problems import Problem, problem

CONFIG_S = 5.0  # then the app goes on without: nobody who writes must wait for a dead network
EARLY_S = 5.0  # then no answer will use a request that was made early


def main(xworker: Any) -> None:
    """Handles the messages of engine/engine.js: `{port, base, givenUp}`, where `base` is the URL of the
    page's folder and `givenUp` lists what an earlier Python was lost over; and `{ping}`, by which it knows
    that this event loop runs."""
    # All starts from one memory snapshot have the same state of the generator.
    random.seed(js.crypto.randomUUID())
    jobs = Jobs(print)  # before a port is there, only the console can show an error

    def on_message(event: Any) -> None:
        port = getattr(event.data, "port", None)
        if port is not None:
            watchdog = WorkerWatchdog([str(work) for work in event.data.givenUp], xworker.postMessage)
            jobs.spawn(serve(port, str(event.data.base), watchdog))
        elif getattr(event.data, "ping", None):
            asyncio.get_running_loop().call_soon(xworker.postMessage, "pong")

    xworker.onmessage = create_proxy(on_message)
    xworker.postMessage(f"started {js.midstreamBoot}")


async def serve(port: Any, base: str, watchdog: Watchdog) -> None:
    """Joins an engine to a port, in a dedicated or a shared worker."""
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
        broadcast=tabs.broadcast,
        load_pygments=PygmentsLoader(net),
        keys=keys,
        watchdog=watchdog,
    )
    engine = Engine(host)
    jobs = Jobs(outbox.post)
    intents: asyncio.Queue[Message] = asyncio.Queue()
    tabs.listen(lambda message: intents.put_nowait({"type": "tab", "said": message}))

    def on_batch(event: Any) -> None:
        for intent in decode(event.data):
            intents.put_nowait(intent)

    port.onmessage = create_proxy(on_batch)
    watch_storage(store, engine.check_storage)
    await engine.start()
    asyncio.get_running_loop().call_later(EARLY_S, end_early)
    jobs.spawn(_configure(engine, net, outbox.post))
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
    """Gives the engine the endpoints of config.json. Without that file there is only the built-in
    demo, and a notice says so."""
    try:
        config = await asyncio.wait_for(_read_config(net), CONFIG_S)
    except TimeoutError:
        why: MidstreamError | Problem = problem("config_silent", seconds=CONFIG_S)
    except MidstreamError as error:
        why = error
    else:
        return engine.configure(config)
    post({"type": "notice", "code": "no-config", "level": "info"} | detail_of(why))
    engine.configure({})


async def _read_config(net: Net) -> dict[str, Any]:
    response = await net.open("GET", "config.json", {})
    body = await body_of(response, LARGE_BODY_BYTES)
    if response.status != 200:
        raise UsageError(problem("config_status", status=response.status))
    try:
        config = json_text.decode(body)
    except ValueError as error:
        raise UsageError(problem("config_unreadable", message=f"config.json: {error}")) from error
    if not isinstance(config, dict):
        message = "config.json does not hold an object."
        raise UsageError(problem("config_unreadable", message=message))
    return config
