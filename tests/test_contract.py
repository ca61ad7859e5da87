"""Names that others rely on: commands, attributes, marks, stores. They are looked up where they are made."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
WEB = PROJECT / "web"


def screen() -> str:
    files = [
        WEB / "index.html",
        *sorted((WEB / "screen").rglob("*.js")),
        *sorted((WEB / "shared").glob("*.js")),
    ]
    return "\n".join(path.read_text() for path in files)


@pytest.mark.parametrize(
    "name",
    [
        *(f"data-{part}" for part in ("engine", "connection", "shell")),
        'role="log"',
        'data-part="transcript"',
        "textarea",
        *(f'name="{name}"' for name in ("prompt", "send", "stop", "new")),
        *(f'name="{name}"' for name in ("rename", "pin", "delete", "undo")),
        *(f"'{name}'" for name in ("edit", "previous", "next", "edited", "ask", "cancel")),
        "'data-part': 'versions'",
        *(f"'{name}'" for name in ("copy", "save", "continue", "regenerate", "retry")),
        *(f"midstream:{mark}" for mark in ("painted", "engine", "live")),
        *(f"midstream.{key}" for key in ("pointer", "draft", "edits", "tab", "drawing")),
    ],
)
def test_the_screen_has_the_name(name: str) -> None:
    assert name in screen()


def test_the_stores_have_their_names() -> None:
    assert re.search(
        r"indexedDB\.open\('midstream'\)", (WEB / "shared" / "stored_conversation.js").read_text()
    )
    assert 'NAME = "midstream"' in (PROJECT / "py/midstream/engine/browser/database.py").read_text()
    assert "'midstream-sw'" in (WEB / "worker" / "store.js").read_text()


def test_config_json_has_endpoints_and_a_default() -> None:
    config = json.loads((WEB / "config.json").read_text())
    names = [entry["name"] for entry in config["endpoints"]]
    assert config["default"] in names
    kinds = {"gateway", "openai", "gemini", "prompt-api", "demo"}
    assert {entry["kind"] for entry in config["endpoints"]} <= kinds


OPTIONS = {
    "serve": "--port --host --workers --store --upstream --upstream-key-env --model --direct --static-only",
    "render": "--chunk --seed --policy --format --jsonl",
    "replay": "--port --rate --chunk",
}


def midstream(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "midstream.cli", *arguments], capture_output=True, text=True
    )


@pytest.mark.parametrize("command", OPTIONS)
def test_a_command_has_its_options(command: str) -> None:
    helped = midstream(command, "--help")
    assert helped.returncode == 0
    missing = [option for option in OPTIONS[command].split() if option not in helped.stdout]
    assert missing == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "--port", "many"],
        ["serve", "--store", "carrier-pigeon:"],
        ["serve", "--upstream", "not a url"],
        ["render", "--chunk", "-1"],
        ["render", "--policy", "lax"],
        ["replay", "no-such-file.md"],
        ["dance"],
    ],
)
def test_a_wrong_value_is_one_clear_line_and_exit_2(arguments: list[str]) -> None:
    refused = midstream(*arguments)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "Traceback" not in refused.stderr
