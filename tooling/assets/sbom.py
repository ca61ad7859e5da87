"""What `dist/` is made of: a CycloneDX list of its components, and the texts of their licences, from the locks."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tooling import stamps
from tooling.places import Places

BILL = "sbom.cdx.json"
LICENCES = "licenses.txt"
# Locks of Python packages whose files are in dist/, and the licences: a lock does not name them.
PYTHON_LOCKS = ("browser", "late")
PYTHON_LICENCES = {
    "micropip": "MPL-2.0",
    "mistletoe": "MIT",
    "packaging": "Apache-2.0 OR BSD-2-Clause",
    "pygments": "BSD-2-Clause",
}
# Of npm's packages these only build, or are types.
NOT_IN_DIST = re.compile(r"esbuild|@esbuild/.*|@types/.*")
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
_TEXT = re.compile(r"(?i)(licen[cs]e|copying|notice)(\.(md|txt))?$")


@dataclass(frozen=True, order=True, slots=True)
class Component:
    kind: str  # of its registry: npm or pypi
    name: str
    version: str
    licence: str  # an SPDX expression, "" where the lock has none

    @property
    def purl(self) -> str:
        return f"pkg:{self.kind}/{self.name.replace('@', '%40')}@{self.version}"

    def entry(self) -> dict[str, object]:
        """Its entry in the list."""
        known: dict[str, object] = {"licenses": [{"expression": self.licence}]} if self.licence else {}
        common: dict[str, object] = {"type": "library", "name": self.name, "version": self.version}
        return common | {"purl": self.purl, "bom-ref": self.purl} | known


def write(places: Places, target: Path) -> None:
    """Writes both files into `target`. The same locks give the same bytes."""
    found = components(places)
    app = {"type": "application", "name": "midstream", "bom-ref": "midstream", "licenses": [{"expression": "MIT"}]}
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": app},
        "components": [one.entry() for one in found],
        "dependencies": [{"ref": "midstream", "dependsOn": [one.purl for one in found]}],
    }
    stamps.write_text(target / BILL, json.dumps(bill, indent=1) + "\n")
    stamps.write_text(target / LICENCES, "\n\n".join(_texts(places, found)) + "\n")


def components(places: Places) -> list[Component]:
    return sorted({*_from_npm(places), *_from_python(places)})


def _from_npm(places: Places) -> Iterator[Component]:
    lock = json.loads((places.root / "package-lock.json").read_text(encoding="utf-8"))
    for path, package in lock["packages"].items():
        name = path.rpartition("node_modules/")[2]
        if name and not package.get("dev") and not NOT_IN_DIST.fullmatch(name):
            licence = str(package.get("license", "")).replace("APACHE", "Apache")
            yield Component("npm", name, package["version"], licence)


def _from_python(places: Places) -> Iterator[Component]:
    for lock in PYTHON_LOCKS:
        for name, version in _PINNED.findall(places.lock(lock).read_text(encoding="utf-8")):
            yield Component("pypi", name, version, PYTHON_LICENCES.get(name, ""))


def _texts(places: Places, found: Iterable[Component]) -> Iterator[str]:
    yield "Midstream is under the MIT licence. It contains these works of others, in whole or in part."
    for one in found:
        head = f"{one.name} {one.version} ({one.licence or 'see its text'})"
        yield "\n\n".join([f"{'=' * 72}\n{head}\n{'=' * 72}", *_own_texts(places, one)])


def _own_texts(places: Places, one: Component) -> list[str]:
    if one.kind == "npm":
        folder = places.node_modules / one.name
        files = sorted(file for file in folder.glob("*") if _TEXT.match(file.name))
        return [file.read_text(encoding="utf-8", errors="replace").strip() for file in files]
    wheels = places.cache.glob(f"*wheels-*/{one.name}-{one.version}-*.whl")
    return [text for wheel in sorted(wheels)[:1] for text in _in_wheel(wheel)]


def _in_wheel(wheel: Path) -> Iterator[str]:
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if ".dist-info/" in name and _TEXT.match(name.rpartition("/")[2]):
                yield archive.read(name).decode("utf-8", "replace").strip()
