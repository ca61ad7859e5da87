"""A `.br` beside each file of `dist/` that becomes smaller by it, for servers that send them.

The work is done once for each content: the packed files stay in `.cache/`, named by the hash of their
content. Compressing Pyodide takes longer than all the rest of the build, so `serve` does
without on the machine itself, where bytes cost nothing.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from tooling import stamps
from tooling.assets import boot_files, dist
from tooling.places import Places
from tooling.report import step
from tooling.setup import npm
from tooling.setup.programs import run

SCRIPT = Path(__file__).with_name("brotli.mjs")
STAMP = ".packed"
SUFFIX = ".br"
# Packed already; and a host may edit config.json, of which browsers would get the old packed one.
LEFT_ALONE = (
    "*.br",
    "*.png",
    "*.webp",
    "*.ico",
    "*.woff2",
    "*.whl",
    "config.json",
    "engine/pyodide/python_stdlib.zip",
)
SMALL = 1024  # bytes: one packet on the wire either way
# Each better quality gains a twentieth to a tenth and takes several times as long: minutes for what is large.
BEST, BETTER, FAST = 11, 10, 5
BEST_UP_TO = 1_500_000  # bytes
WORTH = 0.95  # of the size


class Packed(NamedTuple):
    file: Path
    quality: int
    cached: Path  # may not exist yet


def ensure(places: Places, *, make: bool = True) -> None:
    """Puts the `.br` files into `dist/`. Those that are not in the cache are made only with `make`."""
    built = stamps.read(places.dist / dist.STAMP)
    if stamps.read(places.dist / STAMP) == built:
        return
    folder = places.cache / "brotli"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [_packed(places, file, folder) for file in _files(places.dist)]
    if make and (missing := [one for one in wanted if not one.cached.exists()]):
        _make(places, missing)
        stamps.keep_only(folder, "*", {one.cached for one in wanted})
    for one in wanted:
        _put(one)
    if all(one.cached.exists() for one in wanted):
        stamps.write_text(places.dist / STAMP, built)


def _files(folder: Path) -> list[Path]:
    return [
        file
        for file in stamps.files_in(folder)
        if file.stat().st_size >= SMALL and not _matches(file.relative_to(folder).as_posix(), LEFT_ALONE)
    ]


def _packed(places: Places, file: Path, folder: Path) -> Packed:
    data = file.read_bytes()
    quality = BEST if len(data) <= BEST_UP_TO else BETTER
    if _matches(file.relative_to(places.dist).as_posix(), boot_files.RARE):
        quality = FAST
    return Packed(file, quality, folder / f"{hashlib.sha256(data).hexdigest()[:32]}-{quality}")


def _matches(url: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(url, pattern) for pattern in patterns)


def _make(places: Places, missing: list[Packed]) -> None:
    # The largest is the last of the list, and so the first that is taken.
    ordered = sorted(missing, key=lambda one: one.file.stat().st_size)
    jobs = [{"file": str(one.file), "quality": one.quality, "out": str(one.cached)} for one in ordered]
    command = (npm.node(places), SCRIPT, json.dumps({"jobs": jobs}))
    left = len(jobs)
    with step("compressing for the wire") as progress:

        def watch(line: str) -> bool:
            nonlocal left
            if not line.startswith("packed "):
                return False
            left -= 1
            progress.note = f"{left} of {len(jobs)} files left"
            return True

        run(places, command, name="brotli", failure="compressing failed", watch=watch)


def _put(one: Packed) -> None:
    target = one.file.with_name(one.file.name + SUFFIX)
    if target.exists() or not one.cached.exists():
        return
    if one.cached.stat().st_size < WORTH * one.file.stat().st_size:
        part = target.with_name(f".{target.name}")
        shutil.copyfile(one.cached, part)
        part.replace(target)
