"""What the person asks: prompts, other answers to them, more of an answer; and prompts that are taken
back before they are sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..journal import Change, Record
from .answers import Answers
from .host import Host, Message
from .offers import Offers
from .records import new_answer, new_conversation, new_question, new_run, run_key
from .shown import Shown
from .status import FINAL_STATES
from .transcript import question_of, rows_of

CONTINUABLE = FINAL_STATES - {"complete"}


class Prompts:
    """Makes the records of questions and answers, and begins with the answers. It keeps nothing
    beside the store."""

    def __init__(self, host: Host, shown: Shown, answers: Answers, offers: Offers) -> None:
        self._host = host
        self._shown = shown
        self._answers = answers
        self._offers = offers
        self.intents: dict[str, Callable[[Message], Awaitable[None]]] = {
            "send": self._send,
            "stop": self._stop,
            "retry": self._again,
            "regenerate": self._again,
            "continue": self._continue,
            "edit": self._edit,
            "remove": self._remove,
        }

    async def _send(self, intent: Message) -> None:
        words = str(intent["text"]).strip()
        if not words:
            return
        if said := await self._host.store.message(str(intent["message"])):
            # A page that went before it saw its prompt confirmed repeats it: this is the confirmation.
            await self._shown.open(said["conversation"], {})
            return
        await self._offers.configured.wait()
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
        await self._offers.configured.wait()
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

    def _milliseconds(self) -> int:
        return round(self._host.now() * 1000)
