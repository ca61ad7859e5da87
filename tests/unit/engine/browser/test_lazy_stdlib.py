"""Late imports: what is not in the page's part of the standard library is fetched once, and said when it cannot be."""

from __future__ import annotations

import base64
import hashlib
import importlib
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from midstream.engine.browser import lazy_stdlib

NAMES = "late_one late_two late_both.second"


@pytest.fixture
def rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The rest of a library, whose first part has a package in common with it."""
    with zipfile.ZipFile(tmp_path / "first.zip", "w") as archive:
        archive.writestr("late_both/__init__.py", "here = 'first'")
    with zipfile.ZipFile(tmp_path / "made.zip", "w") as archive:
        archive.writestr("late_one.py", "value = 1")
        archive.writestr("late_two.py", "value = 2")
        archive.writestr("late_both/second.py", "value = 3")
    monkeypatch.syspath_prepend(str(tmp_path / "first.zip"))
    monkeypatch.setattr(lazy_stdlib, "REST", str(tmp_path / "rest.zip"))
    return (tmp_path / "made.zip").read_bytes()


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    finders = list(sys.meta_path)
    yield
    sys.meta_path[:] = finders
    for name in [name for name in sys.modules if name.startswith("late_")]:
        del sys.modules[name]


def install(monkeypatch: pytest.MonkeyPatch, rest: bytes, *answers: bytes | Exception) -> list[str]:
    """The URLs that are asked for; the answers come in turn."""
    asked: list[str] = []
    coming = iter(answers or [rest])

    def fetch(url: str) -> bytes:
        asked.append(url)
        answer = next(coming)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(lazy_stdlib, "fetch", fetch)
    digest = base64.b64encode(hashlib.sha256(rest).digest()).decode()
    lazy_stdlib.install("https://x.test/rest.zip", f"sha256-{digest}", NAMES)
    return asked


def value_of(name: str) -> object:
    return importlib.import_module(name).value


def test_is_fetched_once_for_all(monkeypatch: pytest.MonkeyPatch, rest: bytes) -> None:
    asked = install(monkeypatch, rest)
    assert value_of("late_one") == 1
    assert value_of("late_two") == 2
    assert asked == ["https://x.test/rest.zip"]


def test_a_package_may_lie_in_both_parts(monkeypatch: pytest.MonkeyPatch, rest: bytes) -> None:
    install(monkeypatch, rest)
    assert value_of("late_both.second") == 3
    assert sys.modules["late_both"].here == "first"


def test_what_no_part_has_asks_nobody(monkeypatch: pytest.MonkeyPatch, rest: bytes) -> None:
    asked = install(monkeypatch, rest)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("late_never")
    assert asked == []


@pytest.mark.parametrize(("answer", "why"), [(OSError("status 503"), "status 503"), (b"PK damaged", "it is damaged")])
def test_cannot_be_had_then_can(
    monkeypatch: pytest.MonkeyPatch, rest: bytes, answer: bytes | Exception, why: str
) -> None:
    install(monkeypatch, rest, answer, rest)
    with pytest.raises(ImportError, match=why) as caught:
        importlib.import_module("late_one")
    assert caught.value.name == "late_one"
    assert value_of("late_one") == 1
