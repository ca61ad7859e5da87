"""`midstream serve` and `replay` as processes.

Crashes, several workers, signals, what they print.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from midstream import sse
from midstream.events import Delta
from midstream.providers import openai
from tests.gateway.live import chat, text_of
from tests.gateway.support import until
from tests.support.processes import Process, Replay, Serve, replay, serve

pytestmark = pytest.mark.full_run(reason="starts servers, and stops them in every way")
COMMAND = [sys.executable, "-m", "midstream.cli"]
TEXT = "".join(f"word{number} " for number in range(600))


@pytest.fixture(scope="module")
def answer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("answer") / "answer.md"
    file.write_text(TEXT)
    return file


@pytest.fixture(scope="module")
def upstream(answer_file: Path) -> Iterator[Replay]:
    """About 4 s for the whole text."""
    with replay(answer_file, rate=300, chunk=4) as running:
        yield running


class Stream:
    """An open response, read message by message, in this thread."""

    def __init__(self, app: Serve, method: str, path: str, **request: object) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=30)
        body, headers = request.get("content"), request.get("headers") or {}
        self._connection.request(method, path, body, headers)  # type: ignore[arg-type]
        self.response = self._connection.getresponse()
        self.run = self.response.headers.get("midstream-run", "")
        self._decoder = sse.Decoder()
        self.messages: list[sse.Message] = []

    def until(self, count: int) -> list[sse.Message]:
        """At least `count` messages, or all there are. Raises when the connection breaks."""
        while len(self.messages) < count:
            piece = self.response.read1(65536)
            if not piece:
                break
            self.messages += self._decoder.feed(piece)
        return self.messages

    def rest(self) -> list[sse.Message]:
        return self.until(1_000_000)

    def close(self) -> None:
        self._connection.close()


def post(app: Serve, **options: object) -> Stream:
    return Stream(app, "POST", "/v1/chat/completions", **chat(**options))  # type: ignore[arg-type]


def follow(app: Serve, run: str, after: str = "0") -> Stream:
    return Stream(app, "GET", f"/v1/runs/{run}/events?after={after}")


def ask(app: Serve, method: str, path: str) -> dict[str, object]:
    with contextlib.closing(Stream(app, method, path)) as stream:
        found: dict[str, object] = json.loads(stream.response.read())
        return found


@contextlib.contextmanager
def server(upstream: Replay, dist: Path, store: str, *options: str) -> Iterator[Serve]:
    fixed = ["--upstream", upstream.url, "--dist", str(dist), "--store", store]
    with serve(*fixed, *options) as running:
        yield running


# -- the writer dies


@pytest.mark.parametrize("seen", [3, 300])
def test_a_killed_server_keeps_what_anybody_has_seen(
    upstream: Replay, small_dist: Path, tmp_path: Path, seen: int
) -> None:
    store = f"sqlite:{tmp_path / 'log.db'}"
    aborts = len(upstream.events("abort"))
    with server(upstream, small_dist, store) as app:
        stream = post(app, conversation="c")
        before = list(stream.until(seen))
        app.kill()
        stream.close()
    upstream.until(lambda: len(upstream.events("abort")) == aborts + 1)

    with server(upstream, small_dist, store) as app:
        with contextlib.closing(follow(app, stream.run)) as again:
            after = again.rest()
        assert [(m.id, m.data) for m in after[: len(before)]] == [(m.id, m.data) for m in before]
        terminal = json.loads(after[-2].data)["midstream"]
        assert (terminal["state"], terminal["code"]) == ("interrupted", "writer_lost")
        assert after[-2].id == f"2-{len(after) - 1}"
        assert TEXT.startswith(text_of(after))
        run = ask(app, "GET", f"/v1/runs/{stream.run}")
        assert (run["state"], run["text"]) == ("interrupted", text_of(after))
        # The conversation is free again, and a client that was ahead would be told.
        with contextlib.closing(post(app, conversation="c")) as fresh:
            assert fresh.response.status == 200
            ask(app, "POST", f"/v1/runs/{fresh.run}/cancel")


def test_a_killed_worker_is_replaced_and_its_runs_are_ended(upstream: Replay, small_dist: Path, tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("looks for the worker in /proc")
    with server(upstream, small_dist, f"sqlite:{tmp_path / 'log.db'}", "--workers", "2") as app:
        stream = post(app)
        stream.until(5)
        with contextlib.closing(follow(app, stream.run)) as reader:
            reader.until(5)
            workers = children(app.pid, "spawn_main")
            assert len(workers) == 2
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
            stream.close()
        until(lambda: len(set(children(app.pid, "spawn_main")) - set(workers)) == 2, "new workers")
        with contextlib.closing(follow(app, stream.run)) as again:
            messages = again.rest()
        assert json.loads(messages[-2].data)["midstream"]["code"] == "writer_lost"
        assert TEXT.startswith(text_of(messages))


def test_a_killed_worker_takes_no_other_workers_run_along(upstream: Replay, small_dist: Path, tmp_path: Path) -> None:
    """Its own runs end at once, not when their leases do."""
    if sys.platform != "linux":
        pytest.skip("looks for the worker in /proc")
    log = tmp_path / "log.db"
    with server(upstream, small_dist, f"sqlite:{log}", "--workers", "4") as app:
        streams = [post(app)]
        while len(set(columns(log, "writer").values())) < 2:  # whichever worker takes it
            assert len(streams) < 40
            streams.append(post(app))
        writers = columns(log, "writer")
        dead = writers[streams[0].run]
        (worker,) = [pid for pid in children(app.pid, "spawn_main") if holds(pid, dead)]
        os.kill(worker, signal.SIGKILL)
        leases = columns(log, "lease")
        for run in (run for run, writer in writers.items() if writer == dead):
            with contextlib.closing(follow(app, run)) as reader:
                terminal = json.loads(reader.rest()[-2].data)["midstream"]
            assert (terminal["state"], terminal["code"]) == ("interrupted", "writer_lost")
            assert columns(log, "updated")[run] < leases[run]
        for run in (run for run, writer in writers.items() if writer != dead):
            assert ask(app, "GET", f"/v1/runs/{run}")["state"] in ("live", "completed")
        for stream in streams:
            stream.close()


def columns(log: Path, name: str) -> dict[str, Any]:
    """What the store has in one column, by run."""
    with contextlib.closing(sqlite3.connect(log)) as db:
        return dict(db.execute(f"SELECT id, {name} FROM runs").fetchall())


def holds(pid: int, writer: str) -> bool:
    """Whether a process has the lock file of that name open."""
    with contextlib.suppress(OSError):
        return any(str(fd.readlink()).endswith(writer) for fd in Path(f"/proc/{pid}/fd").iterdir())
    return False


def test_workers_end_with_a_killed_parent(upstream: Replay, small_dist: Path, tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("looks for the workers in /proc")
    with server(upstream, small_dist, f"sqlite:{tmp_path / 'log.db'}", "--workers", "2") as app:
        workers = children(app.pid, "spawn_main")
        app.kill()
        until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), "end")
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", app.port)) != 0


# -- several workers


@pytest.mark.parametrize("workers", ["2", "4"])
def test_any_worker_serves_cancels_and_knows_every_run(
    upstream: Replay, small_dist: Path, tmp_path: Path, workers: str
) -> None:
    store = f"sqlite:{tmp_path / 'log.db'}"
    with server(upstream, small_dist, store, "--workers", workers) as app:
        for _ in range(3):  # each connection meets whichever worker takes it
            aborts = len(upstream.events("abort"))
            with contextlib.closing(post(app, key=f"k{aborts}")) as stream:
                stream.until(10)
                readers = [follow(app, stream.run, "1-3") for _ in range(4)]
                for reader in readers:
                    assert reader.until(5)[0].id == "1-4"
                run = ask(app, "POST", f"/v1/runs/{stream.run}/cancel")
                assert run["state"] == "cancelled"
                upstream.until(lambda n=aborts: len(upstream.events("abort")) == n + 1)  # type: ignore[misc]
                whole = [message.data for message in stream.rest()]
                for reader in readers:
                    assert [message.data for message in reader.rest()] == whole[3:]
                    reader.close()


def test_one_key_is_one_run_over_several_workers(upstream: Replay, small_dist: Path, tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path / 'log.db'}"
    with server(upstream, small_dist, store, "--workers", "4") as app:
        opened = len(upstream.events("open"))
        streams: list[Stream] = []
        threads = [threading.Thread(target=lambda: streams.append(post(app, key="k"))) for _ in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({stream.run for stream in streams}) == 1
        # Not at once: on a busy machine the answers' headers come before the upstream is asked.
        streams[0].until(3)
        upstream.until(lambda: len(upstream.events("open")) > opened)
        assert len(upstream.events("open")) == opened + 1
        ask(app, "POST", f"/v1/runs/{streams[0].run}/cancel")
        for stream in streams:
            stream.close()


def test_workers_share_redis(upstream: Replay, small_dist: Path, redis_url: str) -> None:
    with (
        server(upstream, small_dist, redis_url, "--workers", "2") as app,
        contextlib.closing(post(app)) as stream,
    ):
        stream.until(20)
        readers = [follow(app, stream.run) for _ in range(3)]
        run = ask(app, "POST", f"/v1/runs/{stream.run}/cancel")
        assert run["state"] == "cancelled"
        whole = [message.data for message in stream.rest()]
        for reader in readers:
            assert [message.data for message in reader.rest()] == whole
            reader.close()


# -- signals


@pytest.mark.parametrize(("workers", "end"), [("1", "interrupt"), ("2", "stop")])
def test_a_signal_ends_it_in_order(upstream: Replay, small_dist: Path, tmp_path: Path, workers: str, end: str) -> None:
    store = f"sqlite:{tmp_path / 'log.db'}"
    with server(upstream, small_dist, store, "--workers", workers) as app:
        stream = post(app)
        stream.until(5)
        assert getattr(app, end)() == 0
        rest = [message.id for message in stream.rest()]
        assert None not in rest  # no [DONE]: the client knows that it has to come back
        stream.close()
        assert app.errors() == ""
        assert app.lines == [f"Midstream: {app.url}"]
    with server(upstream, small_dist, store) as app:
        run = ask(app, "GET", f"/v1/runs/{stream.run}")
        assert run["state"] == "interrupted"
        assert run["error"]["message"] == "The server was stopped while it was answering."  # type: ignore[index]


# -- nothing private in what it prints


def test_no_key_no_prompt_and_no_id_in_the_log(answer_file: Path, small_dist: Path, tmp_path: Path) -> None:
    key, prompt = "sk-canary-4f7a", "canary prompt 93c1"
    with replay(answer_file, rate=0) as upstream:
        options = ["--upstream", upstream.url, "--upstream-key-env", "CANARY", "--dist"]
        env = {"CANARY": key, "MIDSTREAM_LOG": "debug"}
        store = f"sqlite:{tmp_path / 'log.db'}"
        with serve(*options, str(small_dist), "--store", store, env=env) as app:
            runs = []
            for stream in (post(app, text=prompt), post(app, text=prompt, stream=False)):
                stream.response.read()
                runs.append(stream.run)
                stream.close()
            for path in (f"/v1/runs/{runs[0]}/events?after=1-1", "/v1/runs/x", "/v1/models"):
                with contextlib.closing(Stream(app, "GET", path)) as stream:
                    stream.response.read()
            upstream.kill()
            with contextlib.closing(post(app, text=prompt)) as stream:
                assert stream.response.status == 502
                body = stream.response.read().decode()
            app.stop()
            printed = app.output()
    assert "midstream.gateway" in printed  # it does log
    for secret in (key, prompt, *runs):
        assert secret not in printed
        assert secret not in body


# -- replay


def test_replay_says_what_became_of_each_answer(answer_file: Path) -> None:
    with replay(answer_file, rate=0, chunk=4) as upstream:
        whole = Stream(upstream, "POST", "/v1/chat/completions", **chat())  # type: ignore[arg-type]
        assert text_of(whole.rest()) == TEXT
        assert whole.messages[-1].data == "[DONE]"
        whole.close()
        count = -(-len(TEXT) // 4)
        upstream.until(lambda: upstream.events("done"))
        assert upstream.events() == [
            {"event": "open", "request": "replay-1", "sent": 0},
            {"event": "done", "request": "replay-1", "sent": count},
        ]
    with replay(answer_file, rate=50) as upstream:
        cut = Stream(upstream, "POST", "/v1/chat/completions", **chat())  # type: ignore[arg-type]
        cut.until(5)
        cut.close()
        upstream.until(lambda: upstream.events("abort"))
        (aborted,) = upstream.events("abort")
        assert aborted["request"] == "replay-1"
        assert 4 <= aborted["sent"] < 40


@pytest.mark.parametrize("rate", [200, 5000])
def test_replay_keeps_its_pace(answer_file: Path, rate: int) -> None:
    with replay(answer_file, rate=rate, chunk=1 if rate > 1000 else 20) as upstream:
        stream = Stream(upstream, "POST", "/v1/chat/completions", **chat())  # type: ignore[arg-type]
        start = time.monotonic()
        messages = stream.rest()
        seconds = time.monotonic() - start
        stream.close()
    tokens = sum(isinstance(e, Delta) for m in messages for e in openai.parse(m.data))
    # Never faster; on a busy machine it may be late, but lateness that adds up would be many times this.
    assert 0.95 * tokens / rate - 0.1 < seconds < 2 * tokens / rate + 5


def test_replay_lets_local_pages_in(answer_file: Path) -> None:
    with replay(answer_file, rate=0) as upstream:
        for origin, allowed in [
            ("http://localhost:8000", True),
            ("http://127.0.0.1:5173", True),
            ("https://evil.example", False),
            ("http://localhost.evil.example", False),
        ]:
            headers = {
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type,authorization,x-own",
            }
            flight = Stream(upstream, "OPTIONS", "/v1/chat/completions", headers=headers)  # type: ignore[arg-type]
            given = flight.response.headers.get("access-control-allow-origin")
            assert (given == origin) == allowed
            flight.close()
            asked = {**chat(stream=False), "headers": {"Origin": origin, **JSON}}
            real = Stream(upstream, "POST", "/v1/chat/completions", **asked)  # type: ignore[arg-type]
            answer = json.loads(real.response.read())
            assert answer["choices"][0]["message"]["content"] == TEXT
            assert (real.response.headers.get("access-control-allow-origin") == origin) == allowed
            real.close()


def test_replay_has_models_and_refuses_nonsense(answer_file: Path) -> None:
    with replay(answer_file) as upstream:
        models = ask(upstream, "GET", "/v1/models")  # type: ignore[arg-type]
        assert models["data"][0]["id"] == "replay"  # type: ignore[index]
        bad = Stream(upstream, "POST", "/v1/chat/completions", content="[]", headers=JSON)  # type: ignore[arg-type]
        assert bad.response.status == 400
        bad.close()
        assert upstream.events() == []
        assert upstream.interrupt() == 0
        assert len(upstream.errors().splitlines()) == 1


def test_replay_sends_no_more_tokens_than_are_asked_for(answer_file: Path) -> None:
    with replay(answer_file, rate=0, chunk=4) as upstream:
        asked = {**chat(stream=False, max_tokens=3), "headers": JSON}
        short = Stream(upstream, "POST", "/v1/chat/completions", **asked)  # type: ignore[arg-type]
        choice = json.loads(short.response.read())["choices"][0]
        assert choice["message"]["content"] == TEXT[:12]
        assert choice["finish_reason"] == "length"
        short.close()


# -- bad luck


def ended(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Exit code and error line of a command that cannot do what it is asked."""
    process = Process(*arguments, env=env)
    with contextlib.closing(process):
        code = process.popen.wait(30)
        return code, process.errors()


