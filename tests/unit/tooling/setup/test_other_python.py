"""A second Python for the gateway's tests: which one, with which packages, and what is said when there is none."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.unit.tooling.support import checkout
from tooling.places import HERE, Places
from tooling.setup import other_python
from tooling.setup.other_python import Version
from tooling.trouble import Trouble


def pretend(monkeypatch: pytest.MonkeyPatch, *versions: str) -> None:
    """Programs of these versions are on the machine; an empty one does not run."""
    programs = {Path(f"/programs/{number}"): text for number, text in enumerate(versions)}
    monkeypatch.setattr(other_python, "_programs", lambda: iter(programs))

    def version(program: Path) -> Version | None:
        return tuple(map(int, programs[program].split("."))) if programs[program] else None

    monkeypatch.setattr(other_python, "_version", version)


@pytest.mark.parametrize(
    ("ours", "there", "chosen"),
    [
        ((3, 11, 7), ["3.11.7", "3.12.1", "3.13.0", ""], (3, 13, 0)),
        ((3, 13, 0), ["3.11.7", "3.12.1", "3.13.0"], (3, 11, 7)),
        ((3, 12, 1), ["3.11.7", "3.12.1", "3.13.0"], (3, 13, 0)),
        ((3, 11, 7), ["3.11.7", "3.11.2"], None),  # another one of ours shows nothing new
        ((3, 11, 7), [], None),
    ],
)
def test_the_version_farthest_from_ours_is_chosen(
    monkeypatch: pytest.MonkeyPatch, ours: Version, there: list[str], chosen: Version | None
) -> None:
    pretend(monkeypatch, *there)
    found = other_python.newest(ours)
    assert (found and found[0]) == chosen


def test_a_program_that_is_not_a_whole_python_counts_for_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "python3.12"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    assert other_python._version(broken) is None
    assert other_python._version(tmp_path / "missing") is None
    assert other_python._version(Path(sys.executable)) == sys.version_info[:3]


def test_its_packages_are_those_of_the_lock() -> None:
    lock = other_python._lock(HERE)
    named = re.findall(r"^([a-z0-9-]+)==\S+ \\\n    --hash=", lock, re.MULTILINE)
    assert set(named) == other_python.PACKAGES
    assert "#" not in lock


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = checkout(tmp_path, "requirements/test.txt")
    return places


def test_where_there_is_no_other_it_is_said(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend(monkeypatch)
    other_python.ensure(places)
    assert "no other Python" in capsys.readouterr().out
    assert other_python.ready(places) is None


def test_it_is_made_once_and_a_failure_is_said(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend(monkeypatch, "3.99.0")
    made = []

    def make(places: Places, program: Path) -> None:
        made.append(program)
        if len(made) == 1:
            raise Trouble("no network")

    monkeypatch.setattr(other_python, "_make", make)
    other_python.ensure(places)
    assert "will not run with Python 3.99.0: no network" in capsys.readouterr().out
    assert other_python.ready(places) is None
    for _ in range(2):
        other_python.ensure(places)
    assert len(made) == 2
    assert other_python.ready(places) == places.other_python
