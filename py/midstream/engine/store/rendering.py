"""Stored conversations, read as turns, patches and chat history.

The one write: an ended answer of another version of the parser is drawn again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from midstream.engine.ports.host import Message
from midstream.engine.store.branches import Branches, VersionedRecord
from midstream.journal import Change, Record, Row, Store, compacted, text, unbroken
from midstream.markdown import VERSION, Parser
from midstream.patch import opened, pack


async def rows_of(store: Store, message: str) -> list[Row]:
    return unbroken(Row.from_record(row) for row in await store.rows(message))


async def drawn_rows(store: Store, record: Record) -> tuple[list[Row], bool]:
    """The one row of an ended answer, and whether it was drawn again: the parser has changed, or
    there were more rows, of runs that another device has made."""
    rows = await rows_of(store, record["id"])
    if not rows or (record.get("parser") == VERSION and rows[-1].whole):
        return rows, False
    parser = Parser()
    ops = parser.feed(text(rows)) + parser.finish()
    whole = replace(compacted(rows, ops), n=rows[-1].n + 1)
    record = record | {"parser": VERSION}
    change = Change(drop_rows=[record["id"]]).put("journal", whole.record())
    await store.commit(change.put("messages", record))
    return [whole], True


def seq_of(record: Record, run: int, last: int) -> int:
    """The number of events of an answer, over all its runs: `last` counts within the run."""
    return sum(int(earlier.get("seq", 0)) for earlier in record["runs"][:run]) + last


def patch_of(record: Record, row: Row, newest: int) -> Message:
    """`newest`: the id of the newest element before this row."""
    seq = seq_of(record, row.run, row.last)
    packed = pack(row.ops, newest)
    patch = {"type": "patch", "message": row.message, "n": row.n, "seq": seq, "packed": packed}
    # Beside the ops: the reasoning, and the source, for a turn that shows its source.
    more = {"thought": row.reasoning, "source": row.text}
    return patch | {name: text for name, text in more.items() if text}


def patches(record: Record, rows: list[Row], painted: int) -> list[Message]:
    """The rows after the patch number `painted`, as patches; the first row starts on an empty
    page."""
    posted: list[Message] = []
    newest = 0
    for row in rows:
        if row.n > painted:
            reset = {"reset": True} if row is rows[0] else {}
            posted.append(patch_of(record, row, newest) | reset)
        newest += opened(row.ops)
    return posted


async def branches_of(store: Store, conversation: str) -> Branches:
    return Branches(await store.messages(conversation))


async def branch_of(store: Store, conversation: Record) -> list[VersionedRecord]:
    """The visible messages of a conversation: one version of each."""
    return (await branches_of(store, conversation["id"])).branch(conversation.get("leaf"))


async def history_of(store: Store, answer: Record) -> list[dict[str, Any]]:
    """The chat messages that lead to `answer`, oldest first, and none of their other versions. An
    answer without text is left out."""
    branches = await branches_of(store, answer["conversation"])
    history: list[dict[str, Any]] = []
    for record in branches.up_to(branches.parents.get(answer["id"], "")):
        if record["author"] == "user":
            history.append({"role": "user", "content": record["text"]})
        elif reply := text(await rows_of(store, record["id"])):
            history.append({"role": "assistant", "content": reply})
    return history
