"""Why a model ended its answer, in the words of the servers. The list of words is open: OpenAI has
five, and each server adds its own (`eos_token`, `end_turn`, `STOP`, `model_length`).

So only the words that are known to mean a cut are told apart; with every other word the model has
ended its answer itself.
"""

from __future__ import annotations

__all__ = ["ends", "is_filter", "is_length", "is_refusal"]

# A piece without an end: some servers send a word for "not yet" with each one.
_NOT_YET = frozenset({"", "null", "none", "in_progress", "finish_reason_unspecified"})
_CUT = frozenset(
    {
        "abort",  # vLLM, SGLang
        "aborted",
        "cancel",
        "cancelled",
        "canceled",
        "disconnect",
        "engine_overloaded",
        "error",  # OpenRouter
        "failed",
        "incomplete",
        "insufficient_system_resource",  # DeepSeek
        "interrupted",
        "network_error",  # GLM
        "server_error",
        "timeout",
    }
)
_LENGTH = frozenset({"length", "max_tokens", "max_length", "max_output_tokens", "max_new_tokens", "model_length"})
_FILTER = frozenset(
    {"content_filter", "content_filtered", "safety", "recitation", "blocklist", "prohibited_content", "spii"}
    | {"sensitive", "guardrail_intervened", "image_safety"}
)


def ends(reason: object) -> bool:
    """Whether the model ended its answer with it: False for a cut, and for no reason at all."""
    return isinstance(reason, str) and reason.strip().lower() not in _NOT_YET | _CUT


def is_length(reason: str) -> bool:
    """The answer reached the number of tokens that it may have."""
    return reason.lower() in _LENGTH


def is_filter(reason: str) -> bool:
    """A filter beside the model ended the answer, or withheld it."""
    return reason.lower() in _FILTER


def is_refusal(reason: str) -> bool:
    return reason.lower() == "refusal"
