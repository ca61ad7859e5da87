"""A long conversation: what is far from the screen is left out of layout, and nothing moves by that."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.screen_support import Ops, Screen, answer, asked

TURNS = 30
SKIPPED = """
() => [...document.querySelectorAll('article')]
  .filter((each) => !each.querySelector('p, [data-part=content]').checkVisibility({contentVisibilityAuto: true})).length
"""
# Upwards in steps, each after a frame: how far the text has moved beside what was scrolled.
JUMPS = """
async () => {
  const box = document.querySelector('[data-part=scroller]');
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const jumps = [];
  while (box.scrollTop > 0) {
    const near = [...document.querySelectorAll('article')].findLast((each) => each.getBoundingClientRect().top < 400);
    const [top, at] = [near.getBoundingClientRect().top, box.scrollTop];
    box.scrollTop -= 300;
    await frame();
    jumps.push(Math.abs(near.getBoundingClientRect().top - top - (at - box.scrollTop)));
  }
  return Math.max(...jumps);
}
"""


@pytest.fixture
def long(screen: Screen) -> Screen:
    """The newest answer is still being written."""
    screen.goto().ready()
    turns = []
    for n in range(TURNS):
        turns += [asked(f"Question {n}?", f"u{n}"), answer("complete", f"a{n}", tokens=9)]
    screen.conversation(*turns, asked("Last?", "u"), answer("streaming", "a"))
    for n in range(TURNS):
        words = [("p", f"Answer {n}, line {line}. " * (1 + (7 * n + line) % 5)) for line in range(5)]
        screen.patch(1, *Ops().of(*words), message=f"a{n}")
    screen.patch(1, *Ops().of(("p", "Now")), message="a")
    expect(screen.content("a")).to_have_text("Now")
    expect(screen.part("transcript")).to_have_attribute("data-settled", "")
    return screen


def test_what_is_far_away_is_left_out_and_nothing_jumps(long: Screen) -> None:
    assert long.page.evaluate(SKIPPED) > TURNS // 2
    assert long.content("a").evaluate("e => e.checkVisibility({contentVisibilityAuto: true})")
    assert long.page.evaluate(JUMPS) <= 1


def test_at_another_width_the_sizes_are_taken_anew(long: Screen) -> None:
    long.page.set_viewport_size({"width": 420, "height": 700})
    expect(long.part("transcript")).not_to_have_attribute("data-settled", "")
    expect(long.part("transcript")).to_have_attribute("data-settled", "")
    assert long.page.evaluate(JUMPS) <= 1


def test_it_can_be_found_all_the_same(long: Screen) -> None:
    assert long.page.evaluate("find('Answer 3, line 2', false, true)")
    assert "Answer 3, line 2" in long.page.evaluate("getSelection().toString()")
