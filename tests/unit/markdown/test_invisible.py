"""Hidden characters in texts that leave the app; that the screen shows the same: tests/unit/test_twins.py."""

from __future__ import annotations

import pytest

from midstream.markdown.invisible import visible, visible_source

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\u202eb\U000e0041", "a\ufffdb\ufffd\ufffd"),
        (f"{ENGLAND}\U000e0041", f"{ENGLAND}\ufffd\ufffd"),
        ("\u2764\ufe0f \u0645\u06cc\u200c\u062e", "\u2764\ufe0f \u0645\u06cc\u200c\u062e"),
        ("a\u200bb\u2062\u3164", "a\ufffdb\ufffd\ufffd"),
        ("a\ufe0f1\ufe0f\u20e3", "a\ufffd1\ufe0f\u20e3"),
    ],
)
def test_what_nobody_sees_is_marked(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_in_a_source_the_fences_say_what_is_code() -> None:
    source = "\u2068x\u2069\n```\n\u2068y\u2069\n```\n\u2068z\u2069"
    assert visible_source(source) == "\u2068x\u2069\n```\n\ufffdy\ufffd\n```\n\u2068z\u2069"
