"""The command line: what is wrong is said in one line, before anything is started."""

from __future__ import annotations

import builtins
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from midstream import cli
from midstream.errors import MachineError, MidstreamError, RequestError, StoreError, UsageError
from midstream.gateway import serve_command
from midstream.gateway.config import Config, Limits, data_directory

# Each of them lets other machines in.
BEYOND = ["0.0.0.0", "::", "[::]", "0", "", "0.0", "192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7"]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and the one line on stderr."""
    try:
        code = cli.main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("midstream")
    return code, line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["dance"], "dance"),
        (["serve", "--port", "x"], "--port"),
        (["serve", "--port", "65536"], "65535"),
        (["serve", "--port", "-1"], "65535"),
        (["serve", "--port", "80.5"], "whole number"),
        (["serve", "--workers", "0"], "--workers"),
        (["serve", "--workers", "65"], "--workers"),
        (["serve", "--allow-host", "example.org:80"], "without scheme and port"),
        (["serve", "--allow-host", "http://example.org"], "without scheme and port"),
        (["serve", "--nonsense"], "--nonsense"),
        (["serve", "extra"], "extra"),
        (["serve", "--store", "x"], "sqlite:PATH"),
        (["serve", "--store", "sqlite:"], "sqlite:PATH"),
        (["serve", "--store", "sqlite:x?sync=half"], "sqlite:PATH"),
        (["serve", "--store", "memory:x"], "sqlite:PATH"),
        (["serve", "--store", "redis:x"], "sqlite:PATH"),
        (["serve", "--store", "redis://a:b/0"], "--store"),
        (["serve", "--store", "memory:", "--workers", "2"], "one worker"),
        (["serve", "--upstream", "x"], "--upstream"),
        (["serve", "--upstream", "http://key@a/v1"], "--upstream-key-env"),
        (["serve", "--direct", "ftp://a"], "--direct"),
        (["serve", "--upstream", "http://a", "--direct", "http://b"], "exclude"),
        (["serve", "--direct", "http://b", "--static-only"], "exclude"),
        (["serve", "--upstream", "http://a", "--model", "demo"], "exclude"),
        (["serve", "--upstream-key-env", "X"], "--upstream"),
        (
            ["serve", "--upstream", "http://a", "--upstream-key-env", "MIDSTREAM_NOT_SET"],
            "MIDSTREAM_NOT_SET",
        ),
        (["serve", "--model", "gpt"], "--upstream"),
        (["serve", "--model", "demo", "--model-file", "x"], "--model local"),
        (["serve", "--allow-origin", "chat.example"], "https://chat.example"),
        (["serve", "--on-disconnect", "stop"], "--on-disconnect"),
        (["serve", "--auth", "password"], "--auth"),
        (["serve", "--auth", "token", "--static-only"], "--auth token"),
        (["serve", "--auth", "token", "--direct", "http://b"], "--auth token"),
        (["serve", "--tokens", "x"], "--auth token"),
        (["serve", "--auth", "none", "--tokens", "x"], "--auth token"),
        *((["serve", "--model", "demo", "--host", host], "--auth token") for host in BEYOND),
        (["token"], "ACTION"),
        (["token", "add"], "NAME"),
        (["token", "add", ""], "NAME"),
        (["token", "add", "../x"], "NAME"),
        (["token", "add", ".x"], "NAME"),
        (["token", "add", "a b"], "NAME"),
        (["token", "add", "x" * 65], "NAME"),
        (["serve", "--allow-origin", "https://a/b"], "https://chat.example"),
        (["serve", "--limit", "x"], "silence"),
        (["serve", "--limit", "noise=1"], "silence"),
        (["serve", "--limit", "event"], "whole number"),
        (["serve", "--limit", "event=1.5"], "whole number"),
        (["serve", "--limit", "event=-1"], "whole number"),
        (["serve", "--limit", "event=1T"], "whole number"),
        (["serve", "--limit", "silence=soon"], "number of seconds"),
        (["serve", "--limit", "silence=0"], "number of seconds"),
        (["replay"], "FILE"),
        (["replay", "no-such-file.md"], "no-such-file.md"),
        (["replay", "."], "Cannot read"),
        (["replay", __file__, "--rate", "-1"], "--rate"),
        (["replay", __file__, "--rate", "nan"], "--rate"),
        (["replay", __file__, "--rate", "inf"], "--rate"),
        (["replay", __file__, "--chunk", "0"], "--chunk"),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    code, line = refused(capsys, *arguments)
    assert code == 2
    assert words in line


def test_a_file_that_is_not_text(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"\xff\xfe")
    assert refused(capsys, "replay", str(file)) == (2, f"midstream: {file} is not UTF-8 text.")


@pytest.mark.parametrize("command", [[], ["serve"], ["replay"], ["render"]])
def test_help_is_there(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([*command, "--help"])
    assert end.value.code == 0
    assert "usage: midstream" in capsys.readouterr().out


def test_a_missing_package_is_said_in_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without_starlette(name: str, *more: Any, **named: Any) -> Any:
        if name.startswith("starlette"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *more, **named)

    for module in [name for name in sys.modules if name.startswith("midstream.gateway")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", without_starlette)
    code, line = refused(capsys, "serve", "--model", "demo")
    assert code == 1
    assert "midstream[gateway]" in line


def test_the_parser_needs_only_the_standard_library() -> None:
    """build.py reads the options before anything is installed."""
    script = "import sys; from midstream.cli import parser; parser().parse_args(['serve']); print(*sys.modules)"
    path = str(Path(cli.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": path},
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded.isdisjoint({"starlette", "uvicorn", "httpx", "redis", "xllamacpp", "mistletoe"})


# -- options and config


def config(*options: str) -> Config:
    return serve_command.config_of(cli.parser().parse_args(["serve", *options]))


def test_without_options_it_is_the_local_model_on_loopback() -> None:
    found = config()
    assert (found.host, found.port, found.workers, found.model) == ("127.0.0.1", 8765, 1, "local")
    assert found.store == f"sqlite:{data_directory() / 'log.db'}"
    assert found.serves_gateway


def test_an_upstream_brings_its_own_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "secret")
    found = config("--upstream", "http://a:1", "--upstream-key-env", "MY_KEY", "--model", "m")
    assert (found.upstream, found.model) == ("http://a:1/v1", "m")
    assert "secret" not in found.to_json()
    assert config("--upstream", "http://a:1").model == ""


def test_direct_and_static_have_no_gateway() -> None:
    assert not config("--direct", "http://a:1").serves_gateway
    assert not config("--static-only").serves_gateway


def test_limits_are_options() -> None:
    found = config("--limit", "event=1.5M", "--limit", "silence=0.5", "--limit", "live_runs=7").limits
    assert (found.event, found.silence, found.live_runs) == (3 << 19, 0.5, 7)
    assert found.body == Limits().body


def test_workers_get_the_same_config() -> None:
    found = config("--allow-origin", "https://Chat.example", "--allow-host", "a", "--allow-host", "b")
    assert found.origins == ("https://chat.example",)
    assert Config.from_json(found.to_json()) == found
    assert found.limits == Limits()


# -- errors


def tree(kind: type[MidstreamError] = MidstreamError) -> Sequence[type[MidstreamError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in tree(child))]


def test_the_drawn_tree_is_the_real_one() -> None:
    from midstream import errors

    drawn = errors.__doc__ or ""
    for kind in tree():
        if kind.__module__ == "midstream.errors":
            assert kind.__name__ in drawn
            assert kind.__name__ in errors.__all__


def test_an_error_is_one_line_with_its_remedy() -> None:
    error = MachineError("It is\nbroken.", hint="Mend it.")
    assert error.line() == "It is broken. Mend it."
    assert (error.exit_code, UsageError("x").exit_code) == (1, 2)
    assert StoreError("x", code="y").code == "y"
    assert RequestError("x", status=404).status == 404
