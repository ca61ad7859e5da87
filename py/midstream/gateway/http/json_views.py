"""Runs and conversations as JSON, for clients that want to know rather than to follow."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from midstream.events import Delta, Ended, Event, Extra, Failed, Finish, Usage
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


class _Account:
    """What the events of a log say, up to `seq`."""

    def __init__(self) -> None:
        self.seq = 0
        self.tokens = 0
        self.usage: Usage | None = None
        self.error: dict[str, str] | None = None
        self._choices: dict[int, _Choice] = {}

    def take(self, event: Event) -> None:
        match event:
            case Delta():
                self._choice(event.index).text.append(event.text)
                self._choice(event.index).reasoning.append(event.reasoning)
                self.tokens += 1
            case Finish():
                self._choice(event.index).finish_reason = event.reason
            case Extra("tool_call", name) if name:
                self._choice(event.index).tool_calls.append(name)
            case Usage():
                self.usage = event
            case Failed():
                self.error = {"message": event.message, "code": event.code, "hint": event.hint}
            case Ended(message=message) if message and self.error is None:
                self.error = {"message": message, "code": event.state, "hint": ""}

    def _choice(self, index: int) -> _Choice:
        return self._choices.setdefault(index, _Choice())

    def view(self, seconds: float) -> dict[str, Any]:
        first = self._choices.get(0, _Choice())
        counted = self.usage.completion if self.usage and self.usage.completion else self.tokens
        usage = self.usage
        every = [choice.view(index) for index, choice in sorted(self._choices.items())]
        return {
            "seq": self.seq,
            "text": "".join(first.text),
            "reasoning": "".join(first.reasoning),
            "tokens": counted,
            "seconds": round(seconds, 3),
            "tokens_per_second": round(counted / seconds, 1) if seconds else None,
            "usage": usage and {"prompt_tokens": usage.prompt, "completion_tokens": usage.completion},
            "tool_calls": first.tool_calls,
            **({"choices": every} if len(every) > 1 else {}),
            "finish_reason": first.finish_reason,
            "error": self.error,
        }


@dataclass(slots=True)
class _Choice:
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    tool_calls: list[str] = field(default_factory=list)  # names
    finish_reason: str | None = None

    def view(self, index: int) -> dict[str, Any]:
        return {
            "index": index,
            "text": "".join(self.text),
            "reasoning": "".join(self.reasoning),
            "tool_calls": self.tool_calls,
            "finish_reason": self.finish_reason,
        }


async def snapshot(store: RunStore, run: RunRecord, root: str) -> dict[str, Any] | None:
    """The run with its text so far, read from the log; None when the log has just been deleted.

    `seq` is the position that the text goes to: a client may follow from there.
    """
    account = _Account()
    while account.seq < run.head:
        page = await store.read(run.id, account.seq)
        if page is None:
            return None
        if not page.entries:
            break
        for entry in page.entries:
            for event in openai.parse(entry.payload):
                account.take(event)
            account.seq = entry.seq
        await asyncio.sleep(0)  # a long log must not hold up the others
    seconds = max(run.updated - run.started, 0.0) if run.started else 0.0
    return {**run_view(run, root), **account.view(seconds)}
