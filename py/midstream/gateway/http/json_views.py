"""Runs and conversations as JSON, for clients that want to know rather than to follow."""

from __future__ import annotations

import asyncio
from typing import Any

from midstream.events import Delta, Ended, Failed, Finish, Usage
from midstream.gateway.store.interface import ConversationSummary, RunRecord, RunStore
from midstream.providers import openai


def run_view(run: RunRecord, root: str) -> dict[str, Any]:
    """What the record alone says. `root`: where the gateway lies, "" or "/below"."""
    return {
        "id": run.id,
        "object": "midstream.run",
        "state": run.state,
        "cancelling": run.cancelling and run.live,
        "epoch": run.epoch,
        "head": run.head,
        "conversation": run.conversation,
        "key": run.key,
        "model": run.model,
        "prompt": run.prompt,
        "created": run.created,
        "updated": run.updated,
        "events": f"{root}/v1/runs/{run.id}/events",
    }


def conversation_view(conversation: ConversationSummary) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "object": "midstream.conversation",
        "title": conversation.title,
        "created": conversation.created,
        "updated": conversation.updated,
        "runs": conversation.runs,
        "active": conversation.active,
    }


async def snapshot(store: RunStore, run: RunRecord, root: str) -> dict[str, Any] | None:
    """The run with its text so far, read from the log; None when the log has just been deleted.

    `seq` is the position that the text goes to: a client may follow from there.
    """
    text, reasoning, tokens, seq = [], [], 0, 0
    usage: Usage | None = None
    finish: str | None = None
    error: dict[str, str] | None = None
    while seq < run.head:
        page = await store.read(run.id, seq)
        if page is None:
            return None
        if not page.entries:
            break
        for entry in page.entries:
            for event in openai.parse(entry.payload):
                match event:
                    case Delta():
                        text.append(event.text)
                        reasoning.append(event.reasoning)
                        tokens += 1
                    case Usage():
                        usage = event
                    case Finish():
                        finish = event.reason
                    case Failed():
                        error = {"message": event.message, "code": event.code, "hint": event.hint}
                    case Ended(message=message) if message and error is None:
                        error = {"message": message, "code": event.state, "hint": ""}
            seq = entry.seq
        await asyncio.sleep(0)  # a long log must not hold up the others
    counted = usage.completion if usage and usage.completion else tokens
    seconds = max(run.updated - run.started, 0.0) if run.started else 0.0
    return {
        **run_view(run, root),
        "seq": seq,
        "text": "".join(text),
        "reasoning": "".join(reasoning),
        "tokens": counted,
        "seconds": round(seconds, 3),
        "tokens_per_second": round(counted / seconds, 1) if seconds else None,
        "usage": usage and {"prompt_tokens": usage.prompt, "completion_tokens": usage.completion},
        "finish_reason": finish,
        "error": error,
    }
