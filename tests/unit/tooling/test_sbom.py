"""The list of what dist/ is made of: complete by the locks, the same each time, and true."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import pytest

from tooling.assets import sbom
from tooling.places import HERE


def test_it_has_what_the_page_loads_and_not_what_builds_it(tmp_path: Path) -> None:
    sbom.write(HERE, tmp_path)
    bill = json.loads((tmp_path / sbom.BILL).read_text(encoding="utf-8"))
    names = {one["name"] for one in bill["components"]}
    assert {"pyodide", "@pyscript/core", "mermaid", "temml", "mistletoe", "pygments"} <= names
    assert not names & {"esbuild", "typescript", "@biomejs/biome", "@types/d3", "axe-core", "midstream-web"}
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    refs = [one["bom-ref"] for one in bill["components"]]
    assert len(set(refs)) == len(refs) and bill["dependencies"] == [{"ref": "midstream", "dependsOn": refs}]
    assert "pkg:npm/%40pyscript/core@" in "".join(refs)


def test_the_same_locks_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        sbom.write(HERE, tmp_path / name)
    for file in (sbom.BILL, sbom.LICENCES):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.parametrize("name", ["mistletoe", "packaging", "pygments"])
def test_the_licences_of_python_packages_are_those_that_they_state(name: str) -> None:
    stated = importlib.metadata.metadata(name)
    assert sbom.PYTHON_LICENCES[name] in (stated["License-Expression"], stated["License"])


def test_every_python_package_has_its_licence() -> None:
    assert {one.name for one in sbom.components(HERE) if one.kind == "pypi"} == sbom.PYTHON_LICENCES.keys()


def test_every_licence_has_its_text_or_its_name(tmp_path: Path) -> None:
    sbom.write(HERE, tmp_path)
    text = (tmp_path / sbom.LICENCES).read_text(encoding="utf-8")
    for one in sbom.components(HERE):
        assert f"\n{one.name} {one.version} ({one.licence or 'see its text'})\n" in text
    assert "Permission is hereby granted" in text
