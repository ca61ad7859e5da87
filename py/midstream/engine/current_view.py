"""The current view of this tab: the conversation and the branch on its screen, and the messages that
draw them."""

from __future__ import annotations

from midstream.engine.answers.answers import Answers
from midstream.engine.answers.status import status_of
from midstream.engine.highlight.colours import Colours
from midstream.engine.ports.host import Host, Message
from midstream.engine.store.branches import Version, VersionedRecord
from midstream.engine.store.records import alive
from midstream.engine.store.rendering import branch_of, drawn_rows, patches, rows_of
from midstream.journal import Change, Record, Row


class CurrentView:
    """Owns which conversation the screen shows. It reads conversations and messages from the store
    each time, and holds none."""

    def __init__(self, host: Host) -> None:
        self.conversation: str | None = None
        self.gateway_items: list[Record] = []  # of the list: the conversations of the gateway
        self._branch: set[str] = set()  # the messages on the screen
        self.last_patch: dict[str, int] = {}  # by message, the last patch that the screen has
        self._host = host
        self._answers: Answers
        self.colours = Colours(host.post, host.load_pygments, host.watchdog)
        self._online = True
        self._connection = ""  # the state that the screen has

    def watch(self, answers: Answers) -> None:
        self._answers = answers

    async def blank(self) -> None:
        """A new conversation, which has no id yet."""
        self._clear()
        await self.list()

    async def open(self, wanted: str | None, painted: dict[str, int]) -> bool:
        """Shows a conversation, the newest one for None. False when there is no such conversation
        here. `painted`: by message, the newest patch that is on the screen already."""
        known = alive(await self._host.store.conversations())
        newest = max(known, key=lambda record: float(record["updated"]), default=None)
        wanted = wanted or (newest["id"] if newest else None)
        conversation = next((record for record in known if record["id"] == wanted), None)
        if conversation is None:
            self._clear()
            await self.list()
            return wanted is None
        await self._mark_seen(conversation)
        branch = await branch_of(self._host.store, conversation)
        self.last_patch = {}
        self._set(conversation["id"], branch)
        turns = [await self._turn(record, version) for record, version in branch]
        self.colours.clear()
        self._host.post(_head(conversation) | {"turns": turns})
        await self.list()
        for record, _ in branch:
            if record["author"] == "assistant":
                await self.content(record, int(painted.get(record["id"], 0)))
        return True

    async def switch(self, key: str, at: str) -> None:
        """Shows the branch with the message `at`, by one message to the screen: it is drawn at once, so
        that the button under the pointer does not move."""
        conversation = await self._host.store.conversation(key)
        if conversation is None or key != self.conversation:
            return
        branch = await branch_of(self._host.store, conversation)
        self._set(key, branch)
        turns = [await self._turn(record, version) for record, version in branch]
        answers = [record for record, _ in branch if record["author"] == "assistant"]
        new = [record for record in answers if record["id"] not in self.last_patch]
        # Last the one that this tab writes: it needs no read, so its end cannot come between.
        new.sort(key=self._writes)
        read = [(record, (await self._read(record))[0]) for record in new]
        patches = [patch for record, rows in read for patch in self._take(record, rows, 0)]
        self._host.post(_head(conversation) | {"turns": turns, "at": at, "patches": patches})
        await self.list()

    def _set(self, key: str | None, branch: list[VersionedRecord]) -> None:
        self.conversation = key
        self._branch = {record["id"] for record, _ in branch}
        self.last_patch = {message: n for message, n in self.last_patch.items() if message in self._branch}
        self.connection()

    def shows(self, record: Record) -> bool:
        return record["conversation"] == self.conversation and record["id"] in self._branch

    def _clear(self) -> None:
        self._set(None, [])
        self.colours.clear()
        self._host.post(_head(None) | {"turns": []})

    async def _mark_seen(self, conversation: Record) -> None:
        if conversation.get("unseen"):
            change = Change().amend("conversations", conversation["id"], {"unseen": None})
            await self._host.store.commit(change)

    async def content(self, record: Record, painted: int) -> None:
        """Posts the content of an answer as patches, from the first that the screen has not painted."""
        rows, again = await self._read(record)
        for patch in self._take(record, rows, 0 if again else painted):
            self._host.post(patch)

    def post_patch(self, patch: Message) -> None:
        """A new patch of an answer that is shown."""
        self._host.post(patch)
        self.last_patch[patch["message"]] = patch["n"]
        self.colours.patch(patch)

    def _writes(self, record: Record) -> bool:
        answer = self._answers.get(record["id"])
        return answer is not None and answer.writes

    async def _read(self, record: Record) -> tuple[list[Row], bool]:
        """The stored rows of an answer, and whether it was drawn again; none of one that this tab
        writes, whose rows are in memory."""
        if self._writes(record):
            return [], False
        if self._answers.get(record["id"]):  # another tab writes it
            return await rows_of(self._host.store, record["id"]), False
        return await drawn_rows(self._host.store, record)

    def _take(self, record: Record, rows: list[Row], painted: int) -> list[Message]:
        """The patches after `painted`, to be posted at once. No await may come in between: other
        patches could."""
        answer = self._answers.get(record["id"])
        if answer and answer.writes:
            rows = answer.rows
        self.colours.show(record["id"], rows)
        self.last_patch[record["id"]] = max(painted, rows[-1].n if rows else 0)
        if answer:
            answer.note_painted(self.last_patch[record["id"]])
        return patches(record, rows, painted)

    async def turns(self, key: str, records: list[Record], *, new: bool) -> None:
        """Posts turns that have begun, and makes their conversation the current one. A new turn stands
        after the message that it follows, instead of other versions and the messages below them."""
        conversation = await self._host.store.conversation(key)
        if conversation is None:  # deleted in another tab in this very moment
            return
        branch = await branch_of(self._host.store, conversation)
        self._set(key, branch)
        ids = ["", *(record["id"] for record, _ in branch)]
        versions = {record["id"]: version for record, version in branch}
        for record in records:
            turn = await self._turn(record, versions.get(record["id"], (1, 1)))
            if record["id"] in versions:
                after = {"after": ids[ids.index(record["id"]) - 1]} if new else {}
                self._host.post({"type": "turn", "conversation": key, "turn": turn} | after)
        await self.list()

    async def removed(self, key: str) -> None:
        """Messages have gone; another version of them is visible instead."""
        conversation = await self._host.store.conversation(key)
        branch = await branch_of(self._host.store, conversation) if conversation else []
        if key == self.conversation and {record["id"] for record, _ in branch} - self._branch:
            await self.open(key, dict(self.last_patch))
        else:
            await self.list()

    async def _turn(self, record: Record, version: Version) -> Message:
        turn: Message = {"message": record["id"], "author": record["author"]}
        if version[1] > 1:
            turn["versions"] = list(version)
        if record["author"] == "user":
            return turn | {
                "text": record["text"],
                "status": {"state": self._question_state(record)},
            }
        if answer := self._answers.get(record["id"]):
            return turn | {"status": self._answers.status(answer)}
        rows = await rows_of(self._host.store, record["id"])
        return turn | {"status": status_of(record, rows)}

    def _question_state(self, question: Record) -> str:
        """A question waits as long as its visible answer does."""
        own = [a for a in self._answers if a.record.get("question") == question["id"]]
        waits = any(a.state == "queued" and self.shows(a.record) for a in own)
        return "queued" if waits else str(question["state"])

    async def list(self) -> None:
        """Posts the list of conversations."""
        records = await self._host.store.conversations()
        items = [self._item(record) for record in alive(records)]
        here = {record["id"] for record in records}
        items += [item for item in self.gateway_items if item["id"] not in here]
        items.sort(key=lambda item: float(item["updated"]), reverse=True)
        undoable = [one for one in records if one.get("deleted") and not one.get("gone")]
        undoable.sort(key=lambda record: float(record["deleted"]), reverse=True)
        deleted = [{"id": record["id"], "title": record["title"]} for record in undoable]
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

    # The state of the connection

    def network(self, online: bool) -> None:
        self._online = online
        self.connection()

    def connection(self) -> None:
        """Of what is on the screen: that an answer of another conversation waits says nothing here."""
        shown = [answer for answer in self._answers if self.shows(answer.record) and not answer.paused]
        states = {answer.state for answer in shown}
        lost = "reconnecting" if states & {"reconnecting", "offline"} else "online"
        state = lost if self._online else "offline"
        if state != self._connection:
            self._connection = state
            self._host.post({"type": "connection", "state": state})


def _head(conversation: Record | None) -> Message:
    head = conversation or {"id": None, "title": ""}
    return {"type": "conversation", "id": head["id"], "title": head["title"]}
