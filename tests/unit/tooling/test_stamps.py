"""Files and folders that are there whole or not at all, and hashes that notice every change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tooling import stamps


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    stamps.write_text(folder / "a.txt", "one")
    stamps.write_text(folder / "deep" / "b.txt", "two")
    return folder


def test_a_folder_hashes_the_same_wherever_it_is(folder: Path, tmp_path: Path) -> None:
    before = stamps.digest(folder)
    assert stamps.digest(folder.rename(tmp_path / "other")) == before


@pytest.mark.parametrize("change", ["text", "name", "new file", "gone", "moved text"])
def test_every_change_shows(folder: Path, change: str) -> None:
    before = stamps.digest(folder)
    if change == "text":
        stamps.write_text(folder / "a.txt", "One")
    elif change == "name":
        (folder / "a.txt").rename(folder / "c.txt")
    elif change == "new file":
        stamps.write_text(folder / "empty", "")
    elif change == "gone":
        (folder / "a.txt").unlink()
    else:
        stamps.write_text(folder / "a.txt", "onet")
        stamps.write_text(folder / "deep" / "b.txt", "wo")
    assert stamps.digest(folder) != before


def test_what_python_and_editors_leave_behind_does_not_count(folder: Path) -> None:
    before = stamps.digest(folder)
    for name in ("__pycache__/a.pyc", "deep/__pycache__/b.pyc", ".cache/x", "a.txt~", ".a.swp"):
        stamps.write_text(folder / name, "x")
    assert stamps.digest(folder) == before


def test_parts_cannot_run_into_each_other() -> None:
    assert stamps.digest("ab", "c") != stamps.digest("a", "bc") != stamps.digest("abc")


def test_a_failed_write_leaves_the_old_file_and_no_part(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OSError, match="No space"):
        stamps.write_text(folder / "a.txt", "new")
    assert (folder / "a.txt").read_text() == "one"
    assert sorted(path.name for path in folder.iterdir()) == ["a.txt", "deep"]


def test_a_folder_appears_only_when_it_is_whole(folder: Path) -> None:
    with pytest.raises(RuntimeError), stamps.whole_folder(folder) as fresh:
        (fresh / "half").touch()
        raise RuntimeError
    assert (folder / "a.txt").read_text() == "one"
    with stamps.whole_folder(folder) as fresh:
        (fresh / "new").touch()
    assert [path.name for path in folder.iterdir()] == ["new"]
    assert [path.name for path in folder.parent.iterdir()] == ["folder"]


def test_a_missing_stamp_equals_nothing(folder: Path) -> None:
    assert stamps.read(folder / "none") == stamps.read(folder / "a.txt" / "none") == ""


def test_older_parts_of_the_cache_go(folder: Path) -> None:
    for name in ("part-1", "part-2", "other-1"):
        (folder / name).mkdir()
    stamps.keep_only(folder, "part-*", [folder / "part-2"])
    assert sorted(path.name for path in folder.iterdir()) == ["a.txt", "deep", "other-1", "part-2"]
