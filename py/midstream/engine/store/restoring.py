"""A Store that writes again what this page remembers, when the browser has deleted it.

A browser deletes the data of a site when the person asks for that, or, without asking, when the disk
is full. The page goes on: what it shows must not vanish with the next reload. So the records of the
conversations in use are remembered as they are read and written. They are written again as soon as
one of them is not there that nobody here has removed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import TypeVar

from midstream.engine.store.records import FINAL_STATES, alive
from midstream.errors import StoreError
from midstream.journal import Change, MemoryStore, Record, Row, Store, text
from midstream.markdown import VERSION, Parser
from midstream.problems import problem

HELD = 8  # conversations that are remembered, those that were used last
LOST = "lost"  # the code of a StoreError: records that have to be there are not

T = TypeVar("T")


class RestoringStore:
    """`cleared` is called after records were lost, and what is remembered is stored again; `refused`
    when a change that is `kept` could not be stored."""

    def __init__(
        self,
        inner: Store,
        lock: Callable[[str], AbstractAsyncContextManager[object]],
        cleared: Callable[[], None],
        refused: Callable[[StoreError], None],
    ) -> None:
        """`lock`: as in Host; several tabs may restore at once."""
        self.inner = inner
        self._lock = lock
        self._cleared = cleared
        self._refused = refused
        self._memory = MemoryStore()
        self._held: dict[str, None] = {}  # conversations, the one that was used last at the end
        self._unstored: set[str] = set()  # conversations with changes that have never been stored
        self._own: set[str] = set()  # the answers that this tab writes, or has written
        self._restoring = asyncio.Lock()

    # Writing

    async def commit(self, change: Change) -> None:
        """Raises StoreError with the code LOST when nothing at all can be stored again."""
        try:
            await self.inner.commit(change)
        except StoreError as error:
            if error.code != LOST and not change.kept:
                raise
            await self._remember(change)
            if error.code == LOST:
                await self._restore()
                await self.inner.commit(change)
            else:
                self._unstored |= {record["conversation"] for name, record in change.puts if name == "messages"}
                self._refused(error)
        else:
            await self._remember(change)

    async def _remember(self, change: Change) -> None:
        kept = Change(amends=change.amends, drop_rows=change.drop_rows, drops=change.drops)
        for store, record in change.puts:
            if store == "conversations":
                await self._hold(record["id"])
            elif store == "messages":
                await self._hold(record["conversation"])
        known = {record["id"] for store, record in change.puts if store == "messages"}
        for store, record in change.puts:
            if store != "journal":
                kept.put(store, record)
            elif record["message"] in known or await self._memory.message(record["message"]):
                self._own.add(record["message"])
                kept.put(store, _slim(record))
        await self._memory.commit(kept)

    async def _hold(self, conversation: str) -> None:
        self._held.pop(conversation, None)
        self._held[conversation] = None
        if len(self._held) > HELD:  # an export reads all of them, and must not drop what is being written
            written = {record["conversation"] for record in await self._memory.unfinished()}
            idle = [key for key in self._held if key not in written]
            self._drop(idle[0] if idle else next(iter(self._held)))

    def _drop(self, conversation: str) -> None:
        self._held.pop(conversation, None)
        self._memory.forget(conversation)

    # Removed by another tab

    def forget(self, conversation: str) -> None:
        self._drop(conversation)

    async def forget_answer(self, message: str) -> None:
        """An answer that was taken back, with its question and a conversation that it leaves empty."""
        if (answer := await self._memory.message(message)) is None:
            return
        conversation, question = answer["conversation"], answer.get("question")
        messages = await self._memory.messages(conversation)
        change = Change().drop("messages", message)
        if question and [one["id"] for one in messages if one.get("question") == question] == [message]:
            change.drop("messages", question)
        await self._memory.commit(change)
        if not await self._memory.messages(conversation):
            self._drop(conversation)

    # Reading

    async def conversations(self) -> list[Record]:
        records = await self._with_restored(self.inner.conversations)
        there = {record["id"] for record in records}
        lost = [one for one in alive(await self._memory.conversations()) if one["id"] not in there]
        if lost:
            return await self._again(self.inner.conversations, [*records, *lost])
        await self._renew("conversations", [record for record in records if record["id"] in self._held])
        return records

    async def conversation(self, key: str) -> Record | None:
        record = await self._found(lambda: self.inner.conversation(key), await self._memory.conversation(key))
        await self._renew("conversations", [record] if record and key in self._held else [])
        return record

    async def message(self, key: str) -> Record | None:
        return await self._found(lambda: self.inner.message(key), await self._memory.message(key))

    async def messages(self, conversation: str) -> list[Record]:
        records = await self._with_restored(lambda: self.inner.messages(conversation))
        there = {record["id"] for record in records}
        lost = [one for one in await self._memory.messages(conversation) if one["id"] not in there]
        if lost:
            all_of_them = sorted([*records, *lost], key=lambda record: int(record["position"]))
            records = await self._again(lambda: self.inner.messages(conversation), all_of_them)
        if records:
            await self._hold(conversation)
            await self._renew("messages", records)
        if records and not await self._memory.conversation(conversation):
            await self.conversation(conversation)
        return records

    async def rows(self, message: str) -> list[Record]:
        remembered = await self._memory.rows(message)
        rows = await self._found(lambda: self.inner.rows(message), remembered)
        if await self._memory.message(message):
            change = Change(drop_rows=[message])
            for row in rows:
                change.put("journal", _slim(row))
            await self._memory.commit(change)
        return rows

    async def unfinished(self) -> list[Record]:
        return await self._with_restored(self.inner.unfinished)

    def read_all(self, store: str, fields: Sequence[str]) -> AsyncIterator[list[Record]]:
        return self.inner.read_all(store, fields)

    async def setting(self, key: str) -> Record | None:
        return await self._with_restored(lambda: self.inner.setting(key))

    async def _renew(self, store: str, records: Sequence[Record]) -> None:
        change = Change()
        for record in records:
            change.put(store, record)
        await self._memory.commit(change)

    # Lost

    async def _found(self, read: Callable[[], Awaitable[T]], remembered: T) -> T:
        found = await self._with_restored(read)
        return await self._again(read, remembered) if remembered and not found else found

    async def _again(self, read: Callable[[], Awaitable[T]], remembered: T) -> T:
        """Reads what has been restored; where the browser refuses that, the page goes on in memory."""
        try:
            await self._restore()
        except StoreError:
            return remembered
        return await read()

    async def _with_restored(self, work: Callable[[], Awaitable[T]]) -> T:
        try:
            return await work()
        except StoreError as error:
            if error.code != LOST:
                raise
        await self._restore()
        return await work()

    async def _restore(self) -> None:
        async with self._restoring, self._lock("midstream:restore"):
            try:
                wrote = {key for key in [*self._held] if await self._restore_one(key)}
            except StoreError as error:
                raise StoreError(error.problem or problem("storage_cleared"), code=LOST) from error
        deleted, self._unstored = wrote - self._unstored, self._unstored - wrote
        if deleted:
            self._cleared()

    async def _restore_one(self, key: str) -> bool:
        """Whether anything of a conversation was not there."""
        here, remembered = await self.inner.conversation(key), await self._memory.conversation(key)
        if (here or remembered or {}).get("deleted"):
            if here and here.get("gone"):
                self._drop(key)
            return False
        change = Change(durability="strict")
        for message in await self._memory.messages(key):
            if await self._is_lost(message["id"]):
                await self._put_again(change, message)
        if remembered and here is None:
            change.put("conversations", remembered)
        if change.puts:
            await self.inner.commit(change)
        return bool(change.puts)

    async def _is_lost(self, message: str) -> bool:
        """Also of a message whose first rows are not there. An answer that has ended has one row, with a
        later number."""
        if await self.inner.message(message) is None:
            return True
        remembered, there = await self._memory.rows(message), await self.inner.rows(message)
        if not remembered or any(row.get("whole") for row in there):
            return False
        return not there or bool(there[0]["n"] > remembered[0]["n"])

    async def _put_again(self, change: Change, message: Record) -> None:
        rows = [_drawn(Row.from_record(row)) for row in await self._memory.rows(message["id"])]
        if message["author"] == "assistant" and not self._known(message, rows):
            await self._memory.commit(Change().drop("messages", message["id"]))
            return
        version = {"parser": VERSION} if any(row.whole for row in rows) else {}
        change.put("messages", message | version)
        change.drop_rows.append(message["id"])
        for row in rows:
            change.put("journal", row.record())

    def _known(self, answer: Record, rows: list[Row]) -> bool:
        """Whether all of an answer is remembered: its text may never have been read here, and what
        another tab writes is restored by that tab. No answer is better than a part of one."""
        if answer["state"] in FINAL_STATES:
            return bool(rows) or not answer.get("tokens")
        return answer["state"] != "streaming" or answer["id"] in self._own


def _slim(row: Record) -> Record:
    """Without the ops of a whole answer, which are many times its text: the parser makes them again."""
    return {**row, "ops": []} if row.get("whole") else row


def _drawn(row: Row) -> Row:
    if not row.whole:
        return row
    parser = Parser()
    return replace(row, ops=parser.feed(text([row])) + parser.finish())
