"""The intents about answers: prompts, other answers to them, more of an answer, versions; and taking
a prompt back before it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from midstream.engine.answers.answers import Answers
from midstream.engine.current_view import CurrentView
from midstream.engine.endpoints.registry import EndpointRegistry
from midstream.engine.ports.host import Host, Message
from midstream.engine.store.branches import Branches, parent_implied
from midstream.engine.store.records import (
    FINAL_STATES,
    new_answer,
    new_conversation,
    new_question,
    new_run,
    next_position,
    run_key,
)
from midstream.engine.store.rendering import branches_of, rows_of
from midstream.journal import Change, Record
from midstream.text import prompt_of

ALONE_S = 2.0
CONTINUABLE = FINAL_STATES - {"complete"}


class AnswerIntents:
    """Makes the records of questions and answers, and begins with the answers. Its state is in the
    store alone."""

    def __init__(self, host: Host, view: CurrentView, answers: Answers, registry: EndpointRegistry) -> None:
        self._host = host
        self._view = view
        self._answers = answers
        self._registry = registry
        self.intents: dict[str, Callable[[Message], Awaitable[None]]] = {
            "send": self._send,
            "stop": self._stop,
            "retry": self._again,
            "regenerate": self._again,
            "continue": self._continue,
            "edit": self._edit,
            "remove": self._remove,
            "version": self._version,
        }

    async def _send(self, intent: Message) -> None:
        text = prompt_of(str(intent["text"]))
        if not text:
            return
        if stored := await self._host.store.message(str(intent["message"])):
            # A page that was closed before its prompt was confirmed repeats it: this confirms it.
            await self._view.open(stored["conversation"], {})
            return
        await self._registry.configured.wait()
        async with self._alone(intent.get("conversation")):
            await self._ask(intent, text)

    async def _ask(self, intent: Message, text: str) -> None:
        now, key = self._milliseconds(), intent.get("conversation")
        conversation = await self._host.store.conversation(str(key)) if key else None
        if conversation is None or conversation.get("gone"):
            conversation = new_conversation(self._host.new_id(), text, now)
        messages = await self._host.store.messages(conversation["id"])
        parent = _parent(Branches(messages), intent, conversation.get("leaf"))
        position = next_position(messages)
        question = new_question(str(intent["message"]), conversation, position, text, now, parent)
        answer = self._new_answer(conversation, [*messages, question], now, question["id"])
        await self._begin(conversation, answer, question)

    @asynccontextmanager
    async def _alone(self, conversation: object) -> AsyncIterator[None]:
        """Two tabs that send at once do so one after the other, so that the second prompt follows the
        first. A tab that the browser has frozen meanwhile is not waited for."""
        async with AsyncExitStack() as stack:
            if conversation:
                with suppress(TimeoutError):
                    async with asyncio.timeout(ALONE_S):
                        await stack.enter_async_context(self._host.lock(f"midstream:conversation:{conversation}"))
                await self._answers.resume_all()  # the other tab's answers are known from here on
            yield

    async def _again(self, intent: Message) -> None:
        """Retry and Regenerate: another version of the answer. While the answer waits for a
        connection, Try now: ends the wait."""
        answer = self._answers.get(intent["message"])
        if answer and answer.state not in FINAL_STATES:
            answer.wake()
            return
        old, conversation = await self._ended(intent["message"])
        messages = await self._host.store.messages(old["conversation"])
        question = Branches(messages).parents[old["id"]]
        again = self._new_answer(conversation, messages, self._milliseconds(), question)
        await self._begin(conversation, again)

    async def _continue(self, intent: Message) -> None:
        """One more run of an answer that was cut off. Its text goes on where it stands."""
        record, conversation = await self._ended(intent["message"])
        if record["state"] not in CONTINUABLE:
            return
        await self._registry.configured.wait()
        now, runs = self._milliseconds(), record["runs"]
        messages = await self._host.store.messages(conversation["id"])
        question = Branches(messages).parents[record["id"]]
        parent = _named_parent(messages, question)
        key = run_key(question or record["id"], record["id"], len(runs), parent)
        run = new_run(key, self._registry.like(runs[-1]["endpoint"]))
        run |= {"began": now, "before": float(record.get("seconds", 0))}
        record = {name: record[name] for name in record if name != "error"}
        record |= {"state": "sending", "runs": [*runs, run]}
        await self._begin(conversation, record, new=False)

    async def _ended(self, message: str) -> tuple[Record, Record]:
        """An answer that has ended, and its conversation. Raises KeyError when there is none."""
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

    async def _begin(self, conversation: Record, answer: Record, *others: Record, new: bool = True) -> None:
        """Stores an answer that is to be written, and begins. `new`: it gets a turn of its own."""
        if self._answers.waits(answer):  # the page may go before its turn comes: it is surely not sent
            answer["state"] = "queued"
        change = Change(durability="strict", kept=True)  # a full storage must not keep the prompt waiting
        fields: Record = {"updated": self._milliseconds()}
        fields |= {"leaf": answer["id"]} if new else {}
        if await self._host.store.conversation(conversation["id"]):
            # If another tab has deleted it, this takes that back: the person writes in it.
            change.amend("conversations", conversation["id"], {**fields, "deleted": None})
        else:
            change.put("conversations", conversation | fields)
        for record in (*others, answer):
            change.put("messages", record)
        await self._host.store.commit(change)
        self._answers.write(answer, recalled=False)
        await self._view.turns(conversation["id"], [*others, answer], new=new)
        self._host.broadcast({"conversation": conversation["id"], "changed": True})

    def _new_answer(self, conversation: Record, messages: list[Record], now: int, question: str) -> Record:
        """`messages`: those before it."""
        key, position = self._host.new_id(), next_position(messages)
        first, parent = self._registry.first, _named_parent(messages, question)
        answer = new_answer(key, conversation, position, now, question, first, parent)
        answer["runs"][0]["began"] = now
        return answer

    async def _stop(self, intent: Message) -> None:
        self._host.broadcast({"stop": intent["message"]})
        await self._answers.stop(intent["message"])

    # A prompt that waits to be sent

    async def _edit(self, intent: Message) -> None:
        if question := await self._take_back(intent["message"]):
            draft = {"conversation": self._view.conversation, "text": question["text"]}
            self._host.post({"type": "draft", **draft})

    async def _remove(self, intent: Message) -> None:
        await self._take_back(intent["message"])

    async def _take_back(self, message: str) -> Record | None:
        """Removes an answer that is queued, or has ended without a word, and its question. Returns
        the question; None when it has been sent."""
        answer = await self._host.store.message(message)
        if answer is None:
            return None
        self._host.broadcast({"drop": message})
        over = answer["state"] in FINAL_STATES and not await rows_of(self._host.store, message)
        if not over and not await self._answers.drop(message):
            self._host.post({"type": "notice", "code": "already-sent", "level": "info"})
            return None
        conversation = answer["conversation"]
        messages = await self._host.store.messages(conversation)
        paths = Branches(messages)
        removed, parent = [message], paths.parents[message]
        question = next((m for m in messages if m["id"] == parent and m["author"] == "user"), None)
        if question and len(paths.beside(message)) == 1:
            removed.append(question["id"])
        change = Change(durability="strict")
        for key in removed:
            change.drop("messages", key)
        if len(removed) == len(messages):
            change.drop("conversations", conversation)
        else:
            left = [key for key in paths.beside(removed[-1]) if key not in removed]
            leaf = left[-1] if left else paths.parents[removed[-1]]
            change.amend("conversations", conversation, {"leaf": leaf or None})
        await self._host.store.commit(change)
        self._host.broadcast({"conversation": conversation, "changed": True})
        self._host.post({"type": "removed", "conversation": conversation, "messages": removed})
        await self._view.removed(conversation)
        return question

    # Versions

    async def _version(self, intent: Message) -> None:
        """Shows a message, or, `step` from it, another version of it, with the newest below it."""
        record = await self._host.store.message(str(intent["message"]))
        if record is None:
            raise KeyError(f"there is no message {intent['message']}")
        key = record["conversation"]
        paths = await branches_of(self._host.store, key)
        versions = paths.beside(record["id"])
        index = versions.index(record["id"]) + int(intent.get("step", 0))
        wanted = versions[min(max(index, 0), len(versions) - 1)]
        change = Change(durability="strict")
        await self._host.store.commit(change.amend("conversations", key, {"leaf": paths.end(wanted)}))
        await self._view.switch(key, wanted)
        self._host.broadcast({"conversation": key, "changed": True})

    def _milliseconds(self) -> int:
        return round(self._host.now() * 1000)


def _parent(paths: Branches, intent: Message, leaf: str | None) -> str:
    """The message before a new question: the one that the person saw last or, when the question is
    another version of one, the message before that."""
    if (edits := str(intent.get("edits") or "")) in paths.parents:
        return paths.parents[edits]
    after = str(intent.get("after") or "")
    return paths.end(after if after in paths.parents else leaf)


def _named_parent(messages: list[Record], question: str) -> str | None:
    """The message before the question, when a key has to name it (`branches.parent_implied`); else None."""
    return None if parent_implied(messages, question) else Branches(messages).parents[question]
