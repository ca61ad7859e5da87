"""The OpenAI chat dialect, as real servers speak it: llama.cpp, Ollama, vLLM, LM Studio, LiteLLM…

Here is what is said in it: requests, and the chunks of servers of our own. `chat_payload` has what
payloads mean, `body` how they arrive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from midstream import json_text
from midstream.errors import ErrorWords
from midstream.events import DONE, TERMINAL_STATES, Failed
from midstream.problems import Problem
from midstream.providers.chat_payload import parse, problem_in

__all__ = [
    "CONTINUE_MODES",
    "DONE",
    "as_chunk",
    "chat_request",
    "chunk",
    "completion",
    "continue_request",
    "error_object",
    "error_payload",
    "parse",
    "problem_in",
    "terminal",
]

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


def terminal(
    run: str,
    state: str,
    *,
    why: Problem | None = None,
    code: str = "",
    words: ErrorWords | None = None,
    **more: Any,
) -> str:
    """The payload that ends a run: a chunk that adds nothing, so that every OpenAI client survives
    it, also one that reads `choices[0]` without looking.

    Unless the answer is complete it carries an error too: a client that knows nothing of runs would
    take the text so far for the whole answer. `words` are the upstream's own error, `more` goes
    into the `midstream` record.
    """
    if state not in TERMINAL_STATES:
        raise ValueError(f"not a terminal state: {state!r}")
    message, hint = (why.message, why.hint) if why else ("", "")
    said = why.record() if why else None
    record = {"state": state, "message": message, "code": code, "hint": hint, "problem": said, **more}
    body: dict[str, Any] = {
        "id": run,
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "",
        "choices": [_EMPTY],
        "midstream": {name: value for name, value in record.items() if value},
    }
    if state != "completed":
        body["error"] = error_object(words, message=message or state, code=code or state, hint=hint, problem=said)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


_EMPTY = {"index": 0, "delta": {}, "finish_reason": None}
_ONE_EMPTY = f'"choices":[{json.dumps(_EMPTY)}]'
_NO_CHOICES = re.compile(r'"choices"\s*:\s*(\[\s*\]|null)')
_NO_CHOICES_AT_ALL = re.compile(r'^\s*\{(?=\s*")')


def error_object(words: ErrorWords | None, **ours: Any) -> dict[str, Any]:
    """An `error` in OpenAI's form: the upstream's own words where it gave any, ours beside them."""
    words = words or ErrorWords()
    return {
        **ours,
        "message": words.message or ours["message"],
        "type": words.type or "midstream",
        "param": words.param,
        "code": ours["code"] if words.code is None else words.code,
    }


def error_payload(payload: str, failure: Failed) -> str:
    """The payload that brought a failure, as clients know errors: with an `error`."""
    try:
        body = json_text.decode(payload)
    except ValueError:
        body = None
    if isinstance(body, dict) and body.get("error"):
        return payload
    said = failure.problem.record() if failure.problem else None
    error = error_object(failure.words, message=failure.message, code=failure.code, hint=failure.hint, problem=said)
    return json.dumps({"error": error}, ensure_ascii=False)


def as_chunk(payload: str, *, usage: bool) -> str:
    """The payload as a client of a stream takes it: one that reads `choices[0].delta` of each chunk
    without looking. Nearly all are that already, and stay as they are.

    A whole answer becomes a chunk. A chunk without choices gets an empty one, unless the client has
    asked for `usage`: then it knows that such chunks come.
    """
    if '"choices"' in payload and '"message"' in payload and '"delta"' not in payload:
        payload = _chunk_of(payload)
    if usage:
        return payload
    if '"choices"' not in payload:
        return _NO_CHOICES_AT_ALL.sub(f"{{{_ONE_EMPTY},", payload, count=1)
    return _NO_CHOICES.sub(_ONE_EMPTY, payload, count=1)


def _chunk_of(payload: str) -> str:
    body = json_text.decode(payload)
    choices = body.get("choices")
    if not isinstance(choices, list) or not all(isinstance(each, dict) for each in choices):
        return payload
    for position, choice in enumerate(choices):
        choice.setdefault("index", position)
        choice["delta"] = choice.pop("message", None) or {}
    return json.dumps(body | {"object": "chat.completion.chunk"}, separators=(",", ":"))


def _usage_object(prompt: int, completion: int) -> dict[str, int]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
