"""The engine's one entry: intents of a screen come in, messages to it go out through the host.

It joins the parts: intents about answers (`answer_intents`) begin answers (`answers/`), and these
report to the screen through the current view. The rest of this file is about the page, the other tabs
of this browser, and the devices that use the same gateway.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from midstream import __version__
from midstream.engine.answer_intents import AnswerIntents
from midstream.engine.answers.answers import Answers
from midstream.engine.conversation_intents import ConversationIntents
from midstream.engine.current_view import CurrentView
from midstream.engine.device_watch import DeviceWatch
from midstream.engine.devices.device_sync import DeviceSync
from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.endpoints.models import model_of
from midstream.engine.endpoints.registry import EndpointRegistry
from midstream.engine.ports.host import Host, Message, notice_of
from midstream.engine.ports.jobs import Jobs
from midstream.engine.search.search import Search
from midstream.engine.store.restoring import RestoringStore
from midstream.engine.store.tab_store import load_tab_records
from midstream.engine.transfer.transfers import Transfers
from midstream.errors import StoreError, UpstreamError
from midstream.journal import Change

PROTOCOL = 2  # of the port; a screen and an engine of two versions may meet during an update


class Engine:
    def __init__(self, host: Host) -> None:
        host.store = self._store = RestoringStore(host.store, host.lock, self._cleared, self._refused)
        self._host = host
        self._registry = EndpointRegistry(host, self._use_endpoint)
        self._jobs = Jobs(host.post)
        self._view = CurrentView(host)
        self._answers = Answers(host, self._view, self._jobs, self._look_elsewhere)
        self._view.watch(self._answers)
        self._transfers = Transfers(host, self._answers)
        self._devices = DeviceSync(host)
        self._conversations = ConversationIntents(host, self._view, self._answers, self._devices, self._jobs)
        self._watch = DeviceWatch(host, self._view, self._answers, self._devices, self._conversations, self._refresh)
        answer_intents = AnswerIntents(host, self._view, self._answers, self._registry)
        self.intents: dict[str, Callable[[Message], Awaitable[None]]] = {
            "open": self._open,
            "new": self._new,
            "save": self._transfers.save,
            "copy": self._transfers.copy,
            "source": self._transfers.source,
            "export": self._export,
            "import": self._import,
            "kept": self._load_tab_records,
            "reset": self._reset,
            "flush": self._flush,
            "prefer": self._prefer,
            "keys": self._registry.keys,
            "endpoint-choose": self._registry.choose,
            "endpoint-add": self._registry.add,
            "endpoint-remove": self._registry.remove,
            "endpoint-test": self._test,
            "network": self._network,
            "visible": self._visible,
            "tab": self._receive,
            "search": Search(host, self._jobs, lambda: self._view.gateway_items).search,
            **answer_intents.intents,
            **self._conversations.intents,
        }

    async def start(self) -> None:
        """Goes on with every answer that an earlier page was writing, visible or not."""
        self._host.post({"type": "hello", "version": __version__, "protocol": PROTOCOL})
        await self._registry.load()
        await self._answers.resume_all()
        self._jobs.spawn(self._conversations.start_sweeps())
        self._watch.begin()

    def configure(self, config: dict[str, Any]) -> None:
        """Takes the contents of config.json. A run stays at the endpoint that it has begun with."""
        self._registry.configure(config)
        self._jobs.spawn(self._watch.list())

    def _use_endpoint(self, first: Endpoint) -> None:
        """New answers come from this endpoint."""
        self._devices.gateway = self._registry.gateway
        self._host.post({"type": "endpoint", **asdict(first)})
        self._jobs.spawn(self._learn_model(first))

    async def handle(self, intent: Message) -> None:
        """Does what an intent of the screen asks for. When it fails, the screen gets a notice, and
        everything else goes on."""
        job = self.intents.get(str(intent.get("type")))
        try:
            if job is None:
                raise ValueError(f"unknown intent {intent.get('type')!r}")
            await job(intent)
        except Exception as error:  # the last frame before the event loop: no error may be lost
            self._host.post(notice_of(error))

    # The current view

    async def _open(self, intent: Message) -> None:
        wanted = intent.get("conversation") or None
        known = await self._view.open(wanted, intent.get("painted") or {})
        self._watch.want("" if known or not wanted else str(wanted))
        if wanted:
            self._jobs.spawn(self._open_elsewhere(str(wanted), known=known))

    async def _new(self, intent: Message) -> None:
        self._watch.want("")
        await self._view.blank()

    async def _prefer(self, intent: Message) -> None:
        """Stores the page's language for the service worker, which prints some of its texts."""
        language = {"id": "language", "language": str(intent["language"])[:20]}
        await self._host.store.commit(Change().put("settings", language))
        self._host.post({"type": "preferred"})

    async def _test(self, intent: Message) -> None:
        """Beside the other intents: the endpoint may be silent for a long time."""
        self._jobs.spawn(self._registry.test(intent))

    async def _reset(self, intent: Message) -> None:
        if record := await self._host.store.message(intent["message"]):
            await self._view.content(record, 0)

    # Exports and imports

    async def _export(self, intent: Message) -> None:
        """Beside the other intents, like an import."""
        self._jobs.spawn(self._transfers.export(intent))

    async def _import(self, intent: Message) -> None:
        """Beside the other intents: a long file must not keep Stop waiting."""
        self._jobs.spawn(self._add_from_file(str(intent["text"])))

    async def _add_from_file(self, file: str) -> None:
        await self._transfers.add_from_file(file)
        # Also after an error: the usable conversations were added.
        self._host.broadcast({"changed": True})
        await self._view.list()

    # The page

    async def _load_tab_records(self, intent: Message) -> None:
        await load_tab_records(self._store.inner, intent.get("records"), self._host.post)
        await self._answers.resume_all()

    def check_storage(self) -> None:
        """The browser has closed the storage: what was deleted with it is stored again."""
        self._jobs.spawn(self._list_again())

    def _refused(self, error: StoreError) -> None:
        self._host.post(notice_of(error))

    def _cleared(self) -> None:
        self._host.post({"type": "notice", "code": "storage-cleared", "level": "error"})
        self.check_storage()

    async def _list_again(self) -> None:
        await self._view.list()
        await self._watch.list()

    async def _flush(self, intent: Message) -> None:
        """The page is hidden now, or about to go."""
        self._watch.visible = False
        await self._answers.flush()

    async def _network(self, intent: Message) -> None:
        online = bool(intent["online"])
        self._answers.network(online)
        self._view.network(online)
        self._registry.network(online)
        self._watch.online = online
        if online:
            self._jobs.spawn(self._watch.list())

    async def _visible(self, intent: Message) -> None:
        self._answers.wake()
        self._watch.visible = True
        self._jobs.spawn(self._look())

    # Other tabs

    async def _receive(self, intent: Message) -> None:
        """A broadcast of another tab's engine, in one queue with the screen's intents."""
        message = intent["said"]
        if "answer" in message:
            self._answers.receive(message["answer"])
        elif "stop" in message:
            await self._answers.stop(str(message["stop"]))
        elif "drop" in message:
            await self._store.forget_answer(str(message["drop"]))
            await self._answers.drop(str(message["drop"]))
        elif "changed" in message:
            await self._refresh(message.get("conversation"))
        elif "gone" in message:
            self._store.forget(str(message["gone"]))
            await self._conversations.abandon(str(message["gone"]))

    async def _refresh(self, conversation: str | None) -> None:
        """Another tab, or device, has changed a conversation: its unfinished answers are followed
        here too."""
        await self._answers.resume_all()
        self._jobs.spawn(self._conversations.start_sweeps())
        if conversation and conversation == self._view.conversation:
            await self._view.open(conversation, dict(self._view.last_patch))
        else:
            await self._view.list()

    # Other devices

    async def _look(self) -> None:
        await self._watch.fetch_wanted()

    def _look_elsewhere(self, conversation: str) -> None:
        self._jobs.spawn(self._watch.look(conversation))

    async def _open_elsewhere(self, conversation: str, *, known: bool) -> None:
        await self._registry.configured.wait()
        await self._watch.open(conversation, known=known)

    async def _learn_model(self, endpoint: Endpoint) -> None:
        """While there is a network: there may be none when the first prompt is written. Only the
        prompts for a gateway are sent without a page."""
        if endpoint.kind != "gateway":
            return
        with suppress(UpstreamError, StoreError):
            await model_of(endpoint, self._host.net, self._host.store)


def decode(batch: str) -> list[Message]:
    """A port batch. Raises ValueError when it is not an array of objects with a type."""
    messages = json.loads(batch)
    if not isinstance(messages, list) or not all(
        isinstance(message, dict) and isinstance(message.get("type"), str) for message in messages
    ):
        raise ValueError("a batch of the port must be an array of messages with a type")
    return messages
