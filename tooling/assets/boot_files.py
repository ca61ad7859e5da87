"""The part of `dist/` from which Python starts, and the list of it in parts.mjs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tooling import stamps
from tooling.assets.filling import integrity, substitute
from tooling.parts import import_graph, runtime
from tooling.places import Places
from tooling.setup import wheels

# Patterns of files that a page requests only when something else has failed: the browser makes a
# snapshot of its own, and the others are for Python as it is published.
RARE = (
    "engine/pyodide/snapshot-*.bin",
    "engine/pyodide/rest-*.zip",
    "engine/pyodide/python_stdlib.zip",
    "wheels/*",
)

# A snapshot depends on these, beside the zips.
INTERPRETER = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")


def write(places: Places, made: runtime.Runtime, folder: Path) -> None:
    parts = [made.stdlib, made.app, *(folder / name for name in INTERPRETER)]
    imports = import_graph.modules(places.root / "py")
    build = {
        "id": stamps.digest(json.dumps(imports), *parts)[:16],
        "imports": imports,
        "size": sum(file.stat().st_size for file in (made.stdlib, folder / INTERPRETER[2])),
        "snapshot": _add_hashed(made.snapshot, folder),
        "stdlib": _add_hashed(made.stdlib, folder),
        "rest": _add_hashed(made.rest, folder) | {"modules": made.rest_modules},
        "app": _add_hashed(made.app, folder),
        "lock": json.loads(wheels.package_list(made.wheels, runtime.info(places))),
    }
    substitute(folder / "parts.mjs", build)


def _add_hashed(file: Path, folder: Path) -> dict[str, object]:
    """Copies the file under a name with its hash: never stale, whatever caches stand between."""
    data = file.read_bytes()
    name = f"{file.stem}-{hashlib.sha256(data).hexdigest()[:12]}{file.suffix}"
    (folder / name).write_bytes(data)
    return {"url": name, "hash": integrity(data), "size": len(data)}
