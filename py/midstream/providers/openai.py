"""The OpenAI chat dialect, as real servers speak it: llama.cpp, Ollama, vLLM, LM Studio, LiteLLM…

Their differences that force branches here: `content` null or absent; `reasoning` or
`reasoning_content`; usage in a chunk without choices, after the finish; an error object under
HTTP 200; `finish_reason: "abort"` on a cut answer; a whole `chat.completion` in place of chunks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from midstream import json_text
from midstream.events import (
    FINISH_REASONS,
    TERMINAL_STATES,
    Delta,
    Ended,
    Event,
    Failed,
    Finish,
    Other,
    Usage,
)
from midstream.problems import Problem, problem, read

__all__ = [
    "CONTINUE_MODES",
    "DONE",
    "chat_request",
    "chunk",
    "completion",
    "continue_request",
    "parse",
    "problem_in",
    "terminal",
]

DONE = "[DONE]"

# Ways to ask for the rest of an answer; see `continue_request`.
CONTINUE_MODES = ("prefill", "continue_final_message", "prefix", "ask")

_GO_ON = (
    "Your last message was cut off. Continue it exactly where it stopped, in the middle of a word "
    "if need be. Do not repeat any of it and do not introduce the continuation."
)


def chat_request(messages: Sequence[Mapping[str, Any]], *, model: str, **options: Any) -> dict[str, Any]:
    """The JSON body of a streamed request; `options` (temperature…) go in as given, None is out."""
    given = {name: value for name, value in options.items() if value is not None}
    return {
        "model": model,
        "messages": [dict(message) for message in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        **given,
    }


def continue_request(
    messages: Sequence[Mapping[str, Any]],
    partial: str,
    *,
    reasoning: str = "",
    mode: str,
    model: str,
    **options: Any,
) -> dict[str, Any]:
    """The JSON body that asks for the rest of `partial`, the answer to `messages` so far.

    | mode | what it relies on |
    |---|---|
    | `prefill` | a trailing assistant turn is left open (llama.cpp, Ollama, LM Studio) |
    | `continue_final_message` | the flags of vLLM and llama.cpp |
    | `prefix` | a mark on the trailing turn (Mistral, DeepSeek, LiteLLM) |
    | `ask` | nothing: a user turn asks to go on |

    White space at the end of `partial` is left out: templates that trim the turn refuse it
    (vllm#9547), and tokens begin with their space. `midstream.seam.join` puts it right again.
    """
    if mode not in CONTINUE_MODES:
        raise ValueError(f"not a way to continue: {mode!r}")
    turn: dict[str, Any] = {"role": "assistant", "content": partial.rstrip()}
    # A closed turn has no reasoning in any template, and some servers answer 400 to it there.
    if reasoning and mode != "ask":
        turn["reasoning_content"] = reasoning
    elif not turn["content"]:
        return chat_request(messages, model=model, **options)  # nothing to go on from
    if mode == "prefix":
        turn["prefix"] = True
    if mode == "continue_final_message":
        flags = {"continue_final_message": True, "add_generation_prompt": False, "echo": False}
        options = {**options, **flags}
    turns = [*messages, turn]
    if mode == "ask":
        turns.append({"role": "user", "content": _GO_ON})
    return chat_request(turns, model=model, **options)


def parse(data: str) -> list[Event]:
    """The events of one payload, in order; empty for `[DONE]`; unreadable JSON is a `Failed`."""
    if data.strip() == DONE:
        return []
    try:
        body = json_text.decode(data)
    except ValueError:
        return [_unreadable("The endpoint sent something that is not JSON.")]
    if not isinstance(body, dict):
        return [_unreadable("The endpoint sent JSON that is not an object.")]
    events: list[Event] = []
    if body.get("error"):
        events.append(_failure(body["error"]))
    _choice(body.get("choices"), events)
    _usage(body.get("usage"), events)
    _ended(body.get("midstream"), events)
    return events or [Other()]


def chunk(
    run: str,
    model: str,
    *,
    content: str | None = None,
    role: str | None = None,
    finish: str | None = None,
    usage: tuple[int, int] | None = None,
) -> str:
    """One `chat.completion.chunk`, for servers of our own. `usage` is (prompt, completion)."""
    delta = {name: value for name, value in (("role", role), ("content", content)) if value is not None}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body: dict[str, Any] = {
        "id": run,
        "object": "chat.completion.chunk",
        "created": 0,
        "model": model,
        "choices": [] if usage else [choice],
    }
    if usage:
        body["usage"] = _usage_object(*usage)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def completion(run: str, model: str, content: str, *, finish: str, usage: tuple[int, int]) -> dict[str, Any]:
    """A whole `chat.completion`, for requests without a stream."""
    message = {"role": "assistant", "content": content}
    return {
        "id": run,
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": _usage_object(*usage),
    }


def terminal(run: str, state: str, *, why: Problem | None = None, code: str = "", **more: Any) -> str:
    """The payload that ends a run: a chunk without choices, so that OpenAI clients survive it.

    Only `failed` carries a top-level error: clients raise on it, and in the other states the text
    so far is an answer. `more` goes into the `midstream` record.
    """
    if state not in TERMINAL_STATES:
        raise ValueError(f"not a terminal state: {state!r}")
    message, hint = (why.message, why.hint) if why else ("", "")
    said = why.record() if why else None
    words = {"message": message, "code": code, "hint": hint, "problem": said}
    record = {"state": state, **words, **more}
    body: dict[str, Any] = {
        "id": run,
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "",
        "choices": [],
        "midstream": {name: value for name, value in record.items() if value},
    }
    if state == "failed":
        body["error"] = {**words, "type": "midstream"}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _usage_object(prompt: int, completion: int) -> dict[str, int]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def problem_in(error: Mapping[str, Any]) -> Problem | None:
    """What an error of a Midstream server says by its code; None for everybody else's."""
    return read(error.get("problem"), _text(error.get("message")), _text(error.get("hint")))


def _unreadable(message: str) -> Failed:
    return Failed(message, "bad_payload", problem=problem("bad_payload", message=message))


def _failure(error: object) -> Failed:
    """OpenAI sends an object, some servers a bare string; `code` may be a number."""
    known: Mapping[str, Any] = error if isinstance(error, dict) else {"message": error}
    code = known.get("code") or known.get("type") or "error"
    words = _text(known.get("message"))
    why = problem_in(known) or problem("endpoint_error", quote=words, message=words)
    return Failed(why.message, str(code), _text(known.get("hint")), why)


def _choice(choices: object, events: list[Event]) -> None:
    """Only the first choice is shown; `message` instead of `delta` is a whole answer at once."""
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict):
        return
    part = first.get("delta") or first.get("message")
    if isinstance(part, dict):
        reasoning = part.get("reasoning")
        delta = Delta(
            _text(part.get("content")),
            _text(part.get("reasoning_content") if reasoning is None else reasoning),
        )
        if delta.text or delta.reasoning:
            events.append(delta)
    reason = first.get("finish_reason")
    if isinstance(reason, str) and reason in FINISH_REASONS:
        events.append(Finish(reason))


def _usage(usage: object, events: list[Event]) -> None:
    if isinstance(usage, dict):
        counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
        events.append(Usage(*(n if isinstance(n, int) else 0 for n in counts)))


def _ended(record: object, events: list[Event]) -> None:
    state = record.get("state") if isinstance(record, dict) else None
    if isinstance(record, dict) and isinstance(state, str) and state in TERMINAL_STATES:
        message, code = _text(record.get("message")), _text(record.get("code"))
        events.append(Ended(state, message, code, problem_in(record)))


def _text(value: object) -> str:
    """Text of a content field: a string, a list of text parts (Mistral's form), else nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = (part.get("text") for part in value if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str))
    return ""
