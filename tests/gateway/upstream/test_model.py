"""The local model itself: real weights in a child process, 64 tokens at most."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from midstream.errors import MachineError
from midstream.events import Delta, Usage
from midstream.gateway.upstream import model_process
from midstream.gateway.upstream.model_process import ModelProcess, default_threads
from midstream.gateway.upstream.model_server import Order
from midstream.gateway.upstream.model_state import ModelState
from midstream.providers import openai
from tests.gateway.support import until
from tests.gateway.test_processes import Stream, ask, children, follow, post
from tests.support.processes import Serve, serve

pytestmark = pytest.mark.full_run(reason="the weights are loaded and asked")


@pytest.fixture(scope="module")
def model_file() -> Path:
    try:
        model_process.require_engine()
        return model_process.find_model_file(None)
    except MachineError as missing:
        pytest.skip(missing.message)


@pytest.fixture(scope="module")
def app(model_file: Path, small_dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Two workers, one model."""
    store = f"sqlite:{tmp_path_factory.mktemp('log') / 'log.db'}"
    options = ["--model-file", str(model_file), "--dist", str(small_dist), "--store", store]
    with serve(*options, "--workers", "2") as running:
        yield running


def post_when_started(app: Serve) -> Stream:
    """Asks until the model is there again: before that the server says 502 or 503."""
    while (stream := post(app, text="Hello.", max_tokens=4)).response.status in (502, 503):
        stream.close()
    return stream


def model_children(app: Serve) -> list[int]:
    return children(app.pid, "model_server")


def test_it_streams_an_answer_that_can_be_read_again(app: Serve) -> None:
    options = {"include_usage": True}
    with contextlib.closing(post(app, text="Name three fruits.", max_tokens=48, stream_options=options)) as stream:
        messages = stream.rest()
    events = [event for message in messages for event in openai.parse(message.data)]
    text = "".join(event.text for event in events if isinstance(event, Delta))
    assert len(text.split()) > 5
    (usage,) = [event for event in events if isinstance(event, Usage)]
    assert 5 < usage.completion <= 48
    assert json.loads(messages[-2].data)["midstream"]["state"] == "completed"
    assert json.loads(messages[0].data)["model"] == "smollm2-135m-instruct"
    with contextlib.closing(follow(app, stream.run, "1-5")) as again:
        assert [m.data for m in again.rest()] == [m.data for m in messages[5:]]
    run = ask(app, "GET", f"/v1/runs/{stream.run}")
    assert (run["text"], run["tokens"]) == (text, usage.completion)


def refusal(stream: Stream, status: int) -> dict[str, Any]:
    """What a client is told instead of an answer. Where a busy machine takes long to find out, the
    stream has begun by then, and ends with it."""
    if stream.response.status == 200:
        terminal: dict[str, Any] = json.loads(stream.rest()[-2].data)["midstream"]
        assert terminal["state"] == "failed"
        return terminal
    assert stream.response.status == status
    error: dict[str, Any] = json.loads(stream.response.read())["error"]
    return error


def test_the_page_is_told_what_it_is(app: Serve) -> None:
    endpoints: Any = ask(app, "GET", "/config.json")["endpoints"]
    (endpoint,) = endpoints
    assert endpoint == {
        "name": "Local model",
        "kind": "gateway",
        "url": "v1",
        "model": "smollm2-135m-instruct",
        "note": "tiny demo model, facts are unreliable",
        "about": "tiny",
    }
    models = ask(app, "GET", "/v1/models")
    assert models["data"][0]["id"] == "smollm2-135m-instruct"  # type: ignore[index]


def test_a_prompt_that_is_too_long_is_said_in_words(app: Serve) -> None:
    with contextlib.closing(post(app, text="long " * 6000, max_tokens=4)) as stream:
        error = refusal(stream, 400)
    assert "exceed" in error["message"] and "context" in error["message"]


