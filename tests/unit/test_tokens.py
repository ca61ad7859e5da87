"""`midstream token`, and where the gateway lets others in."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from midstream import cli
from midstream.errors import MachineError
from midstream.gateway import addresses, serve_command
from midstream.gateway.tokens import Tokens, digest_of


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    return tmp_path / "midstream/tokens"


def token(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["token", *arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_a_token_is_shown_once_and_stored_as_a_hash(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, out, explained = token(capsys, "add", "ann")
    shown = out.strip()
    assert code == 0 and explained == "This is the only time that the token is shown.\n"
    assert len(shown.removeprefix("midstream_")) * 6 >= 256
    stored = [file for file in home.parent.rglob("*") if file.is_file()]
    assert [file.name for file in stored] == ["ann"]
    assert stored[0].read_text() == digest_of(shown) + "\n"
    assert (home.stat().st_mode & 0o777, stored[0].stat().st_mode & 0o777) == (0o700, 0o600)
    assert token(capsys, "list")[1].split("\t")[0] == "ann"
    assert shown not in token(capsys, "list")[1]


def test_no_two_tokens_are_alike_and_a_name_is_given_once(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = token(capsys, "add", "ann")[1], token(capsys, "add", "Bob.2")[1]
    assert first != second
    code, out, error = token(capsys, "add", "ann")
    assert (code, out) == (2, "")
    assert "There is a token ann already." in error


def test_a_revoked_token_is_gone(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    shown = token(capsys, "add", "ann")[1].strip()
    tokens = Tokens(home)
    assert tokens.name_of(digest_of(shown)) == "ann"
    assert token(capsys, "revoke", "ann")[0] == 0
    assert tokens.name_of(digest_of(shown)) is None
    assert token(capsys, "list")[1] == ""
    for name in ("ann", "../tokens", "", "."):
        code, _, error = token(capsys, "revoke", name)
        assert code == 2 and f"There is no token {name}." in error


def test_the_folder_may_be_named(capsys: pytest.CaptureFixture[str], tmp_path: Path, home: Path) -> None:
    folder = str(tmp_path / "deep" / "folder")
    assert token(capsys, "add", "ann", "--tokens", folder)[0] == 0
    assert token(capsys, "list", "--tokens", folder)[1].startswith("ann\t")
    assert not home.exists()


def test_what_is_no_token_opens_nothing(home: Path) -> None:
    """A damaged file, one that another program has left, an empty one."""
    tokens = Tokens(home)
    home.mkdir(parents=True)
    for name, text in (("empty", ""), ("short", "ab"), (".hidden", digest_of("x")), ("words", digest_of("x") + " y")):
        (home / name).write_text(text)
    assert tokens.listed() == []
    assert [tokens.name_of(digest) for digest in ("", digest_of(""), digest_of("x"))] == [None] * 3


def test_a_folder_that_cannot_be_read_lets_nobody_in(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "file"
    file.touch()
    assert Tokens(file).name_of(digest_of("x")) is None
    assert "cannot be used" in caplog.text
    with pytest.raises(MachineError, match="cannot be used"):
        Tokens(file).add("ann")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.9.1"])
def test_loopback_is_this_machine(host: str) -> None:
    assert addresses.is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "0", "192.0.2.1", "fe80::1%lo"])
def test_all_else_lets_others_in(host: str) -> None:
    assert not addresses.is_loopback(host)


def test_a_name_that_is_none_is_said() -> None:
    with pytest.raises(MachineError, match=r"Cannot listen on no-such-host\.invalid"):
        addresses.is_loopback("no-such-host.invalid")


def test_all_addresses_are_printed_not_only_that_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_outgoing", lambda family: {socket.AF_INET: "192.0.2.7"}.get(family, ""))
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        assert addresses.urls_of(listener) == [f"http://127.0.0.1:{port}/", f"http://192.0.2.7:{port}/"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert addresses.urls_of(listener) == [f"http://127.0.0.1:{listener.getsockname()[1]}/"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], []),
        (["--auth", "none"], []),
        (["--auth", "token"], ["no token yet"]),
        (["--host", "0.0.0.0", "--auth", "none"], ["everybody who reaches these addresses"]),
        (["--host", "0.0.0.0", "--auth", "token"], ["no token yet", "https"]),
        (["--host", "0.0.0.0", "--static-only"], []),
    ],
)
def test_what_lets_others_in_is_said_aloud(options: list[str], words: list[str]) -> None:
    model = [] if "--static-only" in options else ["--model", "demo"]
    parsed = cli.parser("serve").parse_args(["serve", *model, *options])
    warnings = list(serve_command._warnings(serve_command.config_of(parsed)))
    assert len(warnings) == len(words)
    assert all(word in warning for word, warning in zip(words, warnings, strict=True))
