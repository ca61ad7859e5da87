"""Names that others rely on: commands and the config. Those of the page: tests/browser/app/test_contract.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
WEB = PROJECT / "web"


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
    return subprocess.run([sys.executable, "-m", "midstream.cli", *arguments], capture_output=True, text=True)


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
