"""What is in Redis under which key, and a run's record as the fields of a hash.

The braces in the names of one run's keys keep them on one node. Names from outside never stand in a key as
they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from hashlib import sha256
from typing import Any

from midstream.gateway.store.interface import RunRecord

PREFIX = "midstream:"
LIVE = f"{PREFIX}live"  # set of run ids
ENDED = f"{PREFIX}ended"  # run ids by the time of their end
LOOKS = f"{PREFIX}looks"  # how often the gateway's processes have looked: less than they know = data is lost
LOST = f"{PREFIX}lost"  # when that was seen last
FIELDS = [field.name for field in fields(RunRecord)]


def run_key(run_id: str) -> str:
    return f"{PREFIX}{{{run_id}}}:run"


def log_key(run_id: str) -> str:
    return f"{PREFIX}{{{run_id}}}:log"


def cancel_key(run_id: str) -> str:
    return f"{PREFIX}{{{run_id}}}:cancel"


def stream_of(topic: str) -> str:
    """The stream that changes when a topic does."""
    kind, colon, run_id = topic.partition(":")
    return cancel_key(run_id) if colon else log_key(kind)


def live_key(owner: str) -> str:
    return f"{PREFIX}live:{_digest(owner)}"


def claim_key(owner: str, key: str | None) -> str:
    return f"{PREFIX}key:{_digest(owner, key or '')}"


def busy_key(owner: str, conversation: str | None) -> str:
    return f"{PREFIX}busy:{_digest(owner, conversation or '')}"


def talk_key(owner: str, conversation: str | None) -> str:
    return f"{PREFIX}talk:{_digest(owner, conversation or '')}"


def talks_key(owner: str) -> str:
    return f"{PREFIX}talks:{_digest(owner)}"


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def to_hash(run: RunRecord) -> list[str]:
    """Field, value, field, value…: all text; absent is the empty string, flags are 0 and 1."""
    return [part for name, value in asdict(run).items() for part in (name, _text(value))]


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


def from_hash(values: Sequence[bytes | None]) -> RunRecord | None:
    """From the values of FIELDS; None when the run is not there, or only a part of it (its hash has just expired)."""
    if any(value is None for value in values):
        return None
    text = dict(zip(FIELDS, (value.decode() for value in values if value is not None), strict=True))
    numbers = {name: int(text[name]) for name in ("epoch", "head")}
    times = {name: float(text[name]) for name in ("lease", "attended", "created", "started", "updated")}
    flags = {name: text[name] == "1" for name in ("stream", "cancelling", "purged")}
    absent = {name: text[name] or None for name in ("conversation", "key")}
    mixed: dict[str, Any] = {**text, **numbers, **times, **flags, **absent}
    return RunRecord(**mixed)
