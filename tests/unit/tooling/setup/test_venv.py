"""The project's own `.venv`: made, kept, and made anew when it is half there."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.tooling.support import (
    Index,
    checkout,
    index,
    installed_wheel,
    only_index,
    requirement,
    wheel,
)
from tooling.places import HERE, Places
from tooling.setup import venv
from tooling.trouble import Trouble

TINY = wheel({"tiny.py": b"ANSWER = 42\n"}, "tiny", "1.0")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A small checkout whose locks name a pip and one tiny package."""
    places = checkout(tmp_path, "pyproject.toml")
    name, pip = installed_wheel("pip")
    monkeypatch.setitem(FILES, name, pip)
    places.lock("pip").parent.mkdir()
    places.lock("pip").write_text(requirement(pip, "==".join(name.split("-")[:2])))
    places.lock("app").write_text(requirement(TINY, "tiny==1.0"))
    # The project itself asks for a wheel maker and is covered by the whole build.
    monkeypatch.setattr(venv, "_install_project", lambda _: None)
    return places


FILES = {"tiny-1.0-py3-none-any.whl": TINY}


@pytest.fixture
def served(places: Places, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    with index() as served:
        served.files.update(FILES)
        only_index(monkeypatch, served.url)
        yield served


def answer(places: Places) -> str:
    code: list[str | Path] = [places.python, "-c", "import tiny; print(tiny.ANSWER)"]
    ran = subprocess.run(code, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


@pytest.mark.full_run(reason="makes two environments with pip")
def test_a_half_made_one_is_made_anew_and_a_whole_one_left_alone(
    places: Places, served: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    (places.venv / "bin").mkdir(parents=True)
    (places.venv / "bin" / "python").symlink_to("/nowhere/python3")
    venv.ensure(places, "app")
    assert answer(places) == "42"
    assert "half-made" in capsys.readouterr().out
    asked = len(served.asked)
    venv.ensure(places, "app")
    assert (len(served.asked), capsys.readouterr().out) == (asked, "")
    # A kill while pip was installing: the marker is still there.
    (places.venv / venv.BUSY).touch()
    next(places.venv.rglob("tiny.py")).write_text("ANSWER =")
    venv.ensure(places, "app")
    assert answer(places) == "42"


def pretend(places: Places) -> list[str]:
    """A `.venv` that looks whole; returns the list that the steps taken are noted in."""
    places.python.parent.mkdir(parents=True)
    places.python.symlink_to(HERE.python.resolve())
    (places.venv / ".midstream-base").write_text(venv._base_key(places) + "\n" + os.path.realpath(places.python))
    venv._mark(places, "app")
    (places.venv / ".midstream-project").write_text(venv._project_key(places))
    return []


@pytest.fixture
def steps(places: Places, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    taken = pretend(places)

    def note(places: Places, command: list[object], *, name: str, **_: object) -> str:
        taken.append(name)
        if name == "venv":
            places.python.parent.mkdir(parents=True)
            places.python.symlink_to(HERE.python.resolve())
        return ""

    monkeypatch.setattr(venv, "run", note)
    return taken


def test_nothing_to_do(places: Places, steps: list[str]) -> None:
    venv.ensure(places, "app")
    assert steps == []


def test_a_changed_lock_is_installed_into_the_one_that_is_there(places: Places, steps: list[str]) -> None:
    places.lock("app").write_text("tiny==1.1\n")
    venv.ensure(places, "app")
    assert steps == ["pip-app"]


def test_another_python_behind_the_link_makes_it_anew(places: Places, steps: list[str]) -> None:
    places.python.unlink()
    places.python.symlink_to("/bin/sh")
    venv.ensure(places, "app")
    assert steps == ["venv", "pip-pip", "pip-app"]


def test_a_moved_checkout_makes_it_anew(places: Places, steps: list[str], tmp_path: Path) -> None:
    moved = Places(places.root.rename(tmp_path.with_name("moved")))
    venv.ensure(moved, "app")
    assert steps == ["venv", "pip-pip", "pip-app"]


def test_a_failure_that_pip_reports_keeps_the_rest(
    places: Places, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    places.lock("app").write_text("tiny==1.1\n")

    def refuse(*_: object, **__: object) -> str:
        raise Trouble("installing failed: the package index cannot be reached")

    with monkeypatch.context() as broken, pytest.raises(Trouble):
        broken.setattr(venv, "run", refuse)
        venv.ensure(places, "app")
    venv.ensure(places, "app")
    assert steps == ["pip-app"]


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_its_module_says_what_to_install(
    places: Places, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else found(name))
    with pytest.raises(Trouble, match="apt-get install python3-venv"):
        venv.ensure(places, "app")
    assert not places.venv.exists()
