"""Adds the conversations of a file to the store.

A file may come from any source. An import never changes a message that is here, and it takes texts
only: they are parsed again. It takes no ops, and no address of an endpoint: a prompt could be sent
there. An answer that was unfinished in the file is interrupted here.
"""

from __future__ import annotations

import asyncio
from typing import Any

from midstream.engine.transfer.archive_schema import ArchivedConversation, Unusable
from midstream.engine.transfer.import_file import conversations
from midstream.errors import StoreError, UsageError
from midstream.journal import Change, Record, Store
from midstream.problems import Problem, problem

REQUESTS = 50  # to the store at a time
SLICE = (
    64 * 1024
)  # characters after which answers that are being written go on; a turn of the event loop costs milliseconds
PARTLY = ("import_some", "import_stopped")  # codes of problems after which something was added
NAMED = 3  # conversations that an error names; of the others it gives the number


async def add_all(store: Store, data: Any) -> int:
    """Adds the conversations of `data` that are not here. One that is here gets the messages that
    follow its own, when the file has all of those too. Returns the number of conversations that were
    added or have grown.

    One transaction for each. Raises UsageError with all unusable ones (the others are added all the
    same), StoreError when the store fails.
    """
    count = 0
    bad: list[Problem] = []
    for conversation in conversations(data):
        try:
            if isinstance(conversation, Unusable):
                raise conversation
            count += await _add(store, conversation)
        except Unusable as error:
            bad.append(error.problem)
        except StoreError as error:
            why = error.problem or problem("storage_failed", message=error.message)
            if not count:
                raise
            stopped = problem("import_stopped", parts=[why], hint=error.hint, n=count)
            raise StoreError(stopped, code=error.code) from error
    if bad:
        raise _refused(bad, count)
    return count


def _refused(bad: list[Problem], count: int) -> UsageError:
    more = len(bad) - NAMED
    listed = bad[:NAMED] + ([problem("import_more", n=more)] if more > 0 else [])
    if not count:
        return UsageError(problem("import_none", parts=listed))
    return UsageError(problem("import_some", parts=listed, n=count))


async def _add(store: Store, archived: ArchivedConversation) -> bool:
    """Whether anything was added."""
    here = await _here(store, archived)
    known = await store.messages(archived.record["id"]) if here else []
    ids = [record["id"] for record, _ in archived.messages]
    if here and (len(ids) <= len(known) or ids[: len(known)] != [one["id"] for one in known]):
        # no longer than the conversation here, or another one: the messages here stay
        await store.commit(_undeleted(here["id"]))
        return bool(here.get("deleted"))
    new = archived.messages[len(known) :]
    await _check_elsewhere(store, archived.record["title"], [record["id"] for record, _ in new])
    change, large = Change(durability="strict"), 0
    after = known[-1]["position"] + 1 if known else 0
    for position, (record, row) in enumerate(new, after):
        change.drop_rows.append(record["id"])  # rows without a message would mix with these
        change.put("messages", record | {"position": position})
        if row:
            change.put("journal", row.record())
            if (large := large + len(row.text)) > SLICE:
                large = 0
                await asyncio.sleep(0)  # answers that are being written go on meanwhile
    # Read again: meanwhile the conversation may have changed.
    if await _here(store, archived):
        leaf = {"leaf": archived.record["leaf"]} if "leaf" in archived.record else {}
        change.amend("conversations", archived.record["id"], {"deleted": None, **leaf})
    else:
        change.put("conversations", archived.record)
    await store.commit(change)
    return True


async def _check_elsewhere(store: Store, title: str, ids: list[str]) -> None:
    """Raises Unusable when a message is here in another conversation. Some requests are out at a time: the
    browser's storage answers each of them late."""
    for start in range(0, len(ids), REQUESTS):
        if any(await asyncio.gather(*map(store.message, ids[start : start + REQUESTS]))):
            raise Unusable(problem("unusable_elsewhere", title=title[:40]))


async def _here(store: Store, archived: ArchivedConversation) -> Record | None:
    record = await store.conversation(archived.record["id"])
    return None if record and record.get("gone") else record


def _undeleted(key: str) -> Change:
    """An import undeletes a conversation."""
    return Change(durability="strict").amend("conversations", key, {"deleted": None})
