"""What there is to say of an answer that the model has ended: above all of one without a word. It is
read out of the journal, so it is there on every device and after every reload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from midstream.engine.store.records import error_of
from midstream.events import Event, Extra
from midstream.journal import Record, Row
from midstream.problems import Problem, problem
from midstream.providers import finish_reasons

_TOOL = "tool_call "


def extras_of(events: Sequence[Event]) -> list[str]:
    """For a row. The pieces of a tool's call after the first one have no name."""
    found = (f"{event.kind} {event.name}".strip() for event in events if isinstance(event, Extra) and not event.index)
    return list(dict.fromkeys(extra for extra in found if extra != _TOOL.strip()))


def remark_of(record: Record, rows: Sequence[Row]) -> dict[str, Any] | None:
    """In the form of an error; None when the text says all."""
    finish = rows[-1].finish or next((row.finish for row in reversed(rows) if row.finish), "") if rows else ""
    if not finish or record["state"] not in ("complete", "length"):
        return None
    remark = _remark(finish, rows)
    return error_of(remark) if remark else None


def _remark(finish: str, rows: Sequence[Row]) -> Problem | None:
    extras = [extra for row in rows for extra in row.extras]
    text = any(row.text.strip() for row in rows)
    if "refusal" in extras or finish_reasons.is_refusal(finish):
        return problem("answer_refused")
    if finish_reasons.is_filter(finish):
        return problem("answer_filtered" if text else "answer_withheld")
    if tools := [extra.removeprefix(_TOOL) for extra in extras if extra.startswith(_TOOL)]:
        return problem("answer_tools", names=", ".join(tools)[:200])
    if "image" in extras or "audio" in extras:
        return problem("answer_media")
    if text:
        return None
    return problem("answer_thought" if any(row.reasoning.strip() for row in rows) else "answer_empty")
