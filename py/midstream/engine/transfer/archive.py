"""All conversations as one file, and back: `{"format": "midstream", "version": 1, "exported": …,
"conversations": [{"id", "title", "created", "updated", "leaf", "messages": [{"id", "author", "text",
"state", "created", …}]}]}`; times in epoch milliseconds. Messages are in order, all versions of them:
an answer names its `question`, a question the message before it (`parent`, "" for none), and `leaf` is
the message whose line is shown (branches.py has the rest).

A file comes from anywhere. It never changes what is here, and brings text only: content is parsed
again, never taken as ops, and no address of an endpoint is written or read, since a prompt could be
sent there. What was still being written when the file was made is interrupted where it is read.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from midstream.engine.store.records import alive
from midstream.engine.store.rendering import rows_of
from midstream.engine.transfer.archive_schema import (
    FORMAT,
    VERSION,
    Conversation,
    conversations,
    decode,
)
from midstream.engine.transfer.export_tree import Unusable
from midstream.errors import StoreError, UsageError
from midstream.journal import Change, Record, Store, cursor, finish_reason, text, tokens
from midstream.problems import Problem, problem
from midstream.text import whole_characters

__all__ = ["decode", "encode", "everything", "file_name", "restore"]

NAMED = 3  # conversations that an error names; of the others it gives the number


# Writing


async def everything(store: Store, only: str | None = None) -> dict[str, Any]:
    """All that is stored, or one conversation of it; unfinished answers as far as they have come."""
    written = []
    known = [one for one in alive(await store.conversations()) if only in (None, one["id"])]
    for record in sorted(known, key=lambda one: one["created"]):
        messages = [await _written(store, one) for one in await store.messages(record["id"])]
        kept = {key: record[key] for key in ("id", "title", "created", "updated")}
        more = {key: record[key] for key in ("pinned", "leaf") if record.get(key)}
        written.append(kept | more | {"messages": messages})
    exported = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {
        "format": FORMAT,
        "version": VERSION,
        "exported": exported,
        "conversations": written,
    }


def file_name(now: float) -> str:
    return f"midstream-{time.strftime('%Y-%m-%d-%H%M', time.localtime(now))}.json"


def encode(data: dict[str, Any]) -> str:
    """The file. Readable, since it may be all that is left one day."""
    return json.dumps(data, ensure_ascii=False, indent=1)


async def _written(store: Store, record: Record) -> dict[str, Any]:
    common = {key: record[key] for key in ("id", "author", "state", "created")}
    if record["author"] == "user":
        parent = {"parent": record["parent"]} if "parent" in record else {}
        return common | parent | {"text": whole_characters(record["text"])}
    rows = await rows_of(store, record["id"])
    run = len(record["runs"]) - 1
    return (
        common
        | {
            "text": whole_characters(text(rows)),
            "reasoning": whole_characters("".join(row.reasoning for row in rows)),
            "question": record.get("question", ""),
            "tokens": tokens(rows),
            "seq": cursor(rows, run),
            "finish": finish_reason(rows, run),
            "runs": [_described(one) for one in record["runs"]],
        }
        | {key: record[key] for key in ("seconds", "error") if key in record}
    )


def _described(run: Record) -> Record:
    """Who wrote it; not where that was, nor with what."""
    endpoint = run["endpoint"]
    words = {key: endpoint.get(key, "") for key in ("name", "kind", "model")}
    more = {key: run[key] for key in ("seq", "seam", "model") if key in run}
    return {"key": run["key"], "run": run.get("run"), "endpoint": words} | more


# Reading


@dataclass(slots=True)
class Added:
    conversations: int = 0


async def restore(store: Store, data: Any) -> Added:
    """Adds the conversations of `data` that are not here; one that is here gets the messages that
    follow its own, when the file knows all of those. Gives the number of conversations that were
    added to the store or have grown.

    One transaction for each. Raises UsageError with all that could not be used (what could is added
    all the same), StoreError when the store fails.
    """
    added = Added()
    bad: list[Problem] = []
    for found in conversations(data):
        try:
            if isinstance(found, Unusable):
                raise found
            if await _add(store, found):
                added.conversations += 1
        except Unusable as error:
            bad.append(error.problem)
        except StoreError as error:
            why = error.problem or problem("storage_failed", message=error.message)
            stopped = problem("import_stopped", parts=[why], hint=error.hint, n=added.conversations)
            raise StoreError(stopped, code=error.code) from error
    if bad:
        raise _refused(bad, added.conversations)
    return added


def _refused(bad: list[Problem], count: int) -> UsageError:
    more = len(bad) - NAMED
    listed = bad[:NAMED] + ([problem("import_more", n=more)] if more > 0 else [])
    if not count:
        return UsageError(problem("import_none", parts=listed))
    return UsageError(problem("import_some", parts=listed, n=count))


# One conversation into the store


async def _add(store: Store, found: Conversation) -> bool:
    """Whether anything was added."""
    here = await _here(store, found)
    known = await store.messages(found.record["id"]) if here else []
    ids = [record["id"] for record, _ in found.messages]
    if here and (len(ids) <= len(known) or ids[: len(known)] != [one["id"] for one in known]):
        # no further than what is here, or it went another way: what is here stands
        await store.commit(_wanted(here["id"]))
        return bool(here.get("deleted"))
    change = Change(durability="strict")
    after = known[-1]["position"] + 1 if known else 0
    for position, (record, row) in enumerate(found.messages[len(known) :], after):
        if await store.message(record["id"]):
            raise Unusable(problem("unusable_elsewhere", title=found.record["title"][:40]))
        change.drop_rows.append(record["id"])  # of nobody: they would mix with what is added
        change.put("messages", record | {"position": position})
        if row:
            change.put("journal", row.record())
        await asyncio.sleep(0)  # answers that are being written go on meanwhile
    # Read again: while texts were parsed something may have been said in it.
    if await _here(store, found):
        leaf = {"leaf": found.record["leaf"]} if "leaf" in found.record else {}
        change.amend("conversations", found.record["id"], {"deleted": None, **leaf})
    else:
        change.put("conversations", found.record)
    await store.commit(change)
    return True


async def _here(store: Store, found: Conversation) -> Record | None:
    record = await store.conversation(found.record["id"])
    return None if record and record.get("gone") else record


def _wanted(key: str) -> Change:
    """Whoever loads a conversation wants it, also when it has just been deleted."""
    return Change(durability="strict").amend("conversations", key, {"deleted": None})
