"""Intents about whole conversations: rename, pin, delete and undelete.

Deleting first marks the conversation (`deleted`, strictly stored), which hides it everywhere. Until
the time to undo (`UNDO_S`) is over nothing of it is lost: its answers go on being written, and the
prompts that wait are held back. Then its answers are stopped and its messages deleted; a page that is
loaded in between gives that time again. After that only the mark is left (`gone`), as long as a
gateway might list the conversation, and until the gateway has deleted its part (`owed`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from midstream.engine.answers.answer import Answer
from midstream.engine.answers.answers import Answers
from midstream.engine.current_view import CurrentView
from midstream.engine.devices.device_sync import DeviceSync
from midstream.engine.ports.host import Host, Message
from midstream.engine.ports.jobs import Jobs
from midstream.engine.store.records import NAME_CHARACTERS
from midstream.journal import Change, Record
from midstream.text import title_of

UNDO_S = 20.0
STOP_S = 2.0  # until an answer that does not stop is let go of: the gateway deletes its run all the same
# A gateway keeps its logs for 30 days, and their tombstones for one more.
GONE_MS = 60 * 24 * 3600 * 1000


class ConversationIntents:
    def __init__(self, host: Host, view: CurrentView, answers: Answers, devices: DeviceSync, jobs: Jobs) -> None:
        self._host = host
        self._view = view
        self._answers = answers
        self._devices = devices
        self._jobs = jobs
        self._waiting: dict[str, asyncio.Task[None]] = {}  # for the time to undo, by conversation
        self.intents: dict[str, Callable[[Message], Awaitable[None]]] = {
            "rename": self._rename,
            "pin": self._pin,
            "delete": self._delete,
            "delete-all": self._delete_all,
            "undelete": self._undelete,
        }

    async def _rename(self, intent: Message) -> None:
        if title := title_of(str(intent["title"]), NAME_CHARACTERS):
            await self._amend(str(intent["conversation"]), {"title": title})

    async def _pin(self, intent: Message) -> None:
        await self._amend(str(intent["conversation"]), {"pinned": True if intent["on"] else None})

    async def _amend(self, key: str, fields: Record) -> None:
        change = Change(durability="strict").amend("conversations", key, fields)
        await self._host.store.commit(change)
        await self._report_change(key)

    async def _report_change(self, key: str) -> None:
        self._host.broadcast({"conversation": key, "changed": True})
        await self._view.list()

    # Deleting

    async def _delete(self, intent: Message) -> None:
        key, now = str(intent["conversation"]), round(self._host.now() * 1000)
        change = Change(durability="strict")
        if await self._host.store.conversation(key):
            change.amend("conversations", key, {"deleted": now})
        elif item := next((one for one in self._view.gateway_items if one["id"] == key), None):
            named = {"id": key, "title": item["title"], "created": now, "updated": item["updated"]}
            change.put("conversations", named | {"deleted": now})
        else:
            raise KeyError(f"there is no conversation {key}")
        await self._host.store.commit(change)
        await self._hold_prompts(key)
        if self._view.conversation == key:
            await self._view.blank()
        await self._report_change(key)
        await self.start_sweeps()

    async def _delete_all(self, intent: Message) -> None:
        """All conversations of the list, those of other devices too. Each can be undeleted alone."""
        here = await self._host.store.conversations()
        keys = [record["id"] for record in here if not record.get("deleted")]
        known = {record["id"] for record in here}
        keys += [item["id"] for item in self._view.gateway_items if item["id"] not in known]
        for key in keys:
            await self._delete({"conversation": key})

    async def _hold_prompts(self, key: str) -> None:
        """Takes back the prompts that wait: `resume_all` leaves them alone while the conversation is
        marked. The last one first, as the end of one answer would send the next prompt."""
        for answer in sorted(self._answers.of(key), key=_position, reverse=True):
            if answer.state == "queued":
                self._host.broadcast({"drop": answer.id})
                if await self._answers.drop(answer.id):
                    queued = Change(durability="strict")
                    queued.amend("messages", answer.id, {"state": "queued"})
                    await self._host.store.commit(queued)

    async def _undelete(self, intent: Message) -> None:
        key = str(intent["conversation"])
        record = await self._host.store.conversation(key)
        if record is None or record.get("gone"):
            self._host.post({"type": "notice", "code": "undo-too-late", "level": "info"})
            return
        change = Change(durability="strict").amend("conversations", key, {"deleted": None})
        if not await self._host.store.messages(key):  # it has never been here, only its mark
            change = Change(durability="strict").drop("conversations", key)
        await self._host.store.commit(change)
        await self._answers.resume_all()
        await self._report_change(key)

    # The end of a deleted conversation

    async def start_sweeps(self) -> None:
        """Begins the time to undo for every marked conversation, whichever tab or earlier page has
        marked it; drops marks that no gateway can need any more."""
        old = self._host.now() * 1000 - GONE_MS
        change = Change()
        for record in await self._host.store.conversations():
            key, since = record["id"], record.get("deleted")
            if record.get("gone") and (since or 0) < old:
                change.drop("conversations", key)
            elif since and not record.get("gone") and key not in self._waiting:
                self._waiting[key] = self._jobs.spawn(self._sweep_later(key, since))
        if change.drops:
            await self._host.store.commit(change)

    async def _sweep_later(self, key: str, since: float) -> None:
        try:
            await asyncio.sleep(UNDO_S)
        finally:
            del self._waiting[key]
        record = await self._host.store.conversation(key)
        if record and record.get("deleted") == since:
            await self._sweep(key)
        elif record and record.get("deleted"):  # undeleted, and deleted once more
            await self.start_sweeps()

    async def _sweep(self, key: str) -> None:
        await self._stop_answers(key)
        self._host.broadcast({"gone": key})
        await self.abandon(key)
        messages = await self._host.store.messages(key)
        change = Change(durability="strict")
        for record in messages:
            change.drop("messages", record["id"])
        kinds = {run["endpoint"].get("kind") for record in messages for run in record["runs"]}
        if messages and "gateway" not in kinds:
            change.drop("conversations", key)
        else:
            cleared = dict.fromkeys(("pinned", "last", "unseen"))
            mark = {"title": "", "gone": True, "owed": True}
            change.amend("conversations", key, cleared | mark)
        await self._host.store.commit(change)
        await self._report_change(key)
        await self.delete_at_gateway()

    async def _stop_answers(self, key: str) -> None:
        stopped = [asyncio.ensure_future(answer.ended.wait()) for answer in self._answers.of(key)]
        for answer in self._answers.of(key):
            self._host.broadcast({"stop": answer.id})
            await self._answers.stop(answer.id)
        if stopped:
            _, late = await asyncio.wait(stopped, timeout=STOP_S)
            for each in late:
                each.cancel()

    async def abandon(self, key: str) -> None:
        """Ends the writing of its answers; one may still wait for its stop to reach the server."""
        for answer in self._answers.of(key):
            await self._answers.abandon(answer.id)

    async def delete_at_gateway(self) -> None:
        """Repeats the deletions that the gateway has not confirmed."""
        for record in await self._host.store.conversations():
            if record.get("owed") and await self._devices.delete(record["id"]):
                change = Change().amend("conversations", record["id"], {"owed": None})
                await self._host.store.commit(change)


def _position(answer: Answer) -> int:
    return int(answer.record["position"])
