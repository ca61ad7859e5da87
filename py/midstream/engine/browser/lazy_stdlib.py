"""Imports of modules that are not in the page's part of the standard library.

The page starts with the modules that the app uses, a third of the library. The first import of another
one, by a package that was installed later for instance, fetches the rest of the library. Everything in
this worker waits meanwhile: an import cannot be awaited.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

REST = "/lib/midstream-rest.zip"


class Rest:
    """The last finder on sys.meta_path."""

    def __init__(self, url: str, integrity: str, names: str) -> None:
        """`integrity` as in HTML; `names` of the modules in it, with spaces between."""
        self._url = url
        self._integrity = integrity
        self._names = frozenset(names.split())
        self._there = False

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if name not in self._names:
            return None
        if not self._there:
            self._fetch(name)
        # A package may have some of its modules in either part, so its own path will not do.
        folder = "/".join([REST, *name.split(".")[:-1]])
        return PathFinder.find_spec(name, [folder], target)

    def _fetch(self, name: str) -> None:
        try:
            data = fetch(self._url)
        except Exception as error:  # JsException, which exists in Pyodide only
            raise self._missing(name, str(error)) from error
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        if f"sha256-{digest}" != self._integrity:
            raise self._missing(name, "it is damaged")
        Path(REST).write_bytes(data)
        self._there = True

    def _missing(self, name: str, why: str) -> ImportError:
        message = f"the rest of the standard library could not be loaded ({why})"
        return ImportError(f"No module {name!r}: {message}", name=name)


def fetch(url: str) -> bytes:
    """Waits for the answer, as only a worker may."""
    from js import XMLHttpRequest

    request = XMLHttpRequest.new()
    request.open("GET", url, False)
    request.responseType = "arraybuffer"
    request.send()
    if request.status != 200:
        raise OSError(f"status {request.status}")
    return bytes(request.response.to_bytes())


def install(url: str, integrity: str, names: str) -> None:
    sys.meta_path.append(Rest(url, integrity, names))
