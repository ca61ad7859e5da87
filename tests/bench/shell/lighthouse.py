"""Lighthouse's marks for the page as it stands in a running browser."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tooling import stamps
from tooling.places import HERE
from tooling.setup import npm
from tooling.setup.programs import run

LOCKED = Path(__file__).with_name("lighthouse")
CATEGORIES = ("performance", "accessibility", "best-practices")
_FAILURE = "fetching Lighthouse failed"


def port(profile: Path) -> int:
    """Where a browser with that profile listens for debuggers: it writes the number into a file."""
    file = profile / "DevToolsActivePort"
    for _ in range(200):
        if file.exists() and (lines := file.read_text().splitlines()):
            return int(lines[0])
        time.sleep(0.05)
    raise AssertionError("the browser opened no port for debuggers")


def scores(port: int, url: str, folder: Path) -> dict[str, Any]:
    """By form factor and category, of 100; and what was marked down."""
    return {form: _marks(port, url, folder / f"{form}.json", form) for form in ("desktop", "mobile")}


def _marks(port: int, url: str, report: Path, form: str) -> dict[str, Any]:
    options = [f"--port={port}", "--quiet", "--output=json", f"--output-path={report}"]
    # The page as a person finds it again: with its conversation and its service worker.
    options += ["--disable-storage-reset", f"--only-categories={','.join(CATEGORIES)}"]
    # Applied, not simulated: Lighthouse cannot simulate what a service worker answers.
    options += ["--throttling-method=devtools"]
    options += ["--preset=desktop"] if form == "desktop" else []
    program = _program()
    failure = "Lighthouse failed"
    run(HERE, [npm.node(HERE), program, url, *options], name="lighthouse", failure=failure)
    found = json.loads(report.read_text())
    marks = {name: round(100 * found["categories"][name]["score"]) for name in CATEGORIES}
    return marks | {"lost": _lost(found)}


def _lost(found: dict[str, Any]) -> list[str]:
    """The audits that cost points."""
    weighed = {ref["id"] for name in CATEGORIES for ref in found["categories"][name]["auditRefs"] if ref["weight"]}
    scored = {name: found["audits"][name]["score"] for name in weighed}
    return sorted(name for name, score in scored.items() if score is not None and score < 0.9)


def _program() -> Path:
    """Lighthouse of the lock, fetched once into the cache."""
    files = [LOCKED / name for name in ("package.json", "package-lock.json")]
    folder = HERE.cache / f"lighthouse-{stamps.digest(*files)[:16]}"
    if not folder.is_dir():
        with stamps.whole_folder(folder) as fresh:
            for file in files:
                (fresh / file.name).write_bytes(file.read_bytes())
            command = [*npm.npm_command(HERE), "ci", "--ignore-scripts", *npm.QUIET]
            run(HERE, command, name="npm-lighthouse", failure=_FAILURE, cwd=fresh)
    return folder / "node_modules" / "lighthouse" / "cli" / "index.js"
