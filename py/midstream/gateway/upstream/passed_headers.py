"""The headers that pass between a client and the upstream, beside body and answer.

Only those of these lists: a client's credentials stay here, and what an upstream says of cookies or
caches is not meant for our address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["PassedHeaders", "from_client", "from_upstream"]

_FROM_CLIENT = frozenset(
    {
        "accept-language",
        "http-referer",  # OpenRouter's names of the app that asks
        "x-title",
        "x-openrouter-title",
        "openai-beta",
        "openai-organization",
        "openai-project",
        "user-agent",
        "x-client-request-id",
        "x-request-id",
        "traceparent",
        "tracestate",
        "x-session-id",
    }
)
_CLIENTS_OWN = "x-stainless-"  # what OpenAI's clients say of themselves
_FROM_UPSTREAM = frozenset(
    {"openai-processing-ms", "openai-version", "retry-after-ms", "x-request-id", "x-should-retry"}
)
_LIMITS = "x-ratelimit-"


@dataclass(slots=True)
class PassedHeaders:
    """`sent`: the client's headers for the upstream; `received`: the upstream's for the client, from
    the moment its answer begins."""

    sent: Mapping[str, str] = field(default_factory=dict)
    received: dict[str, str] = field(default_factory=dict)


def from_client(headers: Mapping[str, str]) -> dict[str, str]:
    return _chosen(headers, _FROM_CLIENT, _CLIENTS_OWN)


def from_upstream(headers: Mapping[str, str]) -> dict[str, str]:
    return _chosen(headers, _FROM_UPSTREAM, _LIMITS)


def _chosen(headers: Mapping[str, str], names: frozenset[str], prefix: str) -> dict[str, str]:
    lower = ((name.lower(), value) for name, value in headers.items())
    return {name: value for name, value in lower if name in names or name.startswith(prefix)}