def assert_one_line(errors: str, *words: str) -> None:
    assert len(errors.strip().splitlines()) == 1, errors
    for word in words:
        assert word in errors


def test_a_port_that_is_taken(small_dist: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        options = ["--model", "demo", "--dist", str(small_dist), "--store", "memory:"]
        code, errors = ended("serve", *options, "--port", port)
    assert code == 1
    assert_one_line(errors, port, "--port")


def test_a_store_that_is_full_or_not_ours(small_dist: Path, tmp_path: Path) -> None:
    options = ["serve", "--model", "demo", "--dist", str(small_dist), "--port", "0", "--store"]
    file = tmp_path / "file"
    file.write_text("x" * 5000)
    for spec, words in [
        (f"sqlite:{file}/log.db", "not a folder"),
        (f"sqlite:{tmp_path}", "it is a folder"),
        (f"sqlite:{file}", "not a run log"),
        ("sqlite:/proc/log.db", "--store"),
        ("sqlite:/dev/full", "--store"),
        ("redis://127.0.0.1:1/0", "Redis"),
    ]:
        code, errors = ended(*options, spec)
        assert code == 1, spec
        assert_one_line(errors, words)
    assert file.read_text() == "x" * 5000


def test_missing_parts(small_dist: Path, tmp_path: Path) -> None:
    demo = ["serve", "--port", "0", "--store", "memory:", "--model", "demo"]
    local = ["serve", "--port", "0", "--store", "memory:", "--dist", str(small_dist)]
    for arguments, env, words in [
        ([*demo, "--dist", str(tmp_path)], {}, "build.py"),
        ([*local, "--model-file", str(tmp_path / "no.gguf")], {}, "no.gguf"),
        (local, {"MIDSTREAM_MODEL_FILE": str(tmp_path / "no.gguf")}, "no.gguf"),
    ]:
        code, errors = ended(*arguments, env=env)
        assert code == 1, arguments
        assert_one_line(errors, words)


def test_a_second_server_on_the_same_log_leaves_the_firsts_runs_alone(
    upstream: Replay, small_dist: Path, tmp_path: Path
) -> None:
    store = f"sqlite:{tmp_path / 'log.db'}"
    with server(upstream, small_dist, store) as first, contextlib.closing(post(first)) as stream:
        stream.until(5)
        with server(upstream, small_dist, store) as second:
            run = ask(second, "GET", f"/v1/runs/{stream.run}")
            assert run["state"] == "live"
            assert ask(second, "POST", f"/v1/runs/{stream.run}/cancel")["state"] == "cancelled"


JSON = {"Content-Type": "application/json"}


def children(pid: int, words: str) -> list[int]:
    """Child processes whose command line holds `words`."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and words in (entry / "cmdline").read_text():
                found.append(int(entry.name))
    return found


# -- beyond loopback


def test_on_all_addresses_with_tokens_from_another_process(small_dist: Path, tmp_path: Path) -> None:
    """Two workers; the token is made, used and revoked while they run."""
    tokens = ["--tokens", str(tmp_path / "tokens")]
    options = ["--model", "demo", "--dist", str(small_dist), "--store", f"sqlite:{tmp_path / 'log.db'}", *tokens]
    with serve("--host", "0.0.0.0", "--auth", "token", "--workers", "2", *options) as app:
        assert "no token yet" in app.wait_for(lambda: app.errors() or None, "warnings")

        def status(token: str) -> int:
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", app.port)) as connection:
                connection.request("GET", "/v1/conversations", headers={"Authorization": f"Bearer {token}"})
                return connection.getresponse().status

        assert status("x") == 401
        made = subprocess.run([*COMMAND, "token", "add", "ann", *tokens], capture_output=True, text=True, check=True)
        assert {status(made.stdout.strip()) for _ in range(8)} == {200}
        subprocess.run([*COMMAND, "token", "revoke", "ann", *tokens], capture_output=True, check=True)
        assert {status(made.stdout.strip()) for _ in range(8)} == {401}
