"""What this tab's screen shows, and the messages that tell it."""

from __future__ import annotations

from midstream.engine.answers.answers import Answers
from midstream.engine.answers.status import status_of
from midstream.engine.highlight.colours import Colours
from midstream.engine.ports.host import Host, Message
from midstream.engine.store.branches import Place, Placed
from midstream.engine.store.records import alive
from midstream.engine.store.rendering import drawn_rows, line_of, patches, rows_of
from midstream.journal import Change, Record, Row


class Shown:
    """Owns which conversation is shown. Conversations and messages are read from the store when
    needed, never kept beside it."""

    def __init__(self, host: Host) -> None:
        self.conversation: str | None = None
        self.elsewhere: list[Record] = []  # items of conversations that the gateway has
        self._line: set[str] = set()  # the messages that are shown
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
        self._nothing()
        await self.list()

    async def open(self, wanted: str | None, painted: dict[str, int]) -> bool:
        """Shows a conversation, the newest one for None. False when there is no such conversation
        here. `painted`: by message, the newest patch that is on the screen already."""
        known = alive(await self._host.store.conversations())
        newest = max(known, key=lambda record: float(record["updated"]), default=None)
        wanted = wanted or (newest["id"] if newest else None)
        conversation = next((record for record in known if record["id"] == wanted), None)
        if conversation is None:
            self._nothing()
            await self.list()
            return wanted is None
        await self._seen(conversation)
        line = await line_of(self._host.store, conversation)
        self.told = {}
        self._is(conversation["id"], line)
        turns = [await self._turn(record, place) for record, place in line]
        self.colours.clear()
        self._host.post(_head(conversation) | {"turns": turns})
        await self.list()
        for record, _ in line:
            if record["author"] == "assistant":
                await self.content(record, int(painted.get(record["id"], 0)))
        return True

    async def switch(self, key: str, at: str) -> None:
        """Shows the line of versions that the message `at` is in, by one message to the screen: it
        stands there at once, so that what the person has pressed stays where it is."""
        conversation = await self._host.store.conversation(key)
        if conversation is None or key != self.conversation:
            return
        line = await line_of(self._host.store, conversation)
        self._is(key, line)
        turns = [await self._turn(record, place) for record, place in line]
        answers = [record for record, _ in line if record["author"] == "assistant"]
        new = [record for record in answers if record["id"] not in self.told]
        # Of one that is being written there is nothing to wait for, so its end cannot come between.
        new.sort(key=self._writes)
        read = [(record, (await self._read(record))[0]) for record in new]
        patches = [patch for record, rows in read for patch in self._take(record, rows, 0)]
        self._host.post(_head(conversation) | {"turns": turns, "at": at, "patches": patches})
        await self.list()

    def _is(self, key: str | None, line: list[Placed]) -> None:
        self.conversation = key
        self._line = {record["id"] for record, _ in line}
        self.told = {message: n for message, n in self.told.items() if message in self._line}

    def shows(self, record: Record) -> bool:
        return record["conversation"] == self.conversation and record["id"] in self._line

    def _nothing(self) -> None:
        self._is(None, [])
        self.colours.clear()
        self._host.post(_head(None) | {"turns": []})

    async def _seen(self, conversation: Record) -> None:
        if conversation.get("unseen"):
            change = Change().amend("conversations", conversation["id"], {"unseen": None})
            await self._host.store.commit(change)

    async def content(self, record: Record, painted: int) -> None:
        """The content of an answer as patches, from the first that the screen has not painted."""
        rows, again = await self._read(record)
        for patch in self._take(record, rows, 0 if again else painted):
            self._host.post(patch)

    def post_patch(self, patch: Message) -> None:
        """A new patch of an answer that is shown."""
        self._host.post(patch)
        self.told[patch["message"]] = patch["n"]
        self.colours.patch(patch)

    def _writes(self, record: Record) -> bool:
        answer = self._answers.get(record["id"])
        return answer is not None and answer.writes

    async def _read(self, record: Record) -> tuple[list[Row], bool]:
        """What is stored of an answer, and whether it had to be drawn again. What this tab writes is
        not read: its rows are in memory."""
        if self._writes(record):
            return [], False
        if self._answers.get(record["id"]):  # another tab writes it
            return await rows_of(self._host.store, record["id"]), False
        return await drawn_rows(self._host.store, record)

    def _take(self, record: Record, rows: list[Row], painted: int) -> list[Message]:
        """The patches that the screen is about to get. They are what was posted so far, and nothing
        can come between: no await from here until they are posted."""
        answer = self._answers.get(record["id"])
        if answer and answer.writes:
            rows = answer.rows
        self.colours.show(record["id"], rows)
        self.told[record["id"]] = max(painted, rows[-1].n if rows else 0)
        if answer:
            answer.note_painted(self.told[record["id"]])
        return patches(record, rows, painted)

    async def turns(self, key: str, records: list[Record], *, new: bool) -> None:
        """Turns that have begun, in a conversation that is shown from now on. A new one stands after
        the message that it follows, in the place of other versions and of what was below them."""
        conversation = await self._host.store.conversation(key)
        if conversation is None:  # deleted in another tab in this very moment
            return
        line = await line_of(self._host.store, conversation)
        self._is(key, line)
        ids = ["", *(record["id"] for record, _ in line)]
        places = {record["id"]: place for record, place in line}
        for record in records:
            turn = await self._turn(record, places.get(record["id"], (1, 1)))
            if record["id"] in places:
                told = {"after": ids[ids.index(record["id"]) - 1]} if new else {}
                self._host.post({"type": "turn", "conversation": key, "turn": turn} | told)
        await self.list()

    async def removed(self, key: str) -> None:
        """Messages have gone; what was another version of them is shown instead."""
        conversation = await self._host.store.conversation(key)
        line = await line_of(self._host.store, conversation) if conversation else []
        if key == self.conversation and {record["id"] for record, _ in line} - self._line:
            await self.open(key, dict(self.told))
        else:
            await self.list()

    async def _turn(self, record: Record, place: Place) -> Message:
        turn: Message = {"message": record["id"], "author": record["author"]}
        if place[1] > 1:
            turn["versions"] = list(place)
        if record["author"] == "user":
            return turn | {"text": record["text"], "status": {"state": self._sent(record)}}
        if answer := self._answers.get(record["id"]):
            return turn | {"status": self._answers.status(answer)}
        rows = await rows_of(self._host.store, record["id"])
        return turn | {"status": status_of(record, rows)}

    def _sent(self, question: Record) -> str:
        """A question waits as long as the answer does that is shown."""
        own = [a for a in self._answers if a.record.get("question") == question["id"]]
        waits = any(a.state == "queued" and self.shows(a.record) for a in own)
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


def _head(conversation: Record | None) -> Message:
    head = conversation or {"id": None, "title": ""}
    return {"type": "conversation", "id": head["id"], "title": head["title"]}
