"""The modules of the page in as many files as are loaded together, instead of one each.

Every file of a page comes through the service worker, one after the other: with fifty of them the
engine's document waited a third of a second for its turn at each reload. In `web/` they stay as they
are written; `dist/` gets them put together by esbuild.
"""

from __future__ import annotations

import json
from pathlib import Path

from tooling.assets.filling import MARKER, exchange, marked
from tooling.places import Places
from tooling.setup import npm
from tooling.setup.programs import run

SCRIPT = Path(__file__).with_name("bundle.mjs")
# Comments go, and with them the marks of the place that the build fills in later.
PLACE = "BUILD_FILLS_THIS_IN"
CHUNKS = "<!--chunks-->"


def bundle(places: Places, target: Path) -> None:
    """Puts the modules of the pages and of the service worker in `target` together. Raises Trouble."""
    worker = target / "sw.js"
    exchange(worker, marked(worker), PLACE)
    command = [npm.node(places), SCRIPT, target]
    output = run(places, command, name="bundle", failure="putting the scripts together failed")
    found = json.loads(output.splitlines()[-1])
    exchange(worker, PLACE, f"{MARKER}{{}}{MARKER}")
    gone = set(found["used"]) - found["made"].keys() - set(found["left"])
    for name in gone:
        (target / name).unlink()
    for folder in {(target / name).parent for name in gone}:
        if not any(folder.iterdir()):
            folder.rmdir()
    _preload(target / "index.html", found["made"]["screen/main.js"])


def _preload(page: Path, chunks: list[str]) -> None:
    """The page names what its script imports, so that the browser need not find that out."""
    links = "".join(f'<link rel="modulepreload" href="{name}">\n' for name in chunks)
    exchange(page, f"{CHUNKS}\n", links)
