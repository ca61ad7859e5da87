"""The scripts of the page: which folder may import from which, no circles, and `web/shared/` without a document."""

from __future__ import annotations

import json
import re
import subprocess
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

import pytest

from tooling.places import HERE
from tooling.setup import npm

WEB = HERE.root / "web"
# What each folder may import beside itself. Imports of types count as well.
ALLOWED = {
    "shared": set(),
    "worker": {"shared"},
    "engine": {"shared"},
    "screen/page": {"shared"},
    "screen/answer": {"shared", "screen/page"},
    "screen/composer": {"shared", "screen/page"},
    "screen/settings": {"shared", "screen/page"},
    "screen/sidebar": {"shared", "screen/page"},
    "screen": {
        "shared",
        "screen/page",
        "screen/answer",
        "screen/composer",
        "screen/settings",
        "screen/sidebar",
    },
}
IMPORT = re.compile(r"""(?:\bfrom|\bimport|import\()\s*['"](\.[^'"]+\.js)['"]""")


def graph() -> dict[str, set[str]]:
    """By module, the modules that it imports, all as paths below `web/`."""
    return {
        file.relative_to(WEB).as_posix(): {
            (file.parent / name).resolve().relative_to(WEB).as_posix()
            for name in IMPORT.findall(file.read_text())
        }
        for folder in ALLOWED
        for file in (WEB / folder).glob("*.js")
    }


def folder(module: str) -> str:
    return PurePosixPath(module).parent.as_posix()


def breaches(modules: dict[str, set[str]]) -> list[str]:
    return [
        f"{module} imports {other}"
        for module, others in sorted(modules.items())
        for other in sorted(others)
        if folder(other) not in {folder(module), *ALLOWED[folder(module)]}
    ]


def test_a_folder_imports_only_from_those_below_it() -> None:
    assert breaches(graph()) == []


def test_there_are_no_circles() -> None:
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_a_breach_is_seen() -> None:
    modules = {"shared/made_up.js": {"screen/page/tab.js"}, "worker/a.js": {"screen/main.js"}}
    assert len(breaches(modules)) == 2


@pytest.mark.parametrize("name", ALLOWED)
def test_a_folder_is_a_short_table_of_contents(name: str) -> None:
    assert len([path for path in (WEB / name).iterdir() if path.is_file()]) <= 16


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        ("export const made = (/** @type {Document} */ paper) => paper.createElement('p');", True),
        ("export const made = document.createElement('p');", False),
        ("export const found = (/** @type {Element} */ element) => element.closest('p');", False),
        ("export const stored = localStorage.getItem('midstream.draft');", False),
    ],
)
def test_a_shared_module_cannot_use_a_document(line: str, fits: bool, tmp_path: Path) -> None:
    (tmp_path / "made_up.js").write_text(line + "\n")
    config = {
        "extends": str(HERE.root / "tsconfig.shared.json"),
        "include": ["made_up.js", str(WEB / "worker/dom.d.ts")],
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    compiler = HERE.node_modules / "typescript/bin/tsc"
    ran = subprocess.run(
        [str(npm.node(HERE)), compiler, "--project", tmp_path], capture_output=True, text=True
    )
    assert (ran.returncode == 0) is fits, ran.stdout
