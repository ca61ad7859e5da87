"""The engine's one entry: intents of a screen come in, messages to it go out through the host.

Three parts: the answers that are being written (`answers.py`), what the screen shows (`shown.py`),
and the other places where conversations are: tabs of this browser, and devices that use the same
gateway (`roaming.py`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from .. import __version__
from ..errors import StoreError, UpstreamError
from ..journal import Change, Record
from .answers import Answers
from .conversations import Conversations
from .copies import Copies
from .devices import Devices
from .endpoints import Endpoint
from .host import Host, Message, notice_of
from .models import model_of
from .offers import Offers
from .records import new_answer, new_conversation, new_question, new_run, run_key
from .search import Search
from .shown import Shown
from .status import FINAL_STATES
from .stores import take_kept
from .transcript import question_of, rows_of

PROTOCOL = 2  # of the port; a screen and an engine of two versions may meet during an update
CONTINUABLE = FINAL_STATES - {"complete"}


class Engine:
    def __init__(self, host: Host) -> None:
        self._host = host
        self._offers = Offers(host, self._asks)
        self._configured = asyncio.Event()
        self._shown = Shown(host)
        self._answers = Answers(host, self._from, self._over)
        self._shown.watch(self._answers)
        self._copies = Copies(host, self._answers)
        self._devices = Devices(host)
        self._conversations = Conversations(host, self._shown, self._answers, self._devices)
        self._queued: set[str] = set()  # questions that the screen was told to be waiting
        self._tasks: set[asyncio.Task[None]] = set()
        self._intents: dict[str, Callable[[Message], Awaitable[None]]] = {
            "open": self._open,
            "new": self._new,
            "send": self._send,
            "stop": self._stop,
            "retry": self._again,
            "regenerate": self._again,
            "continue": self._continue,
            "edit": self._edit,
            "remove": self._remove,
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
            **self._conversations.intents,
        }

    async def start(self) -> None:
        """Goes on with every answer that an earlier page was writing, shown or not."""
        self._host.post({"type": "hello", "version": __version__, "protocol": PROTOCOL})
        await self._offers.load()
        await self._answers.resume_all()
        self._spawn(self._conversations.look())

    def configure(self, config: dict[str, Any]) -> None:
        """Takes the contents of config.json. What was begun before goes on at the endpoint it was
        begun with."""
        self._offers.give(config)
        self._configured.set()
        self._spawn(self._look_elsewhere())

    def _asks(self, first: Endpoint) -> None:
        """New answers come from this endpoint."""
        self._devices.gateway = self._offers.gateway
        self._host.post({"type": "endpoint", **asdict(first)})
        self._spawn(self._learn_model(first))

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
            self._spawn(self._fetch(str(wanted), known=found))

    async def _new(self, intent: Message) -> None:
        await self._shown.blank()

    async def _prefer(self, intent: Message) -> None:
        """The language of the words, for the service worker, which prints some of them."""
        language = {"id": "language", "language": str(intent["language"])[:20]}
        await self._host.store.commit(Change().put("settings", language))
        self._host.post({"type": "preferred"})

    async def _test(self, intent: Message) -> None:
        """Beside the other intents: nobody may answer for a long time."""
        self._spawn(self._offers.test(intent))

    async def _reset(self, intent: Message) -> None:
        if record := await self._host.store.message(intent["message"]):
            await self._shown.content(record, 0)

    # What the person asks

    async def _send(self, intent: Message) -> None:
        words = str(intent["text"]).strip()
        if not words:
            return
        if said := await self._host.store.message(str(intent["message"])):
            # A page that went before it saw its prompt confirmed repeats it: this is the confirmation.
            await self._shown.open(said["conversation"], {})
            return
        await self._configured.wait()
        now = self._milliseconds()
        asked = intent.get("conversation")
        conversation = await self._host.store.conversation(str(asked)) if asked else None
        if conversation is None or conversation.get("gone"):
            conversation = new_conversation(self._host.new_id(), words, now)
        position = len(await self._host.store.messages(conversation["id"]))
        question = new_question(str(intent["message"]), conversation, position, words, now)
        answer = self._new_answer(conversation, position + 1, now, question["id"])
        await self._begin(conversation, answer, question)

    async def _again(self, intent: Message) -> None:
        """Retry and Regenerate: another answer to the same question, below the one that stands
        there. While a connection is waited for, Try now: the wait is cut short."""
        answer = self._answers.get(intent["message"])
        if answer and answer.state not in FINAL_STATES:
            answer.wake()
            return
        old, conversation = await self._ended(intent["message"])
        messages = await self._host.store.messages(old["conversation"])
        question = question_of(messages, old)
        now = self._milliseconds()
        again = self._new_answer(conversation, len(messages), now, question)
        await self._begin(conversation, again)

    async def _continue(self, intent: Message) -> None:
        """One more run of an answer that was cut off. Its text goes on where it stands."""
        record, conversation = await self._ended(intent["message"])
        if record["state"] not in CONTINUABLE:
            return
        await self._configured.wait()
        now, runs = self._milliseconds(), record["runs"]
        key = run_key(question_of([], record) or record["id"], record["id"], len(runs))
        run = new_run(key, self._offers.like(runs[-1]["endpoint"]))
        run |= {"began": now, "before": float(record.get("seconds", 0))}
        record = {name: record[name] for name in record if name != "error"}
        record |= {"state": "sending", "runs": [*runs, run]}
        await self._begin(conversation, record)

    async def _ended(self, message: str) -> tuple[Record, Record]:
        """An answer that nobody is writing, and its conversation. Raises KeyError."""
        answer = self._answers.get(message)
        if answer and answer.state in FINAL_STATES:
            await answer.ended.wait()  # its end is being stored
        record = await self._host.store.message(message)
        if record is None or record["state"] not in FINAL_STATES:
            raise KeyError(f"there is no ended answer {message}")
        conversation = await self._host.store.conversation(record["conversation"])
        if conversation is None:
            raise KeyError(f"conversation {record['conversation']} is not stored")
        return record, conversation

    async def _begin(self, conversation: Record, answer: Record, *others: Record) -> None:
        """Stores an answer that is to be written, and begins."""
        now, change = self._milliseconds(), Change(durability="strict")
        if await self._host.store.conversation(conversation["id"]):
            # One that was deleted in another tab is wanted: the person writes in it.
            change.amend("conversations", conversation["id"], {"updated": now, "deleted": None})
        else:
            change.put("conversations", conversation | {"updated": now})
        for record in (*others, answer):
            change.put("messages", record)
        await self._host.store.commit(change)
        self._answers.write(answer, recalled=False)
        await self._shown.turns(conversation["id"], [*others, answer])
        self._host.tell_tabs({"conversation": conversation["id"], "changed": True})

    def _new_answer(self, conversation: Record, position: int, now: int, question: str) -> Record:
        key = self._host.new_id()
        answer = new_answer(key, conversation, position, now, question, self._offers.first)
        answer["runs"][0]["began"] = now
        return answer

    async def _stop(self, intent: Message) -> None:
        self._host.tell_tabs({"stop": intent["message"]})
        await self._answers.stop(intent["message"])

    # A prompt that waits to be sent

    async def _edit(self, intent: Message) -> None:
        if question := await self._take_back(intent["message"]):
            draft = {"conversation": self._shown.conversation, "text": question["text"]}
            self._host.post({"type": "draft", **draft})

    async def _remove(self, intent: Message) -> None:
        await self._take_back(intent["message"])

    async def _take_back(self, message: str) -> Record | None:
        """Removes an answer that is queued, or has ended without a word, and its question, which
        is given back; None when it has been sent."""
        answer = await self._host.store.message(message)
        if answer is None:
            return None
        self._host.tell_tabs({"drop": message})
        over = answer["state"] in FINAL_STATES and not await rows_of(self._host.store, message)
        if not over and not await self._answers.drop(message):
            self._host.post({"type": "notice", "code": "already-sent", "level": "info"})
            return None
        conversation = answer["conversation"]
        messages = await self._host.store.messages(conversation)
        question = next((m for m in messages if m["id"] == question_of(messages, answer)), None)
        change = Change(durability="strict").drop("messages", message)
        asked = [m for m in messages if question_of(messages, m) == (question or {}).get("id")]
        gone = [message]
        if question and len([m for m in asked if m["author"] == "assistant"]) == 1:
            change.drop("messages", question["id"])
            gone.append(question["id"])
        if len(gone) == len(messages):
            change.drop("conversations", conversation)
        await self._host.store.commit(change)
        self._host.tell_tabs({"conversation": conversation, "changed": True})
        self._host.post({"type": "removed", "conversation": conversation, "messages": gone})
        await self._shown.list()
        return question

    # Copies

    async def _export(self, intent: Message) -> None:
        """Beside the other intents, like reading such a file."""
        self._spawn(self._copies.export(intent))

    async def _import(self, intent: Message) -> None:
        """Beside the other intents: a long file must not keep Stop waiting."""
        self._spawn(self._restore(str(intent["text"])))

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
            self._spawn(self._look_elsewhere())

    async def _visible(self, intent: Message) -> None:
        self._answers.wake()
        if shown := self._shown.conversation:
            self._spawn(self._fetch(shown, known=True))

    # What answers tell

    def _from(self, record: Record, message: Message) -> None:
        """What an answer tells the screen goes on when its conversation is the one that is
        shown."""
        if record["conversation"] == self._shown.conversation or message["type"] == "notice":
            self._host.post(message)
        if message["type"] == "patch" and record["conversation"] == self._shown.conversation:
            self._shown.told[record["id"]] = message["n"]
            self._shown.colours.patch(message)
        if message["type"] == "status":
            self._say_queued(record, message["state"] == "queued")
            self._shown.connection()

    def _say_queued(self, record: Record, queued: bool) -> None:
        """The question of a queued answer is queued too."""
        question = record.get("question", "")
        if queued == (question in self._queued):
            return
        (self._queued.add if queued else self._queued.discard)(question)
        if record["conversation"] == self._shown.conversation:
            state = "queued" if queued else "complete"
            self._host.post({"type": "status", "message": question, "state": state})
        self._spawn(self._shown.list())

    def _over(self, record: Record) -> None:
        self._shown.connection()
        self._spawn(self._note_end(record))

    async def _note_end(self, record: Record) -> None:
        """The list says how the last answer ended, and that nobody has looked at it."""
        key = record["conversation"]
        if record["state"] in FINAL_STATES:
            cut = record["state"] in ("interrupted", "failed")
            unseen = True if key != self._shown.conversation else None
            last = {"last": "interrupted" if cut else "complete", "unseen": unseen}
            with suppress(StoreError):  # said already, where it matters
                await self._host.store.commit(Change().amend("conversations", key, last))
        await self._shown.list()

    # Other tabs

    async def _hear(self, intent: Message) -> None:
        """What the engine of another tab tells all others; in line with the screen's intents."""
        message = intent["said"]
        if "answer" in message:
            self._answers.hear(message["answer"])
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
        self._spawn(self._conversations.look())
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
        await self._configured.wait()
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

    # Small things

    def _milliseconds(self) -> int:
        return round(self._host.now() * 1000)

    def _spawn(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(job)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._host.post(notice_of(error))


def decode(batch: str) -> list[Message]:
    """A port batch. Raises ValueError when it is not an array of objects with a type."""
    messages = json.loads(batch)
    if not isinstance(messages, list) or not all(
        isinstance(message, dict) and isinstance(message.get("type"), str) for message in messages
    ):
        raise ValueError("a batch of the port must be an array of messages with a type")
    return messages
