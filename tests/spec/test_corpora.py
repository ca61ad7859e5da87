"""The examples elsewhere: none is needed, and those that we do not have are run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.spec import corpora


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIDSTREAM_CORPORA", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_none_is_needed() -> None:
    assert len(corpora.commonmark()) == 652
    assert len(corpora.gfm_core()) == 649
    assert len(corpora.gfm_extensions()) == 24
    assert len(corpora.pathological()) >= 60
    assert len(corpora.payloads()) > 4_000


def test_only_the_further_ones_are_added(folder: Path) -> None:
    ours = corpora.commonmark()
    (folder / "commonmark.json").write_text(json.dumps(ours))
    assert corpora.commonmark() == ours
    other = {**ours[0], "html": "<p>other</p>\n"}
    (folder / "commonmark.json").write_text(json.dumps([*ours, other]))
    assert corpora.commonmark() == [*ours, other]


def test_one_file_has_the_examples_of_gfm_and_of_what_it_extends(folder: Path) -> None:
    core = {"example": 700, "markdown": "new core", "html": "", "is_extension": False}
    added = {"example": 701, "markdown": "new rule", "html": "", "is_extension": True}
    (folder / "gfm.json").write_text(json.dumps([core, added]))
    assert corpora.gfm_core()[649:] == [core]
    assert corpora.gfm_extensions()[24:] == [added]


def test_further_shapes_and_payloads(folder: Path) -> None:
    shapes, payloads = corpora.pathological(), corpora.payloads()
    shape = {**shapes[0], "name": "new"}
    (folder / "pathological.json").write_text(json.dumps({"markdown": [*shapes, shape]}))
    (folder / "xss.json").write_text(json.dumps([{"payload": "new"}, {"payload": payloads[0]}]))
    assert corpora.pathological()[len(shapes) :] == [shape]
    assert corpora.payloads()[len(payloads) :] == ["new"]
