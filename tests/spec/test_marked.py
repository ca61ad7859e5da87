"""GFM as marked renders it, white space aside: own inputs, marked's answers (tools/marked.mjs)."""

from __future__ import annotations

import json
import tomllib

import pytest

from midstream.markdown.html import render
from tests.spec.corpora import DATA
from tests.spec.differences import judge, pinned
from tests.spec.normal import normal
from tests.streams.check import check

CASES = tomllib.loads((DATA / "marked.toml").read_text(encoding="utf-8"))["case"]
WANT = json.loads((DATA / "marked.json").read_text(encoding="utf-8"))["html"]


def test_every_input_has_its_answer() -> None:
    assert {case["name"] for case in CASES} == set(WANT) >= set(pinned("marked"))


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["name"])
def test_case(case: dict[str, str]) -> None:
    got = render(check(case["markdown"], "marked"), "marked")
    want = WANT[case["name"]]
    same = normal(got, spaces=False) == normal(want, spaces=False)
    judge("marked", case["name"], same, f"got {got!r}, want {want!r}")
