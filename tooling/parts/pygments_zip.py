"""The part of Pygments that knows the coloured languages, compiled by the page's own Python. The page
fetches it when it first needs it.
"""

from __future__ import annotations

import ast
import runpy
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tooling import stamps
from tooling.places import Places
from tooling.report import step
from tooling.setup import wheels

# Where the page puts it; py/midstream/engine/browser/pygments_loader.py has the same name.
PREFIX = "/lib/midstream-pygments.zip"
# Only for output, or for programs of its own.
UNUSED = ("pygments/formatters/", "pygments/styles/")


def ensure(places: Places, stdlib: Path, compile: Callable[[dict[str, object]], None]) -> Path:
    """The zip, made by `compile` of runtime.mjs. Raises Trouble."""
    found = wheels.pygments(places)
    languages = places.root / "py/midstream/engine/highlight/languages.py"
    names = [stdlib.parent.name, *(wheel.parent.name for wheel in found)]
    key = stamps.digest(Path(__file__), languages, *names)
    folder = places.cache / f"pygments-{key[:16]}"
    if not folder.is_dir():
        with step("compiling Pygments"), stamps.whole_folder(folder) as fresh:
            job: dict[str, object] = {
                "wheels": [str(wheel) for wheel in found],
                "skip": skipped(found[0], runpy.run_path(str(languages))["MODULES"]),
                "prefix": PREFIX,
                "out": str(fresh / "pygments.zip"),
            }
            compile(job)
        stamps.keep_only(places.cache, "pygments-*", [folder])
    return folder / "pygments.zip"


def skipped(wheel: Path, modules: dict[str, object]) -> list[str]:
    """The files of Pygments that none of these lexer modules imports."""
    with zipfile.ZipFile(wheel) as archive:
        sources = {n: archive.read(n) for n in archive.namelist() if n.endswith(".py")}
        others = [n for n in archive.namelist() if n not in sources]
    named = {name.removesuffix(".py").removesuffix("/__init__"): name for name in sources}
    wanted = [f"pygments/lexers/{module}" for module in modules]
    kept: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in named and name not in kept and not f"{name}/".startswith(UNUSED):
            kept.add(name)
            wanted += _imported(name, sources[named[name]], named[name].endswith("__init__.py"))
    return sorted(others + [file for name, file in named.items() if name not in kept])


def _imported(name: str, source: bytes, package: bool) -> Iterator[str]:
    """Everything that a module imports, as paths without their endings, and the packages above."""
    above = name if package else name.rpartition("/")[0]
    yield above
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.replace(".", "/") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = (node.module or "").replace(".", "/")
            yield base
            yield from (f"{base}/{alias.name}" for alias in node.names)
