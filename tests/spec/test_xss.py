"""Every payload, under the safe policy, cut in several ways: each op of each prefix is
inside the screen's vocabulary (tags, attributes, schemes), and the trees are the same."""

from __future__ import annotations

import pytest

from tests.spec.corpora import payloads
from tests.streams.check import assert_same, byte_cuts, characters, once, random_cuts, run

PAYLOADS = payloads()
BATCH = 250


def test_the_corpus_is_there() -> None:
    assert len(PAYLOADS) > 4_000


FIRSTS = range(0, len(PAYLOADS), BATCH)
MORE = pytest.mark.full_run(reason="thousands of payloads; the first thousand are quick")


@pytest.mark.parametrize("first", [*FIRSTS[:4], *(pytest.param(n, marks=MORE) for n in FIRSTS[4:])])
def test_payloads(first: int) -> None:
    """`run` validates every op and applies it to the strict reference tree."""
    for k, payload in enumerate(PAYLOADS[first : first + BATCH], first):
        want, _ = run(once(payload))
        ways = [random_cuts(payload, k, 9)]
        if k % 6 == 0 and len(payload) < 2_000:
            ways += [characters(payload), byte_cuts(payload)]
        for parts in ways:
            assert_same(run(parts)[0], want, "cut", parts)
