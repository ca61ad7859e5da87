"""What this tab's screen shows, and the messages that tell it."""

from __future__ import annotations

from ..journal import Change, Record
from .answers import Answers
from .colours import Colours
from .host import Host, Message
from .records import alive
from .status import status_of
from .transcript import drawn_rows, patches, rows_of


class Shown:
    """Owns which conversation is shown. Conversations and messages are read from the store when
    needed, never kept beside it."""

    def __init__(self, host: Host) -> None:
        self.conversation: str | None = None
        self.elsewhere: list[Record] = []  # items of conversations that the gateway has
        self.told: dict[str, int] = {}  # by message, the last patch that the screen has
        self._host = host
        self._answers: Answers
        self.colours = Colours(host.post, host.library)
        self._online = True
        self._connection = ""  # what the screen was last told of it

    def watch(self, answers: Answers) -> None:
        self._answers = answers

    async def blank(self) -> None:
        """A new conversation, which has no id yet."""
        self.conversation = None
        self.colours.clear()
        self._post_conversation(None, [])
        await self.list()

    async def open(self, wanted: str | None, painted: dict[str, int]) -> bool:
        """Shows a conversation, the newest one for None. False when there is no such conversation
        here. `painted`: by message, the newest patch that is on the screen already."""
        known = alive(await self._host.store.conversations())
        newest = max(known, key=lambda record: float(record["updated"]), default=None)
        wanted = wanted or (newest["id"] if newest else None)
        conversation = next((record for record in known if record["id"] == wanted), None)
        self.conversation = conversation["id"] if conversation else None
        self.told = {}
        self.colours.clear()
        if conversation is None:
            self._post_conversation(None, [])
            await self.list()
            return wanted is None
        await self._seen(conversation)
        messages = await self._host.store.messages(conversation["id"])
        turns = [await self._turn(record) for record in messages]
        self._post_conversation(conversation, turns)
        await self.list()
        for record in messages:
            if record["author"] == "assistant":
                await self.content(record, int(painted.get(record["id"], 0)))
        return True

    def _post_conversation(self, conversation: Record | None, turns: list[Message]) -> None:
        head = {"id": conversation["id"], "title": conversation["title"]} if conversation else None
        head = head or {"id": None, "title": ""}
        self._host.post({"type": "conversation", **head, "turns": turns})

    async def _seen(self, conversation: Record) -> None:
        if conversation.get("unseen"):
            change = Change().amend("conversations", conversation["id"], {"unseen": None})
            await self._host.store.commit(change)

    async def content(self, record: Record, painted: int) -> None:
        """The content of an answer as patches, from the first that the screen has not painted."""
        answer = self._answers.get(record["id"])
        if answer and answer.writes:
            # they are what was posted, nothing can come between: no await from here on
            rows = answer.rows
        elif answer:  # another tab writes it
            rows = await rows_of(self._host.store, record["id"])
        else:
            rows, again = await drawn_rows(self._host.store, record)
            painted = 0 if again else painted
        for patch in patches(record, rows, painted):
            self._host.post(patch)
        self.colours.show(record["id"], rows)
        self.told[record["id"]] = max(painted, rows[-1].n if rows else 0)
        if answer:
            answer.told = max(answer.told, self.told[record["id"]])

    async def turns(self, conversation: str, records: list[Record]) -> None:
        """New turns at the end of the conversation, which is shown from now on."""
        self.conversation = conversation
        for record in records:
            turn = await self._turn(record)
            self._host.post({"type": "turn", "conversation": conversation, "turn": turn})
        await self.list()

    async def _turn(self, record: Record) -> Message:
        turn: Message = {"message": record["id"], "author": record["author"]}
        if record["author"] == "user":
            return turn | {"text": record["text"], "status": {"state": self._sent(record)}}
        if answer := self._answers.get(record["id"]):
            return turn | {"status": self._answers.status(answer)}
        rows = await rows_of(self._host.store, record["id"])
        return turn | {"status": status_of(record, rows)}

    def _sent(self, question: Record) -> str:
        """A question waits as long as its answer does."""
        own = [a for a in self._answers if a.record.get("question") == question["id"]]
        waits = any(answer.state == "queued" for answer in own)
        return "queued" if waits else str(question["state"])

    async def list(self) -> None:
        records = await self._host.store.conversations()
        items = [self._item(record) for record in alive(records)]
        here = {record["id"] for record in records}
        items += [item for item in self.elsewhere if item["id"] not in here]
        items.sort(key=lambda item: float(item["updated"]), reverse=True)
        back = [record for record in records if record.get("deleted") and not record.get("gone")]
        back.sort(key=lambda record: float(record["deleted"]), reverse=True)
        deleted = [{"id": record["id"], "title": record["title"]} for record in back]
        self._host.post({"type": "conversations", "items": items, "deleted": deleted})

    def _item(self, record: Record) -> Message:
        states = {answer.state for answer in self._answers.of(record["id"])}
        if states:
            state = "queued" if states == {"queued"} else "streaming"
        else:
            state = str(record.get("last", "complete"))
            state = "finished" if record.get("unseen") and state == "complete" else state
        return {
            "id": record["id"],
            "title": record["title"],
            "updated": record["updated"],
            "state": state,
            "pinned": bool(record.get("pinned")),
        }

    # The connection word

    def network(self, online: bool) -> None:
        self._online = online
        self.connection()

    def connection(self) -> None:
        states = {answer.state for answer in self._answers}
        lost = "reconnecting" if states & {"reconnecting", "offline"} else "online"
        state = lost if self._online else "offline"
        if state != self._connection:
            self._connection = state
            self._host.post({"type": "connection", "state": state})
