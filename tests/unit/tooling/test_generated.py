"""The tables that the screen has from Python are Python's of today, and the style sheet has a rule for each kind."""

from __future__ import annotations

import re

from midstream.engine.highlight.lexing import KINDS
from tooling.assets import generated
from tooling.places import HERE


def test_the_module_is_current() -> None:
    """Else: `python -m tooling.assets.generated`."""
    assert (HERE.root / generated.FILE).read_text() == generated.module()


def test_long_tables_keep_a_key_and_its_value_together() -> None:
    lines = generated.module().splitlines()
    assert max(map(len, lines)) <= 130
    assert [line for line in lines if line.endswith('":')] == []


def test_each_kind_of_coloured_code_has_a_style() -> None:
    css = (HERE.root / "web/style.css").read_text()
    assert sorted(set(re.findall(r"::highlight\(code-(\w+)\)", css))) == sorted(KINDS)
