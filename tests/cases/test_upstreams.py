"""The upstreams seen in the field (upstreams.json) have the form that the file itself describes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

CASES = json.loads(Path(__file__).with_name("upstreams.json").read_bytes())["cases"]
WANTED = re.compile(r"(completed|failed|interrupted|retried|http \d{3})( .+)?")
OPTIONS = {"wanted", "send", "status", "ctype", "headers", "nohead", "hdelay", "close"}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_form(case: dict[str, Any]) -> None:
    assert set(case) <= OPTIONS
    assert WANTED.fullmatch(case["wanted"])
    assert case.get("close") in (None, "rst", "hang")
    for seconds, text in case["send"]:
        assert 0 <= seconds < 60
        assert bytes.fromhex(text[4:]) if text.startswith("hex:") else isinstance(text, str)
