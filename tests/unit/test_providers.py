"""What payloads of real servers mean, and what ours say to clients."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.errors import ErrorWords
from midstream.events import (
    TERMINAL_STATES,
    Delta,
    Ended,
    Event,
    Extra,
    Failed,
    Finish,
    Nothing,
    Other,
    Unreadable,
    Usage,
)
from midstream.problems import problem
from midstream.providers import demo, openai


def delta(**parts: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": parts, "finish_reason": None}]}


def finish(reason: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
UNNAMED = Failed("The endpoint reported an error.", "error")

# (which server does so, the payload, its events)
CASES: list[tuple[str, Any, list[Event]]] = [
    ("all: text", delta(content="hi"), [Delta("hi")]),
    ("llama.cpp: role chunk, content null", delta(role="assistant", content=None), [Other()]),
    ("OpenAI: role chunk, content empty", delta(role="assistant", content=""), [Other()]),
    ("absent content", delta(), [Other()]),
    ("vLLM, Ollama: reasoning", delta(reasoning="hm"), [Delta("", "hm")]),
    ("llama.cpp: reasoning_content", delta(reasoning_content="hm"), [Delta("", "hm")]),
    ("both: reasoning wins", delta(reasoning="a", reasoning_content="b"), [Delta("", "a")]),
    ("reasoning null", delta(reasoning=None, reasoning_content="b"), [Delta("", "b")]),
    ("text and reasoning", delta(content="x", reasoning="y"), [Delta("x", "y")]),
    (
        "Mistral: content parts",
        delta(content=[{"type": "text", "text": "x"}, {"text": 1}, 2]),
        [Delta("x")],
    ),
    ("stop", finish("stop"), [Finish("stop")]),
    ("length", finish("length"), [Finish("length")]),
    ("tools", finish("tool_calls"), [Finish("tool_calls")]),
    ("filter", finish("content_filter"), [Finish("content_filter")]),
    ("vLLM: abort is no finish", finish("abort"), [Other()]),
    ("OpenRouter: error is no finish", finish("error"), [Other()]),
    ("finish is not text", finish(["stop"]), [Other()]),
    (
        "text and finish at once",
        {"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]},
        [Delta("x"), Finish("stop")],
    ),
    ("all: usage, no choices", {"choices": [], "usage": USAGE}, [Usage(3, 5)]),
    ("usage null in every chunk", {**delta(content="x"), "usage": None}, [Delta("x")]),
    ("vLLM: continuous usage", {**delta(content="x"), "usage": USAGE}, [Delta("x"), Usage(3, 5)]),
    ("usage with a part missing", {"usage": {"prompt_tokens": None}}, [Usage(0, 0)]),
    (
        "OpenRouter: error under 200",
        {"error": {"message": "boom", "code": 502}, "choices": []},
        [Failed("boom", "502")],
    ),
    (
        "OpenAI: error with a type",
        {"error": {"message": "boom", "type": "server_error", "code": None}},
        [Failed("boom", "server_error")],
    ),
    ("error as a string", {"error": "boom"}, [Failed("boom", "error")]),
    ("error without words", {"error": {"message": ""}}, [UNNAMED]),
    ("error as a number", {"error": 1}, [UNNAMED]),
    ("no error", {**delta(content="x"), "error": None}, [Delta("x")]),
    (
        "a whole answer",
        openai.completion("u", "m", "all", finish="stop", usage=(3, 5)),
        [Delta("all"), Finish("stop"), Usage(3, 5)],
    ),
    (
        "two choices without numbers",
        {"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]},
        [Delta("a"), Delta("b", index=1)],
    ),
    (
        "the second of two choices, alone in its chunk",
        {"choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": "stop"}]},
        [Delta("b", index=1), Finish("stop", 1)],
    ),
    ("a choice of no known number", {"choices": [{"index": "1", "delta": {"content": "a"}}]}, [Delta("a")]),
    ("TGI: eos_token", finish("eos_token"), [Finish("eos_token")]),
    ("Gemini: STOP", finish("STOP"), [Finish("STOP")]),
    ("Ollama: an empty reason", finish(""), [Other()]),
    (
        "DashScope: the word null in each piece",
        {"choices": [{"delta": {"content": "a"}, "finish_reason": "null"}]},
        [Delta("a")],
    ),
    ("DeepSeek: out of resources", finish("insufficient_system_resource"), [Other()]),
    ("a refusal is text too", delta(refusal="No."), [Delta("No."), Extra("refusal")]),
    (
        "a tool call",
        delta(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": ""}}]),
        [Extra("tool_call", "f")],
    ),
    ("a function call", delta(function_call={"name": "f"}), [Extra("tool_call", "f")]),
    ("more of a tool call", delta(tool_calls=[{"index": 0, "function": {"arguments": "{"}}]), [Extra("tool_call")]),
    ("OpenRouter: an image", delta(content="", images=[{"image_url": {"url": "data:,"}}]), [Extra("image")]),
    ("audio", delta(audio={"data": ""}), [Extra("audio")]),
    ("a completion's text", {"choices": [{"index": 0, "text": "a", "finish_reason": None}]}, [Delta("a")]),
    (
        "vLLM: an error without `error`",
        {"object": "error", "message": "boom", "type": "E", "code": 500},
        [Failed("boom", "500")],
    ),
    ("FastAPI: detail", {"detail": [{"loc": ["body"], "msg": "missing"}]}, [Failed("body: missing", "error")]),
    ("MiniMax", {"base_resp": {"status_code": 1008, "status_msg": "no money"}}, [Failed("no money", "1008")]),
    ("MiniMax: well", {**delta(content="x"), "base_resp": {"status_code": 0, "status_msg": ""}}, [Delta("x")]),
    ("Gemini: a list with an error", [{"error": {"code": 400, "message": "boom"}}], [Failed("boom", "400")]),
    (
        "Anthropic: an error by its type",
        {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}},
        [Failed("busy", "overloaded_error")],
    ),
    (
        "OpenRouter: an error in the choice",
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "error", "error": {"code": 502, "message": "boom"}}]},
        [Failed("boom", "502")],
    ),
    ("detail beside choices is no error", {**delta(content="x"), "detail": "fine"}, [Delta("x")]),
    ("choices that are none", {"choices": {"0": 1}}, [Other()]),
    ("choice that is none", {"choices": [None]}, [Other()]),
    ("delta that is none", {"choices": [{"delta": "x"}]}, [Other()]),
    ("another object", {"object": "timings"}, [Other()]),
    ("Anthropic: a ping", {"type": "ping"}, [Nothing()]),
    ("an empty object", {}, [Nothing()]),
    ("null", None, [Nothing()]),
    ("a number", 1, [Nothing()]),
    ("no text", "", [Nothing()]),
    (
        "our end",
        {"choices": [], "midstream": {"state": "cancelled", "message": "Stopped."}},
        [Ended("cancelled", "Stopped.")],
    ),
    ("a state that we do not know", {"midstream": {"state": "melted"}}, [Other()]),
]


@pytest.mark.parametrize(("payload", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_payload_means(payload: Any, expected: list[Event]) -> None:
    assert openai.parse(json.dumps(payload)) == expected


@pytest.mark.parametrize("text", ["x", "[1]", '"x"', "{", "ping me", "[" * 100_000])
def test_what_cannot_be_read_is_a_failure_in_words(text: str) -> None:
    (event,) = openai.parse(text)
    assert isinstance(event, Unreadable)
    assert event.failure.code == "bad_payload"
    assert event.failure.message.startswith("The endpoint sent something that cannot be read. Message: ")
    assert event.failure.problem and event.failure.problem.quote == text[:300]


@pytest.mark.parametrize("text", ["", " ", "null", "[]", "ping", "PING", ": keep-alive", "heartbeat", "keepalive", "1"])
def test_a_keep_alive_is_nothing(text: str) -> None:
    assert openai.parse(text) == [Nothing()]


def test_a_number_may_have_any_number_of_digits() -> None:
    assert openai.parse('{"choices":[{"delta":{"content":"x"}}],"x":' + "9" * 6000 + "}") == [Delta("x")]


@pytest.mark.parametrize("text", ["[DONE]", " [DONE] "])
def test_done_means_nothing(text: str) -> None:
    assert openai.parse(text) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    "choices",
    "delta",
    "message",
    "content",
    "reasoning",
    "finish_reason",
    "usage",
    "error",
    "midstream",
    "state",
]
NAMED = st.recursive(JSON, lambda inner: st.dictionaries(st.sampled_from(KEYS), inner) | st.lists(inner, max_size=2))


@given(NAMED)
def test_no_payload_raises(payload: Any) -> None:
    events = openai.parse(json.dumps(payload))
    assert events
    for event in events:
        if isinstance(event, Delta):
            assert isinstance(event.text + event.reasoning, str)
            assert event.text or event.reasoning


# -- what we say


@pytest.mark.parametrize("state", TERMINAL_STATES)
def test_a_terminal_payload_is_a_chunk_that_says_how_it_ended(state: str) -> None:
    why = problem("model_crashed")
    payload = openai.terminal("r", state, why=why, code="c", status=None)
    body = json.loads(payload)
    assert (body["object"], body["id"]) == ("chat.completion.chunk", "r")
    assert body["choices"] == [{"index": 0, "delta": {}, "finish_reason": None}]
    words = {"message": why.message, "code": "c", "hint": why.hint}
    said = {"code": "model_crashed", "values": {}}
    assert body["midstream"] == {"state": state, **words, "problem": said}
    events = openai.parse(payload)
    assert events[-1] == Ended(state, why.message, "c")
    assert [event.problem for event in events if isinstance(event, Ended | Failed)][-1] == why
    assert (events[0] == Failed(why.message, "c", why.hint)) == (state == "failed")
    assert ("error" in body) == (state != "completed")


def test_the_end_of_a_run_has_the_upstreams_own_error() -> None:
    why = problem("endpoint_error", quote="too long")
    words = ErrorWords("too long", "context_length_exceeded", "invalid_request_error", "messages")
    body = json.loads(openai.terminal("r", "failed", why=why, code=words.name, words=words))
    asked = {name: body["error"][name] for name in ("message", "code", "type", "param")}
    assert asked == {
        "message": "too long",
        "code": "context_length_exceeded",
        "type": "invalid_request_error",
        "param": "messages",
    }
    assert body["error"]["problem"] == body["midstream"]["problem"] == why.record()


@pytest.mark.parametrize("state", TERMINAL_STATES)
def test_the_end_of_a_run_in_an_old_log(state: str) -> None:
    """Until version 1 it had no choices, and an error only where the run had failed."""
    old = {"id": "r", "choices": [], "midstream": {"state": state, "message": "m", "code": "c"}}
    if state == "failed":
        old["error"] = {"message": "m", "code": "c", "hint": "", "problem": None, "type": "midstream"}
    assert openai.parse(json.dumps(old))[-1] == Ended(state, "m", "c")


def test_a_client_that_wants_no_usage_gets_a_choice_in_each_chunk() -> None:
    usage = openai.chunk("r", "m", usage=(1, 2))
    assert openai.as_chunk(usage, usage=True) == usage
    assert json.loads(openai.as_chunk(usage, usage=False)) == {
        **json.loads(usage),
        "choices": [{"index": 0, "delta": {}, "finish_reason": None}],
    }
    for none in ('{"x":1}', '{"x":1,"choices":null}'):
        found = json.loads(openai.as_chunk(none, usage=False))
        assert found == {"x": 1, "choices": [{"index": 0, "delta": {}, "finish_reason": None}]}
    for other in (openai.chunk("r", "m", content='"choices":[] "message"'), "{}", '{"choices":1,"message":2}'):
        assert openai.as_chunk(other, usage=False) == other


def test_a_whole_answer_becomes_a_chunk_for_a_client_that_streams() -> None:
    whole = openai.completion("r", "m", "hi", finish="stop", usage=(1, 2))
    found = json.loads(openai.as_chunk(json.dumps(whole), usage=False))
    delta = {"role": "assistant", "content": "hi"}
    assert found["choices"] == [{"index": 0, "delta": delta, "finish_reason": "stop"}]
    assert found["object"] == "chat.completion.chunk"
    assert openai.parse(json.dumps(found)) == openai.parse(json.dumps(whole))


def test_a_terminal_payload_has_a_terminal_state() -> None:
    with pytest.raises(ValueError, match="live"):
        openai.terminal("r", "live")


def test_a_request_streams_and_asks_for_usage() -> None:
    body = openai.chat_request([{"role": "user", "content": "hi"}], model="m", temperature=0.5, stop=None)
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
    }


QUESTION = {"role": "user", "content": "hi"}
TURN = {"role": "assistant", "content": "The hippopot"}
FLAGS = {"continue_final_message": True, "add_generation_prompt": False, "echo": False}


@pytest.mark.parametrize(
    ("mode", "turn", "options"),
    [
        ("prefill", TURN, {}),
        ("continue_final_message", TURN, FLAGS),
        ("prefix", {**TURN, "prefix": True}, {}),
    ],
)
def test_an_answer_is_continued_as_an_open_turn(mode: str, turn: dict[str, Any], options: dict[str, Any]) -> None:
    body = openai.continue_request([QUESTION], TURN["content"], mode=mode, model="m", stop=None)
    assert body == {
        "model": "m",
        "messages": [QUESTION, turn],
        "stream": True,
        "stream_options": {"include_usage": True},
        **options,
    }


def test_an_answer_is_continued_by_asking() -> None:
    body = openai.continue_request([QUESTION], "The hippopot", mode="ask", model="m", top_p=0.5)
    *before, request = body["messages"]
    assert before == [QUESTION, TURN]
    assert request["role"] == "user"
    for word in ("exactly where it stopped", "not repeat", "not introduce"):
        assert word in request["content"]
    assert body["top_p"] == 0.5
    assert not FLAGS.keys() & body.keys()


@pytest.mark.parametrize("mode", openai.CONTINUE_MODES)
def test_a_continued_turn_has_no_space_at_its_end(mode: str) -> None:
    body = openai.continue_request([QUESTION], " a\n b \n\n", mode=mode, model="m")
    assert body["messages"][1]["content"] == " a\n b"


@pytest.mark.parametrize("mode", openai.CONTINUE_MODES)
def test_the_reasoning_stands_in_an_open_turn(mode: str) -> None:
    body = openai.continue_request([QUESTION], "x", reasoning="hm", mode=mode, model="m")
    assert body["messages"][1].get("reasoning_content") == (None if mode == "ask" else "hm")


@pytest.mark.parametrize("mode", openai.CONTINUE_MODES)
def test_an_answer_without_a_word_is_asked_for_again(mode: str) -> None:
    again = openai.chat_request([QUESTION], model="m")
    assert openai.continue_request([QUESTION], " \n", mode=mode, model="m") == again
    thought = openai.continue_request([QUESTION], "", reasoning="hm", mode=mode, model="m")
    if mode == "ask":
        assert thought == again
    else:
        assert thought["messages"][1]["content"] == ""
        assert thought["messages"][1]["reasoning_content"] == "hm"


def test_a_way_to_continue_that_is_not_known() -> None:
    with pytest.raises(ValueError, match="guess"):
        openai.continue_request([QUESTION], "x", mode="guess", model="m")


def test_our_chunks_are_read_by_our_parser() -> None:
    assert openai.parse(openai.chunk("r", "m", role="assistant")) == [Other()]
    assert openai.parse(openai.chunk("r", "m", content="x", finish="stop")) == [
        Delta("x"),
        Finish("stop"),
    ]
    assert openai.parse(openai.chunk("r", "m", usage=(1, 2))) == [Usage(1, 2)]


# -- the script


def test_the_script_is_the_same_for_the_same_prompt() -> None:
    assert list(demo.tokens("hi")) == list(demo.tokens("hi"))
    text = "".join(demo.tokens("hi"))
    assert "“hi”" in text
    for part in ("\n1. ", "\n|:--", "\n```python\n", "👩‍🚀", "scripted"):
        assert part in text
    assert len(list(demo.tokens("hi"))) > 100


@given(st.text())
def test_a_prompt_stays_words_in_the_script(prompt: str) -> None:
    """It cannot open a link, code or HTML in the answer."""
    quoted = "".join(demo.tokens(prompt)).partition("“")[2].partition("”. No model")[0]
    assert len(quoted) <= 120
    assert "\n" not in quoted
    bare = quoted.replace("\\\\", "")
    for mark in "`*_[]<>|~&#!":
        assert bare.count(mark) == bare.count(f"\\{mark}")
