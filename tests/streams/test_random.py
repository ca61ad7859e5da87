"""Documents made of the pieces that matter, by Hypothesis: one tree whatever the cuts."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.streams.check import check, once, run

pytestmark = pytest.mark.full_run(reason="hundreds of documents in random cuts")

_INLINE = [
    *["*", "**", "_", "__", "~", "~~", "`", "``", "[", "]", "(", ")", "![", "<", ">", "&", "&amp;"],
    *["\\", "!", ":", "/", ".", "@", "$", "$$", "$x$", "\\(", "\\)", "\\[", "\\]", "|", '"', "'"],
    *["a", "foo", "bar baz", "5", "é", "中文", "שלום", "😀", "\u202e", "\0", " ", " ", "  ", "\t"],
    *[
        "http://a.b",
        "https://x.y/z?q=(a)",
        "www.a.b",
        "a@b.c",
        "[^1]",
        "[a]",
        "[b](c)",
        "<b>",
        "<br>",
    ],
]
_STARTS = [
    *["", "", "- ", "* ", "+ ", "1. ", "2) ", "> ", "# ", "## ", "    ", "\t", "```", "~~~", "---"],
    *["===", "- [ ] ", "- [x] ", "|", "| a | b |", "|-|-|", ":-:", "[a]: /u", "[b]: <x> 't'", "$$"],
    *["[^1]: ", "<div>", "</div>", "<!--", "-->", "<script>", "\\["],
]
_LINES = st.builds(
    lambda starts, inline, end: "".join(starts) + "".join(inline) + end,
    st.lists(st.sampled_from(_STARTS), max_size=3),
    st.lists(st.sampled_from(_INLINE), max_size=7),
    st.sampled_from(["\n", "\n", "\n", "\n\n", "  \n", "\\\n", "\r\n", ""]),
)
DOCUMENTS = st.lists(_LINES, min_size=1, max_size=9).map("".join)
_SETTINGS = settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

MORE = pytest.mark.full_run(reason="hundreds of documents; those of the screen's policy are quick")


@_SETTINGS
@given(DOCUMENTS)
def test_safe_documents(text: str) -> None:
    check(text, seeds=(1,))


@MORE
@_SETTINGS
@given(DOCUMENTS)
def test_specification_documents(text: str) -> None:
    check(text, "gfm", seeds=(2,))


@_SETTINGS
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    check(text, seeds=(4,))


@MORE
@_SETTINGS
@given(DOCUMENTS, DOCUMENTS)
def test_a_finished_block_does_not_depend_on_what_follows(first: str, second: str) -> None:
    """What is sealed while the first half streams is in the whole's tree, untouched: `run` would
    raise if an op touched it. Here: the halves fed as two pieces give the whole's tree."""
    whole, _ = run(once(first + second))
    halves, _ = run([first, second])
    from tests.streams.check import assert_same

    assert_same(halves, whole, "two halves", [first, second])
