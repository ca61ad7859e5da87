"""The checks beside the tests: `.venv/bin/python -m tooling.checks.lint` after `python3 build.py test`."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tooling.places import HERE, Places
from tooling.report import say
from tooling.setup import npm

# Pages, modules that run without a document, the service worker and Node know different globals: one
# project for each.
TYPE_PROJECTS = (
    "tsconfig.json",
    "tsconfig.shared.json",
    "tsconfig.worker.json",
    "tooling/tsconfig.json",
    "tests/node/tsconfig.json",
)


def commands(places: Places) -> list[list[str | Path]]:
    python: list[str | Path] = [places.python, "-m"]
    compiler = places.node_modules / "typescript/bin/tsc"
    types: list[str | Path] = [npm.node(places), compiler, "--project"]
    biome = places.node_modules / "@biomejs/biome/bin/biome"
    return [
        [*python, "ruff", "check"],
        [*python, "ruff", "format", "--check", "--quiet"],
        [*python, "mypy"],
        [npm.node(places), biome, "ci", "--error-on-warnings"],
        *([*types, project] for project in TYPE_PROJECTS),
    ]


def main(places: Places = HERE) -> int:
    """Runs all of them, even after one failed; returns the number that failed."""
    failed = 0
    for command in commands(places):
        shown = " ".join(str(part) for part in command).replace(f"{places.root}/", "")
        started = time.monotonic()
        code = subprocess.call([str(part) for part in command], cwd=places.root)
        failed += code != 0
        ending = "ok" if code == 0 else f"FAILED ({code})"
        say(f"{shown}: {ending}, {time.monotonic() - started:.1f} s")
    return failed


if __name__ == "__main__":
    sys.exit(main())
