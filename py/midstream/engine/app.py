"""The engine's one entry: intents of a screen come in, messages to it go out through the host.

It knows which conversation is shown and which answers are being written; each of those looks after
itself (`answer.py`). Conversations and messages are read from the store when needed, never kept
beside it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Any

from .. import __version__
from ..journal import Change, Record, text
from .answer import Answer
from .endpoints import Endpoint, endpoints
from .export import as_markdown, file_name
from .host import Host, Message, notice_of
from .records import new_answer, new_conversation, new_question
from .status import FINAL_STATES, status_of
from .transcript import drawn_rows, history_of, patches, question_of, rows_of
from .upstream import Upstream

PROTOCOL = 1  # of the port; a screen and an engine of two versions may meet during an update


class Engine:
    def __init__(self, host: Host) -> None:
        self._host = host
        self._endpoints: list[Endpoint] = []  # the default one first
        self._configured = asyncio.Event()
        self._answers: dict[str, Answer] = {}
        self._shown: str | None = None
        self._online = True
        self._connection = ""  # what the screen was last told of it
        self._tasks: set[asyncio.Task[None]] = set()
        self._intents: dict[str, Callable[[Message], Awaitable[None]]] = {
            "open": self._open,
            "new": self._new,
            "send": self._send,
            "stop": self._stop,
            "retry": self._again,
            "regenerate": self._again,
            "save": self._save,
            "copy": self._copy,
            "reset": self._reset,
            "flush": self._flush,
            "network": self._network,
            "visible": self._visible,
        }

    async def start(self) -> None:
        """Goes on with every answer that an earlier page was writing, shown or not."""
        self._host.post({"type": "hello", "version": __version__, "protocol": PROTOCOL})
        for record in await self._host.store.unfinished():
            try:
                self._write(record, recalled=True)
            except (LookupError, TypeError) as error:  # a record of another version, or damaged
                self._host.post(notice_of(error))

    def configure(self, config: dict[str, Any]) -> None:
        """Takes the contents of config.json. What was begun before goes on at the endpoint it was
        begun with."""
        self._endpoints = endpoints(config)
        first = self._endpoints[0]
        self._host.post({"type": "endpoint", **asdict(first)})
        self._configured.set()

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

    # What the person does

    async def _open(self, intent: Message) -> None:
        known = await self._host.store.conversations()
        newest = max(known, key=lambda record: float(record["updated"]), default=None)
        wanted = intent.get("conversation") or (newest["id"] if newest else None)
        conversation = next((record for record in known if record["id"] == wanted), None)
        self._shown = conversation["id"] if conversation else None
        await self._list()
        if conversation is None:
            if wanted:
                self._host.post({"type": "notice", "code": "unknown-conversation", "level": "info"})
            self._host.post({"type": "conversation", "id": None, "title": "", "turns": []})
            return
        painted = intent.get("painted") or {}
        messages = await self._host.store.messages(conversation["id"])
        turns = [await self._turn(record) for record in messages]
        self._host.post(
            {
                "type": "conversation",
                "id": conversation["id"],
                "title": conversation["title"],
                "turns": turns,
            }
        )
        for record in messages:
            if record["author"] == "assistant":
                await self._show(record, int(painted.get(record["id"], 0)))

    async def _new(self, intent: Message) -> None:
        self._shown = None
        self._host.post({"type": "conversation", "id": None, "title": "", "turns": []})
        await self._list()

    async def _send(self, intent: Message) -> None:
        words = str(intent["text"]).strip()
        if not words:
            return
        if said := await self._host.store.message(str(intent["message"])):
            # A page that went before it saw its prompt confirmed repeats it: this is the confirmation.
            await self._open({"conversation": said["conversation"]})
            return
        await self._configured.wait()
        now = self._milliseconds()
        asked = intent.get("conversation")
        conversation = await self._host.store.conversation(str(asked)) if asked else None
        conversation = conversation or new_conversation(self._host.new_id(), words, now)
        conversation["updated"] = now
        position = len(await self._host.store.messages(conversation["id"]))
        question = new_question(str(intent["message"]), conversation, position, words, now)
        answer = self._new_answer(conversation, position + 1, now, question["id"])
        change = Change(durability="strict")
        for store, record in (
            ("conversations", conversation),
            ("messages", question),
            ("messages", answer),
        ):
            change.put(store, record)
        await self._host.store.commit(change)
        self._write(answer, recalled=False)
        await self._show_turns(conversation, question, answer)

    async def _stop(self, intent: Message) -> None:
        if answer := self._answers.get(intent["message"]):
            answer.stop()

    async def _again(self, intent: Message) -> None:
        """Retry and Regenerate: another answer to the same question, below the one that stands
        there."""
        old = await self._host.store.message(intent["message"])
        if old is None or old["state"] not in FINAL_STATES:
            return
        await self._configured.wait()
        messages = await self._host.store.messages(old["conversation"])
        conversation = await self._host.store.conversation(old["conversation"])
        if conversation is None:
            raise KeyError(f"conversation {old['conversation']} is not stored")
        now = self._milliseconds()
        conversation["updated"] = now
        question = question_of(messages, old)
        answer = self._new_answer(conversation, len(messages), now, question)
        change = (
            Change(durability="strict").put("messages", answer).put("conversations", conversation)
        )
        await self._host.store.commit(change)
        self._write(answer, recalled=False)
        await self._show_turns(conversation, answer)

    async def _save(self, intent: Message) -> None:
        record, written = await self._written(intent["message"])
        name = file_name(record, self._host.now())
        content = as_markdown(record, written, partial=record["state"] not in FINAL_STATES)
        self._host.post(
            {"type": "download", "name": name, "mime": "text/markdown", "text": content}
        )

    async def _copy(self, intent: Message) -> None:
        _, written = await self._written(intent["message"])
        self._host.post({"type": "clipboard", "text": written})

    async def _reset(self, intent: Message) -> None:
        if record := await self._host.store.message(intent["message"]):
            await self._show(record, 0)

    async def _flush(self, intent: Message) -> None:
        await asyncio.gather(*(answer.flush() for answer in self._answers.values()))

    async def _network(self, intent: Message) -> None:
        self._online = bool(intent["online"])
        for answer in self._answers.values():
            answer.network(self._online)
        self._say_connection()

    async def _visible(self, intent: Message) -> None:
        for answer in self._answers.values():
            answer.wake()

    # Answers

    def _new_answer(self, conversation: Record, position: int, now: int, question: str) -> Record:
        key = self._host.new_id()
        return new_answer(key, conversation, position, now, question, self._endpoints[0])

    def _write(self, record: Record, *, recalled: bool) -> None:
        async def history() -> list[dict[str, Any]]:
            return await history_of(self._host.store, record)

        host = replace(self._host, post=lambda message: self._from(record, message))
        endpoint = Endpoint(**record["runs"][-1]["endpoint"])
        upstream = Upstream(host, endpoint, history)
        answer = Answer(host, record, upstream, recalled=recalled)
        self._answers[record["id"]] = answer
        self._spawn(self._write_to_end(answer))

    async def _write_to_end(self, answer: Answer) -> None:
        try:
            await answer.write()
        finally:
            del self._answers[answer.id]
            self._say_connection()
        await self._list()

    def _from(self, record: Record, message: Message) -> None:
        """What an answer tells the screen goes on when its conversation is the one that is
        shown."""
        if record["conversation"] == self._shown or message["type"] == "notice":
            self._host.post(message)
        if message["type"] == "status":
            self._say_connection()

    # Telling the screen

    async def _show(self, record: Record, painted: int) -> None:
        """The content of an answer as patches, from the first that the screen has not painted."""
        answer = self._answers.get(record["id"])
        if (
            answer and answer.rows
        ):  # they are what was posted, nothing can come between: no await from here on
            rows = answer.rows
        elif answer:  # it waits for another tab
            rows = await rows_of(self._host.store, record["id"])
        else:
            rows, again = await drawn_rows(self._host.store, record)
            painted = 0 if again else painted
        for patch in patches(rows, painted):
            self._host.post(patch)

    async def _turn(self, record: Record) -> Message:
        turn: Message = {"message": record["id"], "author": record["author"]}
        if record["author"] == "user":
            return turn | {"text": record["text"], "status": {"state": record["state"]}}
        if answer := self._answers.get(record["id"]):
            return turn | {"status": answer.status()}
        rows = await rows_of(self._host.store, record["id"])
        return turn | {"status": status_of(record, rows)}

    async def _show_turns(self, conversation: Record, *records: Record) -> None:
        self._shown = conversation["id"]
        for record in records:
            turn = await self._turn(record)
            self._host.post({"type": "turn", "conversation": conversation["id"], "turn": turn})
        await self._list()

    async def _list(self) -> None:
        items = []
        for record in await self._host.store.conversations():
            writing = any(
                answer.record["conversation"] == record["id"] for answer in self._answers.values()
            )
            items.append(
                {
                    "id": record["id"],
                    "title": record["title"],
                    "updated": record["updated"],
                    "state": "streaming" if writing else "complete",
                }
            )
        items.sort(key=lambda item: float(item["updated"]), reverse=True)
        self._host.post({"type": "conversations", "items": items})

    def _say_connection(self) -> None:
        states = {answer.status()["state"] for answer in self._answers.values()}
        lost = "reconnecting" if states & {"reconnecting", "offline"} else "online"
        state = lost if self._online else "offline"
        if state != self._connection:
            self._connection = state
            self._host.post({"type": "connection", "state": state})

    # Small things

    async def _written(self, message: str) -> tuple[Record, str]:
        record = await self._host.store.message(message)
        if record is None:
            raise KeyError(f"message {message} is not stored")
        return record, text(await rows_of(self._host.store, message))

    def _milliseconds(self) -> int:
        return round(self._host.now() * 1000)

    def _spawn(self, job: Any) -> None:
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
