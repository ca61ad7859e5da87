"""The text of one answer: its journal rows, the parser that stands at their end, and the store.

When the storage is full, rows stay here in memory, a notice says so, and they are stored with the
next row for which there is room again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from midstream.engine.answers.remarks import extras_of
from midstream.engine.answers.resumption import Resumption, renumbered
from midstream.engine.ports.host import Host, Message, notice_of
from midstream.engine.store.rendering import drawn_rows, patch_of, patches, rows_of
from midstream.engine.store.restoring import LOST
from midstream.errors import StoreError
from midstream.events import Ended, Event, Finish
from midstream.journal import Change, Durability, Record, Row, compacted, cursor, text, tokens
from midstream.markdown import VERSION, Parser
from midstream.patch import merge, opened
from midstream.providers.think_tags import Split, ThinkTags
from midstream.seam import Joint
from midstream.session import Deliver, content

SLICE = 4096  # characters per row: a long catch-up reaches the screen piece by piece
RETRY_S = 5.0  # until a storage that has refused is tried again


class AnswerJournal:
    """Owns the record and the journal rows of one assistant message while it is being written."""

    def __init__(self, host: Host, record: Record) -> None:
        self.record = record
        self.rows: list[Row] = []
        self._host = host
        self._parser = Parser()
        self._newest = 0  # the id of the newest element that the rows have opened
        self._unstored: list[Row] = []
        self._refused_at: float | None = None  # when the storage refused last
        self._unstored_end: Change | None = None
        self._resumption: Resumption | None = None  # until a run that goes on has brought text
        self._tags: ThinkTags | None = None  # of the run, from its first row on
        self._outdated = False  # all rows in the store have to be replaced
        self._lost = False  # the storage has nothing of the answer any more
        self._unpainted = False  # the screen gets nothing before the end

    @property
    def run(self) -> int:
        return len(self.record["runs"]) - 1

    @property
    def unstored(self) -> int:
        """How many events the screen has, but the store has not."""
        return sum(row.last - row.first + 1 for row in self._unstored)

    # The rows that an earlier page, or another tab, has stored

    async def load_rows(self) -> None:
        """Reads the rows only, for their counts: another tab may be adding to them."""
        self.rows = await rows_of(self._host.store, self.record["id"])

    async def recall(self) -> bool:
        """Reads the stored rows and feeds them again: the parser then stands where the screen's
        painted tree stands. True when it does not, since another version of the parser has painted
        it, and the screen has to paint anew.

        An ended answer that goes on stands there closed, until the new run has brought text.
        """
        store = self._host.store
        self._parser, self._tags = Parser(), None
        self.rows = await rows_of(store, self.record["id"])
        goes_on = self.run > 0 and not cursor(self.rows, self.run)
        if goes_on:
            self.rows, redrawn = await drawn_rows(store, self.record)
        made = [self._parser.feed(row.text) if row.text else [] for row in self.rows]
        if goes_on:
            self.record["parser"] = VERSION
            self._resumption = Resumption(self.rows, made)
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

    def row_size(self, pending: list[Deliver], final: bool) -> int:
        """How many of the deliveries make up the next row. 0 for none yet: as long as a new run may
        still be repeating what is there, nothing of it is text of the answer."""
        if not pending:
            return 0
        if self._resumption:
            new_text = "".join(content(deliver.events)[0] for deliver in pending)
            return len(pending) if self._resumption.ready(new_text, final) else 0
        size = count = 0
        for deliver in pending:
            count += 1
            size += sum(map(len, content(deliver.events)))
            if size >= SLICE:
                break
        return count

    async def append(self, taken: Sequence[Deliver]) -> tuple[Row, Message | None]:
        """Stores the next row; returns it with its patch, for the screen to show afterwards.
        Without a patch the screen stays as it is until the end, which follows at once."""
        events = [event for deliver in taken for event in deliver.events]
        new_text, reasoning = content(tuple(events))
        resumption, self._resumption = self._resumption, None
        rows = resumption.rows() if resumption else self.rows
        change = Change()
        if resumption and (joint := resumption.joint):
            self._outdated = True
            self._note_seam(joint)
            change.put("messages", self.record)
            new_text = joint.insert + new_text[joint.skip :]
            events = _beyond(events, joint.skip)
        said = self._split(rows, new_text, reasoning)
        if said.moved:
            rows = self._emptied(rows)
        row = self._row(rows[-1].n + 1 if rows else 1, taken, events, said.text, reasoning + said.reasoning)
        self._note_thought(change, rows, row)
        await self._store_row(change, rows, row)
        if resumption is None and not said.moved:
            rows.append(row)
            patch = patch_of(self.record, row, self._newest)
            self._newest += opened(row.ops)
            return row, patch
        self.rows = [*rows, row]
        self._newest = sum(opened(row.ops) for row in self.rows)
        self._unpainted = resumption is not None and not resumption.covers
        return row, None if self._unpainted else self._anew(row)

    def _split(self, rows: Sequence[Row], new_text: str, reasoning: str) -> Split:
        """The text without the reasoning that a server has left in it. Only at the beginning: an
        answer that goes on after text has none."""
        if self._tags is None:
            if self.run and text(rows).strip():
                return Split(new_text)
            self._tags = ThinkTags.of(rows, self.run)
        return self._tags.take(new_text, reasoned=bool(reasoning))

    def _emptied(self, rows: Sequence[Row]) -> list[Row]:
        """The rows whose text was reasoning, which the next row has. All of them are drawn anew."""
        self._parser, self._outdated = Parser(), True
        return [replace(row, text="") for row in renumbered(rows, [[] for _ in rows])]

    async def _store_row(self, change: Change, rows: Sequence[Row], row: Row) -> None:
        unstored = [*self._unstored, row]
        if self._outdated:
            change.drop_rows.append(self.record["id"])
        for each in [*rows, row] if self._outdated else unstored:
            change.put("journal", each.record())
        if self._outdated:
            change.put("messages", self.record)
        stored = await self.store(change)
        self._outdated = (self._outdated or self._lost) and not stored
        self._unstored = [] if stored else [*rows, row] if self._lost else unstored

    def _anew(self, last: Row) -> Message:
        """One patch that draws all of it, so that no frame shows a part: `last` gives its number."""
        ops = merge(op for row in self.rows for op in row.ops)
        reasoning = "".join(row.reasoning for row in self.rows)
        whole = replace(last, ops=ops, text=text(self.rows), reasoning=reasoning)
        return patch_of(self.record, whole, 0) | {"reset": True}

    def _note_thought(self, change: Change, rows: Sequence[Row], row: Row) -> None:
        """How long the model reasoned before the first word, and in how many tokens: reasoning and
        text cannot be told apart later."""
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

    def _row(self, n: int, taken: Sequence[Deliver], events: list[Event], new_text: str, reasoning: str) -> Row:
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
            extras=extras_of(events),
            inside=self._tags is not None and self._tags.inside,
            held=self._tags.held if self._tags else "",
        )

    # Its end

    async def end(self) -> Message | None:
        """Closes the text and replaces its rows by one, together with the record, which has its
        final state. Returns the last patch, None when nothing was written."""
        self.record["runs"][-1]["seq"] = cursor(self.rows, self.run)
        self.record["parser"] = VERSION
        left = self._tags.rest() if self._tags else Split()
        ops = (self._parser.feed(left.text) if left.text else []) + self._parser.finish()
        change = Change(durability="strict").put("messages", self.record)
        if not self.rows or self._resumption:
            await self._store_end(change)
            return None
        last = replace(self.rows[-1], n=self.rows[-1].n + 1, ops=ops, text=left.text, reasoning=left.reasoning)
        whole = merge([op for row in self.rows for op in row.ops] + ops)
        self.rows = [compacted([*self.rows, replace(last, tokens=0)], whole)]
        change.drop_rows.append(self.record["id"])
        change.put("journal", self.rows[0].record())
        await self._store_end(change)
        return self._anew(last) if self._unpainted else patch_of(self.record, last, self._newest)

    async def _store_end(self, change: Change) -> None:
        stored = await self.store(change, insist=True)
        self._unstored_end = None if stored else change
        if stored:
            self._unstored.clear()

    async def until_stored(self) -> None:
        """Returns when the end is stored: at once, unless the storage has refused it."""
        while self._unstored_end:
            await asyncio.sleep(RETRY_S)
            await self._store_end(self._unstored_end)

    # The store

    async def store_record(self, durability: Durability = "strict") -> None:
        await self.store(Change(durability=durability).put("messages", self.record))

    async def store(self, change: Change, *, insist: bool = False) -> bool:
        """Commits; False when the storage refuses. That is posted as a notice once, and the storage
        is left alone for RETRY_S unless `insist`."""
        now = self._host.now()
        if self._refused_at is not None and not insist and now < self._refused_at + RETRY_S:
            return False
        try:
            await self._host.store.commit(change)
        except StoreError as error:
            if self._refused_at is None:
                self._host.post(notice_of(error))
            self._refused_at = now
            self._lost = error.code == LOST
            return False
        if self._refused_at is not None:
            self._host.post({"type": "notice", "code": "saved-again", "level": "info"})
        self._refused_at = None
        self._lost = False
        return True


def _beyond(events: list[Event], skip: int) -> list[Event]:
    """The events without those whose whole text lies in the first `skip` characters: a token that
    is not shown is not counted."""
    rest: list[Event] = []
    for event in events:
        size = len(content((event,))[0])
        if not size or size > skip:
            rest.append(event)
        skip = max(0, skip - size)
    return rest
