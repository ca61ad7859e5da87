"""The archive: all conversations as one file: `{"format": "midstream", "version": 1, "exported": …,
"conversations": [{"id", "title", "created", "updated", "leaf", "messages": [{"id", "author", "text",
"state", "created", …}]}]}`; times in epoch milliseconds. Messages are in order, all versions of them:
an answer names its `question`, a question the message before it (`parent`, "" for none), and `leaf` is
the message whose branch is visible (store/branches.py has the rest). The file has no
addresses of endpoints.
"""

from __future__ import annotations

import json
import time
from typing import Any

from midstream.engine.store.records import alive
from midstream.engine.store.rendering import rows_of
from midstream.engine.transfer.archive_schema import FORMAT, VERSION
from midstream.journal import Record, Store, cursor, finish_reason, text, tokens
from midstream.text import whole_characters


async def everything(store: Store, only: str | None = None) -> dict[str, Any]:
    """All stored conversations, or one; unfinished answers as far as they are written."""
    conversations = []
    known = [one for one in alive(await store.conversations()) if only in (None, one["id"])]
    for record in sorted(known, key=lambda one: one["created"]):
        messages = [await _exported(store, one) for one in await store.messages(record["id"])]
        fields = {key: record[key] for key in ("id", "title", "created", "updated")}
        more = {key: record[key] for key in ("pinned", "leaf") if record.get(key)}
        conversations.append(fields | more | {"messages": messages})
    exported = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {
        "format": FORMAT,
        "version": VERSION,
        "exported": exported,
        "conversations": conversations,
    }


def file_name(now: float) -> str:
    return f"midstream-{time.strftime('%Y-%m-%d-%H%M', time.localtime(now))}.json"


def encode(data: dict[str, Any]) -> str:
    """The file. People can read it, in case that it outlives the app."""
    return json.dumps(data, ensure_ascii=False, indent=1)


async def _exported(store: Store, record: Record) -> dict[str, Any]:
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
    """The run with the names of its endpoint and model, without the address and the options."""
    endpoint = run["endpoint"]
    named = {key: endpoint.get(key, "") for key in ("name", "kind", "model")}
    more = {key: run[key] for key in ("seq", "seam", "model") if key in run}
    return {"key": run["key"], "run": run.get("run"), "endpoint": named} | more