def test_cancel_stops_the_model(app: Serve) -> None:
    with contextlib.closing(post(app, text="Count to one thousand.", max_tokens=64)) as stream:
        stream.until(3)
        run = ask(app, "POST", f"/v1/runs/{stream.run}/cancel")
        assert run["state"] == "cancelled"
        assert json.loads(stream.rest()[-2].data)["midstream"]["state"] == "cancelled"


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the child in /proc")
def test_a_crash_of_the_model_is_said_and_it_is_started_again(app: Serve) -> None:
    (child,) = model_children(app)
    with contextlib.closing(post(app, text="Count to one thousand.", max_tokens=64)) as stream:
        stream.until(3)
        os.kill(child, signal.SIGKILL)
        terminal = json.loads(stream.rest()[-2].data)["midstream"]
    assert terminal["code"] == "model_crashed"
    assert "started again" in terminal["message"]
    with contextlib.closing(post_when_started(app)) as stream:
        assert json.loads(stream.rest()[-2].data)["midstream"]["state"] == "completed"
    assert model_children(app) != [child]


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the child in /proc")
def test_the_url_comes_before_the_model_which_ends_with_its_parent(model_file: Path, small_dist: Path) -> None:
    options = ["--model-file", str(model_file), "--dist", str(small_dist), "--store", "memory:"]
    with serve(*options) as app:
        until(lambda: model_children(app) != [], "start of the child")  # it has no name at first
        (child,) = model_children(app)
        with contextlib.closing(post(app, text="Hello.", max_tokens=2)) as stream:  # waits for it
            assert json.loads(stream.rest()[-2].data)["midstream"]["state"] == "completed"
        app.kill()
        until(lambda: not Path(f"/proc/{child}").exists(), "end of the child")


def test_weights_that_are_damaged_are_said_in_words(model_file: Path, small_dist: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.gguf"
    with model_file.open("rb") as whole:
        damaged.write_bytes(whole.read(1_000_000))
    options = ["--model-file", str(damaged), "--dist", str(small_dist), "--store", "memory:"]
    with serve(*options) as app:
        with contextlib.closing(post(app)) as stream:
            error = refusal(stream, 503)
        assert error["code"] == "model_missing"
        assert "does not run" in error["message"]
        with contextlib.closing(post(app)) as stream:  # and the server lives
            refusal(stream, 503)


# -- without weights


def supervisor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> ModelProcess:
    """A supervisor whose child is a script."""
    monkeypatch.setattr(model_process, "_COMMAND", [sys.executable, "-c", script])
    return ModelProcess(tmp_path / "Model-X.Q4.gguf", threads=1)


READY = 'import sys; sys.stdin.readline(); print(\'{"url": "http://127.0.0.1:1"}\', flush=True); '


def test_the_child_lives_until_its_input_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = supervisor(monkeypatch, tmp_path, READY + "sys.stdin.read()")
    state = ModelState(model.state_file)
    model.start()
    until(lambda: state.read().state == "ready", "child")
    child = state.read()
    assert (child.model, child.url, len(child.key) > 20) == ("model-x", "http://127.0.0.1:1", True)
    model.stop()
    assert not Path(f"/proc/{child.pid}").exists()
    assert state.read().state == "failed"


def test_a_child_that_crashes_again_and_again_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = supervisor(monkeypatch, tmp_path, READY)
    state = ModelState(model.state_file)
    model.start()
    until(lambda: state.read().state == "failed", "end of the tries")
    assert "again and again" in state.read().error
    model.stop()


def test_a_child_that_cannot_serve_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = supervisor(monkeypatch, tmp_path, 'print(\'{"error": "no such format"}\')')
    state = ModelState(model.state_file)
    model.start()
    until(lambda: state.read().state == "failed", "failure")
    assert state.read().error == "no such format"
    model.stop()


def test_a_child_that_ended_before_it_was_told_anything_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = supervisor(monkeypatch, tmp_path, 'print(\'{"error": "no such format"}\')')
    state = ModelState(model.state_file)

    def late(_: object) -> str:
        until(lambda: model._child is not None and model._child.poll() is not None, "its end")
        return "an order\n"

    monkeypatch.setattr(Order, "to_line", late)
    model.start()
    until(lambda: state.read().state == "failed", "failure")
    assert state.read().error == "no such format"
    model.stop()


def test_threads_leave_a_core_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIDSTREAM_MODEL_THREADS", raising=False)
    for cores, threads in [(1, 1), (2, 1), (3, 2), (5, 4), (64, 4)]:
        monkeypatch.setattr(model_process, "_cores", lambda cores=cores: cores)
        assert default_threads() == threads
    monkeypatch.setenv("MIDSTREAM_MODEL_THREADS", "3")
    assert default_threads() == 3
