"""Which modules may be frozen into the snapshot: those that no import leads from to the browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from tooling import stamps
from tooling.parts import import_graph
from tooling.places import HERE


def package(folder: Path, **modules: str) -> Path:
    """`engine__net="import js"` becomes midstream/engine/browser/net.py."""
    for name in ("midstream", "midstream/engine"):
        stamps.write_text(folder / name / "__init__.py", "")
    for name, text in modules.items():
        stamps.write_text(folder / "midstream" / f"{name.replace('__', '/')}.py", text)
    return folder


@pytest.mark.parametrize(
    "text",
    [
        "import js",
        "import pyodide.ffi",
        "from pyodide.ffi import create_proxy",
        "from pyscript import window",
        "try:\n    import js\nexcept ImportError:\n    pass",
        "class Port:\n    import js",
        "from midstream.engine.net import fetch",
        "from midstream.engine import net",
        "from . import net",
        "from .net import fetch",
        "import midstream.engine.net",
    ],
)
def test_what_leads_to_the_browser_is_left_for_the_page(tmp_path: Path, text: str) -> None:
    found = import_graph.modules(package(tmp_path, engine__net="import js", engine__one=text))
    assert "midstream.engine.one" not in found and "midstream.engine.browser.net" not in found


@pytest.mark.parametrize(
    "text",
    [
        "def later():\n    import js",
        "async def later():\n    from pyodide.ffi import to_js",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import js",
        "from midstream import events",
        "import json",
    ],
)
def test_everything_else_is_frozen(tmp_path: Path, text: str) -> None:
    found = import_graph.modules(package(tmp_path, engine__net="import js", events="", engine__one=text))
    assert "midstream.engine.one" in found


def test_the_servers_side_stays_out(tmp_path: Path) -> None:
    found = import_graph.modules(package(tmp_path, cli="", gateway__app="import json", sse=""))
    assert found == ["midstream", "midstream.engine", "midstream.sse"]


def test_the_real_one_freezes_the_parser_and_leaves_the_browsers_doors() -> None:
    found = import_graph.modules(HERE.root / "py")
    assert {"midstream.markdown.parser", "midstream.session", "midstream.engine.app"} <= set(found)
    assert not {"midstream.engine.browser.main", "midstream.engine.browser.idb"} & set(found)
    assert not {"mistletoe", "midstream.markdown.mistletoe_blocks"} & set(found)
    assert "mistletoe" in import_graph.needs(HERE.root / "py")
    assert not any(name.startswith("midstream.gateway") for name in found)
