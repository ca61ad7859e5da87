"""What draws diagrams: Mermaid, put together by esbuild in parts; a page gets those that it needs."""

from __future__ import annotations

from pathlib import Path

from tooling import stamps
from tooling.places import Places
from tooling.report import step
from tooling.setup import npm
from tooling.setup.programs import run

SCRIPT = Path(__file__).with_name("mermaid.mjs")


def ensure(places: Places) -> Path:
    """The folder with its modules, `mermaid.js` first. Raises Trouble."""
    key = stamps.digest(SCRIPT, places.root / "package-lock.json")
    folder = places.cache / f"mermaid-{key[:16]}"
    if not folder.is_dir():
        with step("putting Mermaid together"), stamps.whole_folder(folder) as fresh:
            command = [npm.node(places), SCRIPT, places.root, fresh]
            run(places, command, name="mermaid", failure="putting Mermaid together failed")
        stamps.keep_only(places.cache, "mermaid-*", [folder])
    return folder
