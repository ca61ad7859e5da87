"""The engine's one entry: intents of a screen come in, messages to it go out through the host.

It wires the parts: what the person asks (`answer_intents.py`) makes answers that are being written
(`answers.py`); their reports (`answer_events.py`) go to what the screen shows (`current_view.py`). What stands
here is about other places: tabs of this browser, and devices that use the same gateway.
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
from midstream.engine.conversation_intents import Conversations
from midstream.engine.current_view import Shown
from midstream.engine.devices.devices import Devices
from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.endpoints.models import model_of
from midstream.engine.endpoints.registry import Offers
from midstream.engine.ports.host import Host, Message, notice_of
from midstream.engine.ports.jobs import Jobs
from midstream.engine.search.search import Search
from midstream.engine.store.tab_store import take_kept
from midstream.engine.transfer.transfers import Copies
from midstream.errors import StoreError, UpstreamError
from midstream.journal import Change

PROTOCOL = 2  # of the port; a screen and an engine of two versions may meet during an update


class Engine:
    def __init__(self, host: Host) -> None:
        self._host = host
        self._offers = Offers(host, self._asks)
        self._jobs = Jobs(host.post)
        self._shown = Shown(host)
        self._answers = Answers(host, self._shown, self._jobs)
        self._shown.watch(self._answers)
        self._copies = Copies(host, self._answers)
        self._devices = Devices(host)
        self._conversations = Conversations(
            host, self._shown, self._answers, self._devices, self._jobs
        )
        self._answer_intents = AnswerIntents(host, self._shown, self._answers, self._offers)
        self._intents: dict[str, Callable[[Message], Awaitable[None]]] = {
            "open": self._open,
            "new": self._new,
            "save": self._copies.save,
            "copy": self._copies.copy,
            "source": self._copies.source,
            "export": self._export,
            "import": self._import,
            "kept": self._kept,
            "reset": self._reset,
            "flush": self._flush,
            "prefer": self._prefer,
            "keys": self._offers.keys,
            "endpoint-choose": self._offers.choose,
            "endpoint-add": self._offers.add,
            "endpoint-remove": self._offers.remove,
            "endpoint-test": self._test,
            "network": self._network,
            "visible": self._visible,
            "tab": self._hear,
            "search": Search(host, self._shown).search,
            **self._answer_intents.intents,
            **self._conversations.intents,
        }

    async def start(self) -> None:
        """Goes on with every answer that an earlier page was writing, shown or not."""
        self._host.post({"type": "hello", "version": __version__, "protocol": PROTOCOL})
        await self._offers.load()
        await self._answers.resume_all()
        self._jobs.spawn(self._conversations.look())

    def configure(self, config: dict[str, Any]) -> None:
        """Takes the contents of config.json. What was begun before goes on at the endpoint it was
        begun with."""
        self._offers.give(config)
        self._jobs.spawn(self._look_elsewhere())

    def _asks(self, first: Endpoint) -> None:
        """New answers come from this endpoint."""
        self._devices.gateway = self._offers.gateway
        self._host.post({"type": "endpoint", **asdict(first)})
        self._jobs.spawn(self._learn_model(first))

    async def handle(self, intent: Message) -> None:
        """Does what the screen asks. An intent that fails is said on the screen and leaves
        everything else running."""
        job = self._intents.get(str(intent.get("type")))
        try:
            if job is None:
                raise ValueError(f"unknown intent {intent.get('type')!r}")
            await job(intent)
        except Exception as error:  # the last frame before the event loop: a mistake must be said
            self._host.post(notice_of(error))

    # What the person looks at

    async def _open(self, intent: Message) -> None:
        wanted = intent.get("conversation") or None
        found = await self._shown.open(wanted, intent.get("painted") or {})
        if wanted:
            self._jobs.spawn(self._fetch(str(wanted), known=found))

    async def _new(self, intent: Message) -> None:
        await self._shown.blank()

    async def _prefer(self, intent: Message) -> None:
        """The language of the words, for the service worker, which prints some of them."""
        language = {"id": "language", "language": str(intent["language"])[:20]}
        await self._host.store.commit(Change().put("settings", language))
        self._host.post({"type": "preferred"})

    async def _test(self, intent: Message) -> None:
        """Beside the other intents: nobody may answer for a long time."""
        self._jobs.spawn(self._offers.test(intent))

    async def _reset(self, intent: Message) -> None:
        if record := await self._host.store.message(intent["message"]):
            await self._shown.content(record, 0)

    # Copies

    async def _export(self, intent: Message) -> None:
        """Beside the other intents, like reading such a file."""
        self._jobs.spawn(self._copies.export(intent))

    async def _import(self, intent: Message) -> None:
        """Beside the other intents: a long file must not keep Stop waiting."""
        self._jobs.spawn(self._restore(str(intent["text"])))

    async def _restore(self, file: str) -> None:
        await self._copies.restore(file)
        # Also after an error: what could be used was added.
        self._host.tell_tabs({"changed": True})
        await self._shown.list()

    # What happens to the page

    async def _kept(self, intent: Message) -> None:
        await take_kept(self._host.store, intent.get("records"), self._host.post)
        await self._answers.resume_all()

    async def _flush(self, intent: Message) -> None:
        await self._answers.flush()

    async def _network(self, intent: Message) -> None:
        online = bool(intent["online"])
        self._answers.network(online)
        self._shown.network(online)
        self._offers.network(online)
        if online:
            self._jobs.spawn(self._look_elsewhere())

    async def _visible(self, intent: Message) -> None:
        self._answers.wake()
        if shown := self._shown.conversation:
            self._jobs.spawn(self._fetch(shown, known=True))

    # Other tabs

    async def _hear(self, intent: Message) -> None:
        """What the engine of another tab tells all others; in line with the screen's intents."""
        message = intent["said"]
        if "answer" in message:
            self._answers.receive(message["answer"])
        elif "stop" in message:
            await self._answers.stop(str(message["stop"]))
        elif "drop" in message:
            await self._answers.drop(str(message["drop"]))
        elif "changed" in message:
            await self._renew(message.get("conversation"))
        elif "gone" in message:
            await self._conversations.gone(str(message["gone"]))

    async def _renew(self, conversation: str | None) -> None:
        """Another tab, or device, has changed a conversation: its unfinished answers are followed
        here too."""
        await self._answers.resume_all()
        self._jobs.spawn(self._conversations.look())
        if conversation and conversation == self._shown.conversation:
            await self._shown.open(conversation, dict(self._shown.told))
        else:
            await self._shown.list()

    # Other devices

    async def _look_elsewhere(self) -> None:
        found = await self._devices.conversations()
        if found is not None:
            self._shown.elsewhere = found
            await self._shown.list()
            await self._conversations.settle()

    async def _fetch(self, conversation: str, *, known: bool) -> None:
        """Shows what another device has added to a conversation, or all of it."""
        await self._offers.configured.wait()
        if await self._devices.fetch(conversation):
            self._shown.conversation = self._shown.conversation or conversation
            await self._renew(conversation)
            self._host.tell_tabs({"conversation": conversation, "changed": True})
        elif not known:
            self._host.post({"type": "notice", "code": "unknown-conversation", "level": "info"})

    async def _learn_model(self, endpoint: Endpoint) -> None:
        """While there is a network: the first prompt may be written when there is none. Only a
        gateway's prompts are sent without a page."""
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
