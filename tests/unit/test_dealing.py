"""How tests are dealt to workers: what is set up once stays together, what waits is begun first."""

from __future__ import annotations

from tests.dealing import BROWSER, FIRST, HERE, rank, together


def test_a_file_with_something_for_all_of_its_tests_stays_together() -> None:
    assert together(BROWSER / "start/test_paint.py")
    assert together(BROWSER / "scenarios/test_gateway.py")  # by the conftest.py beside it
    assert not together(BROWSER / "screen/page/test_scroll.py")
    assert together(HERE / "unit/test_session.py")


def test_what_waits_is_begun_first() -> None:
    files = ["scenarios/test_gateway.py", "lifetime/test_lifetime.py", "screen/test_life.py"]
    ranks = [rank(BROWSER / file) for file in files]
    assert ranks == sorted(ranks) and len(set(ranks)) == 3
    assert rank(HERE / "unit/test_session.py") > max(ranks)
    assert all((BROWSER / folder).is_dir() for folder in FIRST)
