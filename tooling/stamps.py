"""Skips what is done: a step's product carries the hash of the inputs that it was made from."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path


def digest(*parts: str | bytes | Path) -> str:
    """SHA-256 (hex) over texts and files; folders count with all files in them, by name."""
    state = hashlib.sha256()
    for part in parts:
        for name, data in _pieces(part):
            state.update(f"{name}\0{len(data)}\0".encode())
            state.update(data)
    return state.hexdigest()


def _pieces(part: str | bytes | Path) -> Iterator[tuple[str, bytes]]:
    if isinstance(part, str):
        yield "", part.encode()
    elif isinstance(part, bytes):
        yield "", part
    elif part.is_dir():
        for path in files_in(part):
            yield path.relative_to(part).as_posix(), path.read_bytes()
    else:
        yield part.name, part.read_bytes()


def files_in(folder: Path) -> list[Path]:
    """All files below `folder` in a fixed order, without what Python and editors leave behind."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__" and name[0] != "."]
        found += [Path(parent, name) for name in names if name[0] != "." and name[-1] != "~"]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def read(stamp: Path) -> str:
    """The stamp's text; "" when there is none, so that it never equals a real one."""
    try:
        return stamp.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Writes the whole file or nothing: a reader, or a try after a crash, never sees a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """An empty folder beside `target` to fill; becomes `target` only when the block ends well.

    An older `target` stays readable until the swap. Leftovers of a killed run are cleared first.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh, old = (target.with_name(f"{target.name}.{end}") for end in ("new", "old"))
    remove(fresh, old)
    fresh.mkdir()
    try:
        yield fresh
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    finally:
        remove(fresh, old)


def remove(*paths: Path) -> None:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def keep_only(folder: Path, pattern: str, keep: Iterable[Path]) -> None:
    """Drops older parts of the cache that match `pattern`, so that it does not grow for ever."""
    wanted = set(keep)
    remove(*(path for path in folder.glob(pattern) if path not in wanted))
