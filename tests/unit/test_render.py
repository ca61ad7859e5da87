"""The render command: its options, its output, and what it says about bad input."""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path

import pytest

from midstream import render
from midstream.errors import UsageError
from midstream.patch import Tree, opened, unpack


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    render.add_arguments(parser)
    return render.run(parser.parse_args(arguments))


@pytest.fixture
def text(tmp_path: Path) -> str:
    path = tmp_path / "a.md"
    path.write_text("# Hi *you*\n\n<b>x</b> ![i](https://e.org/i.png)\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("cuts", [[], ["--chunk", "1"], ["--chunk", "0"], ["--seed", "7"]])
def test_html(text: str, cuts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*cuts, text]) == 0
    assert capsys.readouterr().out == (
        '<h1>Hi <em>you</em></h1>\n<p>&lt;b&gt;x&lt;/b&gt; <button data-src="https://e.org/i.png">i</button></p>\n'
    )


def test_spec_policy(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["--policy", "spec", text])
    assert '<p><b>x</b> <img src="https://e.org/i.png" alt="i" /></p>' in capsys.readouterr().out


def test_patches_rebuild_the_tree(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["--format", "patches", "--chunk", "3", text])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))
    tree, newest = Tree(), 0
    for line in lines:
        ops = unpack(line["packed"], newest)
        tree.apply(ops)
        newest += opened(ops)
    assert len(tree.root.children) == 2


def test_jsonl(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    data = b'{"markdown": "*a*"}\n\n{"markdown": ""}\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert run(["--jsonl", "--chunk", "1"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["html"] for line in lines] == ["<p><em>a</em></p>\n", ""]
    assert all(line["ms"] >= 0 for line in lines)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "Line 1 of the input is not JSON"),
        (b'{"markdown": "a"}\n{"text": 1}', "Line 2 of the input is no object"),
        (b"[]", "Line 1"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_bad_input(data: bytes, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    with pytest.raises(UsageError, match=message) as caught:
        run(["--jsonl", "-"])
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        run([str(tmp_path / "none.md")])
    with pytest.raises(UsageError):
        run([str(tmp_path)])


@pytest.mark.parametrize("arguments", [["--chunk", "-1"], ["--chunk", "x"], ["--policy", "all"]])
def test_bad_options(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        run(arguments)
