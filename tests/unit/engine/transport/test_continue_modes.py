"""How an endpoint's way to continue is found: mock endpoints, then the local model itself."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from midstream.engine.transport.continue_modes import mode_of
from midstream.errors import MachineError, UpstreamError, UpstreamRefused
from midstream.events import Delta
from midstream.gateway.upstream import model_process
from midstream.gateway.upstream.model_process import ModelProcess
from midstream.gateway.upstream.model_state import ModelState
from midstream.problems import problem
from midstream.providers import openai
from midstream.seam import join
from midstream.sse import Decoder
from tests.gateway.support import until

Body = dict[str, Any]
MockEndpoint = Callable[[Body], tuple[int, str]]


def is_marked(body: Body) -> bool:
    return bool(body["messages"][-1].get("prefix"))


def is_flagged(body: Body) -> bool:
    return body.get("continue_final_message") is True and body["add_generation_prompt"] is False


def mock_with(
    understands: Callable[[Body], bool],
    *,
    goes_on: str = "day, after",
    else_: tuple[int, str] = (200, "Hello! How can"),
) -> MockEndpoint:
    return lambda body: (200, goes_on) if understands(body) else else_


def always(body: Body) -> bool:
    return True


def never(body: Body) -> bool:
    return False


SENTENCE = "My neighbour always comes to see me on Wednes"

# (what the mock endpoint does, it, the mode, how many requests that takes)
CASES: list[tuple[str, MockEndpoint, str, int]] = [
    ("an open trailing turn", mock_with(always), "prefill", 1),
    ("and its echo, as llama.cpp without a stream", mock_with(always, goes_on=SENTENCE + "day"), "prefill", 1),
    ("vLLM: only with its flags", mock_with(is_flagged), "continue_final_message", 2),
    ("Mistral: a trailing turn is 400", mock_with(is_marked, else_=(400, "")), "prefix", 3),
    ("a marked turn, the flags are 422", mock_with(is_marked, else_=(422, "")), "prefix", 3),
    ("OpenAI: a turn of its own each time", mock_with(never), "ask", 3),
    ("Claude: 400 to all", mock_with(never, else_=(400, "")), "ask", 3),
    ("404 to all", mock_with(never, else_=(404, "")), "ask", 3),
    ("501 to all", mock_with(never, else_=(501, "")), "ask", 3),
    ("thinks, and says nothing", mock_with(always, goes_on=""), "ask", 3),
    ("goes on with a new word", mock_with(always, goes_on=" day by day"), "ask", 3),
    ("begins the word again", mock_with(always, goes_on="Wednesday is"), "ask", 3),
    ("begins the sentence again", mock_with(always, goes_on="My neighbour always comes"), "ask", 3),
    ("goes another way", mock_with(always, goes_on="My neighbour always comes to play"), "ask", 3),
    ("tells what it sees", mock_with(always, goes_on="It seems that you"), "ask", 3),
]  # fmt: skip


@pytest.mark.parametrize(
    ("endpoint", "mode", "requests"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_the_mode_of(endpoint: MockEndpoint, mode: str, requests: int) -> None:
    bodies: list[Body] = []

    async def ask(body: Body) -> tuple[int, str]:
        bodies.append(body)
        return endpoint(body)

    assert asyncio.run(mode_of(ask, "m")) == mode
    assert len(bodies) == requests
    for body in bodies:
        assert (body["stream"], body["model"], body["max_tokens"] <= 8) == (False, "m", True)
        assert "stream_options" not in body
        assert body["messages"][-1]["content"] == SENTENCE


@pytest.mark.parametrize("status", [301, 401, 403, 408, 429, 500, 502, 503])
def test_a_failure_that_says_nothing_about_the_mode_is_raised(status: int) -> None:
    async def ask(body: Body) -> tuple[int, str]:
        return (400, "") if "continue_final_message" not in body else (status, "day")

    with pytest.raises(UpstreamRefused) as raised:
        asyncio.run(mode_of(ask, "m"))
    assert raised.value.status == status


def test_an_endpoint_that_cannot_be_reached_is_not_remembered_either() -> None:
    async def ask(body: Body) -> tuple[int, str]:
        raise UpstreamError(problem("connection_broke"))

    with pytest.raises(UpstreamError, match="broke"):
        asyncio.run(mode_of(ask, "m"))


# -- the local model


class Model:
    """SmolLM2 in its process, asked without a gateway in between."""

    def __init__(self, url: str, key: str, name: str) -> None:
        self.name = name
        self._url = f"{url}/v1/chat/completions"
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}

    def post(self, body: Body) -> tuple[int, bytes]:
        request = urllib.request.Request(self._url, json.dumps(body).encode(), self._headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    async def ask(self, body: Body) -> tuple[int, str]:
        status, data = self.post(body)
        if status != 200:
            return status, ""
        return status, json.loads(data)["choices"][0]["message"]["content"]

    def deltas(self, body: Body) -> list[str]:
        status, data = self.post(body)
        assert status == 200, data
        events = [event for m in Decoder().feed(data) for event in openai.parse(m.data)]
        return [event.text for event in events if isinstance(event, Delta)]


LOCAL = pytest.mark.full_run(reason="the weights are loaded and asked")


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    try:
        model_process.require_engine()
        file = model_process.find_model_file(None)
    except MachineError as missing:
        pytest.skip(missing.message)
    process = ModelProcess(file, threads=1)
    state = ModelState(process.state_file)
    process.start()
    try:
        until(lambda: state.read().state in ("ready", "failed"), "model")
        child = state.read()
        assert child.state == "ready", child.error
        yield Model(child.url, child.key, child.model)
    finally:
        process.stop()


@LOCAL
def test_the_local_model_leaves_a_trailing_turn_open(model: Model) -> None:
    assert asyncio.run(mode_of(model.ask, model.name)) == "prefill"


@LOCAL
@pytest.mark.parametrize("mode", ["prefill", "continue_final_message"])
def test_the_local_model_goes_on_in_the_middle_of_a_word(model: Model, mode: str) -> None:
    """Never that it says the same as it would have: that is so in ten of fifteen cases only."""
    question = [{"role": "user", "content": "Explain what a refrigerator does."}]
    options: dict[str, Any] = {"model": model.name, "temperature": 0, "cache_prompt": False}
    answer = "".join(model.deltas(openai.chat_request(question, max_tokens=40, **options)))
    word = max(answer.split()[:-1], key=lambda word: len(word) if word.isalpha() else 0)
    assert len(word) > 6, answer
    before = answer[: answer.index(word) + len(word) - 3]
    request = openai.continue_request(question, before, mode=mode, max_tokens=8, **options)
    arrived, joint = "", None
    for delta in model.deltas(request):
        arrived += delta
        joint = joint or join(before, arrived, False)
    joint = joint or join(before, arrived, True)
    assert joint is not None
    assert joint.kind == "exact"
    assert arrived[joint.skip].isalpha(), (before, arrived)
