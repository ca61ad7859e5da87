"""The text of one answer: its journal rows, the parser that stands at their end, and the store.

What cannot be stored, since the storage is full, is kept here and said, and stored with the next row
for which there is room again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from midstream.engine.answers.resumption import Reopened, renumbered
from midstream.engine.ports.host import Host, Message, notice_of
from midstream.engine.store.rendering import drawn_rows, patch_of, patches, rows_of
from midstream.errors import StoreError
from midstream.events import Ended, Event, Finish
from midstream.journal import Change, Record, Row, compacted, cursor, text, tokens
from midstream.markdown import VERSION, Parser
from midstream.patch import merge, opened
from midstream.seam import Joint
from midstream.session import Deliver, content

SLICE = 4096  # characters per row: a long catch-up reaches the screen piece by piece
RETRY_S = 5.0  # until a storage that has refused is tried again


class Written:
    """Owns the journal rows of one assistant message while it is being written."""

    def __init__(self, host: Host, record: Record) -> None:
        self.record = record
        self.rows: list[Row] = []
        self._host = host
        self._parser = Parser()
        self._newest = 0  # the id of the newest element that the rows have opened
        self._unsaved: list[Row] = []
        self._refused_at: float | None = None  # when the storage refused last
        self._unsaved_end: Change | None = None
        self._reopened: Reopened | None = None  # until a run that goes on has said something
        self._outdated = False  # none of the rows in the store will do
        self._unshown = False  # the screen waits for the end

    @property
    def run(self) -> int:
        return len(self.record["runs"]) - 1

    @property
    def unsaved(self) -> int:
        """How many events are shown, but not stored."""
        return sum(row.last - row.first + 1 for row in self._unsaved)

    # Recalling what an earlier page stored

    async def look(self) -> None:
        """Reads the rows only, for their counts: another tab may be adding to them."""
        self.rows = await rows_of(self._host.store, self.record["id"])

    async def recall(self) -> bool:
        """Reads the stored rows and feeds them again: the parser then stands where the screen's
        painted tree stands. True when it does not, since another version of the parser has painted
        it, and the screen has to paint anew.

        An ended answer that goes on stands there closed, until the new run has said something.
        """
        store = self._host.store
        self._parser = Parser()
        self.rows = await rows_of(store, self.record["id"])
        goes_on = self.run > 0 and not cursor(self.rows, self.run)
        if goes_on:
            self.rows, redrawn = await drawn_rows(store, self.record)
        made = [self._parser.feed(row.text) if row.text else [] for row in self.rows]
        if goes_on:
            self.record["parser"] = VERSION
            self._reopened = Reopened(self.rows, made)
            return redrawn
        same = self.record.get("parser") == VERSION
        same = same and all(ops == row.ops for ops, row in zip(made, self.rows, strict=True))
        if self.rows and not same:
            self.rows = renumbered(self.rows, made)
            self.record["parser"] = VERSION
            await self._renew(self.rows)
        self._newest = sum(opened(row.ops) for row in self.rows)
        return not same

    async def _renew(self, rows: Sequence[Row]) -> None:
        change = Change(drop_rows=[self.record["id"]]).put("messages", self.record)
        for row in rows:
            change.put("journal", row.record())
        await self.store(change)

    def patches(self, painted: int) -> list[Message]:
        return patches(self.record, self.rows, painted)

    # Adding to it

    def take(self, pending: list[Deliver], final: bool) -> int:
        """How many of the deliveries make up the next row. 0 for none yet: as long as a new run may
        still be repeating what is there, nothing of it is text of the answer."""
        if not pending:
            return 0
        if self._reopened:
            said = "".join(content(deliver.events)[0] for deliver in pending)
            return len(pending) if self._reopened.ready(said, final) else 0
        size = count = 0
        for deliver in pending:
            count += 1
            size += sum(map(len, content(deliver.events)))
            if size >= SLICE:
                break
        return count

    async def add(self, taken: Sequence[Deliver]) -> tuple[Row, Message | None]:
        """Stores the next row; gives it with its patch. What is shown is stored, or said not to
        be. Without a patch the screen stays as it is until the end, which follows at once."""
        events = [event for deliver in taken for event in deliver.events]
        new_text, reasoning = content(tuple(events))
        reopened, self._reopened = self._reopened, None
        rows = reopened.rows() if reopened else self.rows
        change = Change()
        if reopened and (joint := reopened.joint):
            self._outdated = True
            self._note_seam(joint)
            change.put("messages", self.record)
            new_text = joint.insert + new_text[joint.skip :]
            events = _beyond(events, joint.skip)
        row = self._row(rows[-1].n + 1 if rows else 1, taken, events, new_text, reasoning)
        self._note_thought(change, rows, row)
        await self._store_row(change, rows, row)
        if reopened is None:
            rows.append(row)
            patch = patch_of(self.record, row, self._newest)
            self._newest += opened(row.ops)
            return row, patch
        self.rows = [*rows, row]
        self._newest = sum(opened(row.ops) for row in self.rows)
        self._unshown = not reopened.covers
        return row, None if self._unshown else self._anew(row)

    async def _store_row(self, change: Change, rows: Sequence[Row], row: Row) -> None:
        unsaved = [*self._unsaved, row]
        if self._outdated:
            change.drop_rows.append(self.record["id"])
        for each in [*rows, row] if self._outdated else unsaved:
            change.put("journal", each.record())
        stored = await self.store(change)
        self._unsaved = [] if stored else unsaved
        self._outdated = self._outdated and not stored

    def _anew(self, last: Row) -> Message:
        """One patch that draws all of it, so that no frame shows a part: `last` gives its number."""
        ops = merge(op for row in self.rows for op in row.ops)
        reasoning = "".join(row.reasoning for row in self.rows)
        whole = replace(last, ops=ops, text=text(self.rows), reasoning=reasoning)
        return patch_of(self.record, whole, 0) | {"reset": True}

    def _note_thought(self, change: Change, rows: Sequence[Row], row: Row) -> None:
        """How long the answer was thought about before its first word, and in how many tokens: they
        cannot be told apart later."""
        began = float(self.record["runs"][-1].get("began", 0)) / 1000
        if not row.text or "thought" in self.record or any(each.text for each in rows[-1:]):
            return
        if began and any(each.reasoning for each in [*rows, row]):
            seconds = round(max(0.0, self._host.now() - began), 1)
            self.record["thought"] = {"seconds": seconds, "tokens": tokens(rows)}
            change.put("messages", self.record)

    def _note_seam(self, joint: Joint) -> None:
        """Where the answer was continued, in tokens, and how the new run went on."""
        at = sum(row.tokens for row in self.rows)
        self.record["runs"][-1]["seam"] = {"kind": joint.kind, "skipped": joint.skip, "at": at}

    def _row(
        self, n: int, taken: Sequence[Deliver], events: list[Event], new_text: str, reasoning: str
    ) -> Row:
        return Row(
            message=self.record["id"],
            n=n,
            run=self.run,
            first=taken[0].seq,
            last=taken[-1].seq,
            text=new_text,
            reasoning=reasoning,
            tokens=sum(any(content((event,))) for event in events),
            ops=self._parser.feed(new_text) if new_text else [],
            finish=next((event.reason for event in events if isinstance(event, Finish)), ""),
            ended=next((event.state for event in events if isinstance(event, Ended)), ""),
            epoch=taken[-1].epoch,
        )

    # Its end

    async def end(self) -> Message | None:
        """Closes the text and replaces its rows by one, together with the record that says how it
        ended. The last patch, None where nothing was written."""
        ops = self._parser.finish()
        change = Change(durability="strict").put("messages", self.record)
        if not self.rows or self._reopened:
            await self._store_end(change)
            return None
        last = replace(self.rows[-1], n=self.rows[-1].n + 1, ops=ops, text="", reasoning="")
        whole = merge([op for row in self.rows for op in row.ops] + ops)
        self.rows = [replace(compacted(self.rows, whole), n=last.n)]
        change.drop_rows.append(self.record["id"])
        change.put("journal", self.rows[0].record())
        await self._store_end(change)
        return self._anew(last) if self._unshown else patch_of(self.record, last, self._newest)

    async def _store_end(self, change: Change) -> None:
        stored = await self.store(change, insist=True)
        self._unsaved_end = None if stored else change
        if stored:
            self._unsaved.clear()

    async def until_stored(self) -> None:
        """Returns when the end is stored: at once, unless the storage has refused it."""
        while self._unsaved_end:
            await asyncio.sleep(RETRY_S)
            await self._store_end(self._unsaved_end)

    # The store

    async def store(self, change: Change, *, insist: bool = False) -> bool:
        """Commits. A storage that refuses is said once, and left alone for RETRY_S unless
        `insist`."""
        now = self._host.now()
        if self._refused_at is not None and not insist and now < self._refused_at + RETRY_S:
            return False
        try:
            await self._host.store.commit(change)
        except StoreError as error:
            if self._refused_at is None:
                self._host.post(notice_of(error))
            self._refused_at = now
            return False
        if self._refused_at is not None:
            self._host.post({"type": "notice", "code": "saved-again", "level": "info"})
        self._refused_at = None
        return True


def _beyond(events: list[Event], skip: int) -> list[Event]:
    """The events but those whose whole text lies in the first `skip` characters: a token that is
    not shown is not counted."""
    kept: list[Event] = []
    for event in events:
        size = len(content((event,))[0])
        if not size or size > skip:
            kept.append(event)
        skip = max(0, skip - size)
    return kept
