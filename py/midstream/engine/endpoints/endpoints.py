"""Endpoints: addresses that answer prompts, as config.json lists them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from midstream.providers.openai import CONTINUE_MODES


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One entry of config.json. `kind`: gateway | openai | demo."""

    name: str
    kind: str
    url: str = ""
    model: str = ""
    note: str = ""
    about: str = ""  # the same as a code, for a text in the page's language
    options: dict[str, Any] = field(default_factory=dict)
    # How it goes on with a text (engine/transport/continue_modes.py); "" to find out.
    continues: str = ""

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Endpoint:
        """From the fields that are stored with a run. Fields of another version of the app are
        left out."""
        return cls(**{name: record[name] for name in cls.__dataclass_fields__ if name in record})

    @property
    def base(self) -> str:
        """The base of the OpenAI-compatible API, without a slash at the end. "" is the page's own
        gateway."""
        return self.url.rstrip("/") or "v1"


def endpoints(config: dict[str, Any]) -> list[Endpoint]:
    """The endpoints of config.json, the default one first. Unusable entries are left out; the demo
    is always there."""
    kinds = ("gateway", "openai", "demo")
    listed = [
        Endpoint.from_record(
            {key: entry[key] for key in ("name", "kind", "url", "model", "note", "about") if key in entry}
            | {"continues": entry["continue"] if entry.get("continue") in CONTINUE_MODES else ""}
        )
        for entry in config.get("endpoints", [])
        if isinstance(entry, dict) and entry.get("kind") in kinds and entry.get("name")
    ]
    listed.sort(key=lambda endpoint: endpoint.name != config.get("default"))
    return listed or [Endpoint("Demo", "demo")]
