"""The pages of the parts that work alone are true: their examples run, and their tables are those of the code."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from midstream import cli, patch
from midstream.gateway.config import Limits
from midstream.markdown.policy import POLICIES
from tests.support.processes import Serve, serve
from tests.support.prose import read

PARSER, GATEWAY = "docs/parser.md", "docs/gateway.md"
PORT = "127.0.0.1:8790"


def blocks(document: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", read(document), re.DOTALL | re.MULTILINE)


def cells(document: str, heading: str) -> list[list[str]]:
    """The rows of the table under a heading, without its head."""
    part = read(document).split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line.strip("|") for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split(" | ")] for line in lines[2:]]


def run(source: str) -> str:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(source, "example", "exec"), {})
    return output.getvalue()


def test_the_parsers_example_prints_what_stands_there() -> None:
    (example,), (printed,) = blocks(PARSER, "python"), blocks(PARSER, "text")
    assert run(example).strip() == printed.strip()


def test_the_list_of_ops_is_the_parsers() -> None:
    rows = cells(PARSER, "Ops")
    assert [int(row[0][2]) for row in rows] == list(range(8))
    assert [row[1] for row in rows] == [
        name.lower()
        for name in ("OPEN", "TEXT", "ATTR", "TRUNC", "UNWRAP", "RETAG", "DROP", "CLOSE")
        if isinstance(getattr(patch, name), int)
    ]


def test_every_policy_is_named() -> None:
    part = read(PARSER).split("## Policies\n")[1]
    assert all(f"`{name}`" in part or f'"{name}"' in part for name in POLICIES)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """The app beside it is only a page, so that nothing has to be built."""
    app = tmp_path_factory.mktemp("app")
    (app / "index.html").touch()
    options = ("--model", "demo", "--store", "memory:", "--dist", str(app))
    with serve(*options, env={"MIDSTREAM_DEMO_RATE": "0"}) as served:
        yield served


def here(example: str, app: Serve) -> str:
    assert PORT in example
    return example.replace(PORT, f"127.0.0.1:{app.port}")


def test_the_lines_for_curl_do_what_the_page_says(demo: Serve, tmp_path: Path) -> None:
    lines = here(blocks(GATEWAY, "sh")[1], demo).replace("\ncurl", "\necho; echo =====; curl")
    done = subprocess.run(["bash", "-c", lines], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    asked, rest, snapshot, stopped = done.stdout.split("=====\n")
    assert "id: 1-1\n" in asked and len(asked.splitlines()) <= 21
    assert re.findall(r"^id: (.*)$", rest, re.MULTILINE)[0] == "1-6"
    assert rest.rstrip().endswith("data: [DONE]")
    assert '"state":"completed"' in snapshot and '"text":"' in snapshot
    assert '"state":"completed"' in stopped


def test_the_lines_for_python_do_what_the_page_says(demo: Serve) -> None:
    first, second, _ = blocks(GATEWAY, "python")  # the third: tests/gateway/http/test_mounted.py
    assert re.fullmatch(r"1-\d+ True True\n", run(here(first, demo)))
    # OpenAI's client is not among our packages: only that the lines are Python, for this address.
    compile(here(second, demo), "example", "exec")


def test_the_options_are_those_of_the_command() -> None:
    listed = {name for row in cells(GATEWAY, "Options") for name in re.findall(r"--[\w-]+", row[0])}
    actions = cli.parser()._subparsers._group_actions[0].choices["serve"]._actions  # type: ignore[union-attr,index]
    there = {name for action in actions for name in action.option_strings if name.startswith("--")}
    assert listed == there - {"--help"}


def test_the_figures_are_the_limits() -> None:
    limits = Limits()
    rows = {row[0]: row[2] for row in cells(GATEWAY, "Limits")}
    assert list(rows.values()) == [
        f"{limits.body >> 20} MiB",
        f"{limits.event >> 20} MiB",
        f"{limits.log >> 20} MiB, {limits.total / 3600:g} hours",
        f"{limits.unattended / 60:g} minutes",
        f"{limits.live_runs}",
        f"{limits.readers}",
        f"{limits.silence:g} s",
        f"{limits.after_finish:g} s",
        f"{limits.stalled_reader:g} s",
        f"{limits.request:g} s",
    ]
    named = {name for row in cells(GATEWAY, "Limits") for name in re.findall(r"`(\w+)`", row[1])}
    assert named <= {each.name for each in fields(Limits)}
    assert f"deleted {limits.keep / 86400:g} days after" in read(GATEWAY)
