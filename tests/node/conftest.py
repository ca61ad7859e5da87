"""Modules of web/ that need no page, tested in Node: each test of a script here is one of pytest's report."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tooling.assets import catalogue
from tooling.places import HERE
from tooling.setup import npm

# A test's name stands on the line that begins it, so that it can be collected without being run.
BEGINNING = re.compile(r"^test\((['\"`])(.+?)\1,", re.MULTILINE)
REPORTER = Path(__file__).with_name("runner") / "reporter.js"
PATIENCE = 120  # seconds, for a whole file


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if not file_path.name.endswith(".test.js"):
        return None
    return NodeFile.from_parent(parent, path=file_path)


class NodeFile(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        for _, name in BEGINNING.findall(self.path.read_text(encoding="utf-8")):
            yield NodeTest.from_parent(self, name=name)


class NodeTest(pytest.Item):
    def runtest(self) -> None:
        results = outcomes(self.path)
        if self.name not in results:
            raise Failed(f"Node ran no such test, but: {', '.join(results)}")
        if results[self.name]:
            raise Failed(results[self.name])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self.path.name}: {self.name}"


class Failed(Exception):
    """What Node says of a test."""


@functools.cache
def outcomes(file: Path) -> dict[str, str]:
    """By test: what was wrong, '' where nothing was. The file is run once in each process."""
    command = [npm.node(HERE), f"--test-reporter={REPORTER}", file]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as english:
        json.dump(catalogue.english(HERE), english)
        english.flush()
        ran = subprocess.run(
            [str(part) for part in command],
            cwd=HERE.root,
            env={**os.environ, "MIDSTREAM_ENGLISH": english.name},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    found = dict(json.loads(line) for line in ran.stdout.splitlines() if line.startswith("["))
    if not found:
        raise Failed(f"{file.name} could not be run:\n{ran.stdout}{ran.stderr}")
    return found
