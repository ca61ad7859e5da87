"""build.py as a person runs it: whatever is wrong is one clear line, and the exit code says so."""

from __future__ import annotations

import ast
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.tooling.support import checkout, only_index
from tooling import commands
from tooling.checks import preflight
from tooling.places import HERE, Places
from tooling.setup import machine, npm, programs, venv
from tooling.trouble import Trouble

PROJECT = ("build.py", "tooling", "py", "pyproject.toml", "LICENSE", "requirements", "package.json")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return checkout(tmp_path, *PROJECT)


def build(places: Places, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "build.py", *arguments]
    environment = {**os.environ, **(env or {})}
    return subprocess.run(command, cwd=places.root, env=environment, capture_output=True, text=True, timeout=120)


def one_line(done: subprocess.CompletedProcess[str], code: int) -> str:
    assert done.returncode == code
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sreve"], "no command 'sreve'"),
        (["--port", "80"], "no command '--port'"),
        (["build", "--fast"], "no options, got: --fast"),
        (["serve", "--port", "eighty"], "--port"),
        (["serve", "--port", "65536"], "--port"),
        (["serve", "--turbo"], "--turbo"),
        (["serve", "--host", "no such host.invalid"], "--host"),
    ],
)
def test_wrong_options_end_with_2_before_anything_is_set_up(places: Places, arguments: list[str], words: str) -> None:
    assert words in one_line(build(places, *arguments), 2)
    assert not places.venv.exists() and not places.cache.exists()


def test_a_taken_port_is_said_before_anything_is_set_up(places: Places) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = one_line(build(places, "serve", "--port", str(port)), 1)
    assert line == (f"build.py: port {port} is taken; stop what listens there or choose another: --port {port + 1}")
    assert not places.venv.exists()


def test_a_port_that_was_just_given_back_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()  # leaves the pair waiting for late packets
    preflight.port_is_free("127.0.0.1", port)


def test_help_names_every_command(places: Places) -> None:
    done = build(places, "--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("serve", "test", "bench"))


@pytest.mark.full_run(reason="makes an environment, without a network")
def test_no_network_on_a_fresh_machine(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    only_index(monkeypatch, "http://127.0.0.1:9/simple/")
    done = build(places)
    line = one_line(done, 1)
    assert "index cannot be reached" in line and "run this again" in line
    assert "making .venv … done" in done.stdout


def test_too_old_a_python_can_read_the_file_and_is_told() -> None:
    source = (HERE.root / "build.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 4))
    pretend = f"import sys; sys.version_info = (3, 8, 0); exec({source!r})"
    done = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True)
    assert "needs Python 3.11 or newer and this is 3.8" in one_line(done, 1)


def test_a_python_without_a_part_of_its_library_is_told(places: Places) -> None:
    (places.root / "tooling" / "commands.py").write_text("import module_that_is_not_there\n")
    assert "module_that_is_not_there" in one_line(build(places), 1)


def test_a_full_disk_is_said_and_leaves_no_traceback(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # /dev/full takes no byte; the first log that is written lies there.
    places.logs.mkdir(parents=True)
    (places.logs / "venv.log").symlink_to("/dev/full")
    assert commands.main([], places) == 1
    errors = capsys.readouterr().err
    assert "the disk is full" in errors and len(errors.splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_named(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    places.cache.write_text("a file in the place of the folder")
    assert commands.main([], places) == 1
    errors = capsys.readouterr().err
    assert str(places.cache) in errors and len(errors.splitlines()) == 1


def test_a_program_that_meets_a_full_disk(places: Places) -> None:
    command = [sys.executable, "-c", "open('/dev/full', 'w', 1).write('x\\n')"]
    with pytest.raises(Trouble, match="the disk is full"):
        programs.run(places, command, name="any", failure="writing failed")


def test_a_fault_of_our_own_keeps_its_traceback_for_whoever_mends_it(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "_set_up", lambda _: dict[str, str]()["missing"])
    assert commands.main([], places) == 1
    assert "unexpected KeyError" in capsys.readouterr().err
    assert "Traceback" in (places.logs / "build.log").read_text()


def test_an_interrupt_is_not_an_error_of_ours(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: Places) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "_set_up", interrupt)
    assert commands.main([], places) == 130
    assert capsys.readouterr().err == "build.py: stopped; run it again to go on\n"


@pytest.mark.parametrize(
    ("options", "local"),
    [
        ([], True),
        (["--model", "local"], True),
        (["--model", "demo"], False),
        (["--upstream", "http://127.0.0.1:1"], False),
        (["--direct", "http://127.0.0.1:1"], False),
        (["--static-only"], False),
    ],
)
def test_the_model_is_fetched_only_when_it_answers(options: list[str], local: bool) -> None:
    assert commands._is_local(preflight.serve_options(HERE, options)) is local


def test_quick_tests_need_neither_a_build_nor_a_browser(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def become(_: Places, command: list[str | Path]) -> None:
        done.append(" ".join(map(str, command)))

    monkeypatch.setattr(venv, "ensure", lambda _, lock: done.append(lock))
    monkeypatch.setattr(npm, "ensure", lambda _, types: done.append("npm"))
    monkeypatch.setattr(commands, "_become", become)
    commands.test(places, ["--quick", "-k", "session"])
    assert done[:2] == ["test", "npm"]
    assert done[2].endswith("--quick -k session")
    assert len(done) == 3


def test_no_browser_no_redis_and_no_right_to_install(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(machine, "may_install", lambda: False)
    with pytest.raises(Trouble, match="install it \\(Debian, Ubuntu: apt-get install redis"):
        machine.ensure(places)


def test_on_debian_an_administrator_gets_both_from_packages(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def note(_: Places, command: list[str], **__: object) -> str:
        ran.append(" ".join(map(str, command)))
        return ""

    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(machine, "may_install", lambda: True)
    monkeypatch.setattr(machine, "is_debian", lambda: True)
    monkeypatch.setattr(machine, "run", note)
    machine.ensure(places)
    assert ran[1].endswith("--no-install-recommends redis-server chromium")
    assert ran[2].endswith("playwright install chromium")  # the pretended one is still not there
    assert ran[4].endswith("--no-install-recommends chromium-headless-shell")


def test_without_the_small_browser_there_is_still_the_other(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise Trouble("there is no such package")

    monkeypatch.setattr(shutil, "which", lambda name: name != machine.SMALL_BROWSER)
    monkeypatch.setattr(machine, "may_install", lambda: True)
    monkeypatch.setattr(machine, "is_debian", lambda: True)
    monkeypatch.setattr(machine, "run", refuse)
    machine.ensure(places)
