"""While somebody types, keys come first: what the engine says waits for the frame of a key, and nothing is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.screen_support import Ops, Screen, answer, asked

# Handled so far: before a key, as it is pressed, in the frame that shows it; and in the end.
HANDLED = """
async () => {
  const { TypingPriority } = await import(new URL('screen/page/typing_priority.js', location.href));
  const handled = [];
  const priority = new TypingPriority((what) => handled.push(what));
  priority.take('before');
  const counts = [handled.length];
  document.querySelector('textarea').dispatchEvent(new Event('input', { bubbles: true }));
  priority.take('one');
  priority.take('two');
  counts.push(handled.length);
  await new Promise(requestAnimationFrame);
  counts.push(handled.length);
  while (handled.length < 3) await new Promise(requestAnimationFrame);
  return [counts, handled];
}
"""
# The selectors of the style sheet.
SELECTORS = """
() => [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).map((rule) => rule.selectorText ?? '')
"""


@pytest.fixture
def streaming(screen: Screen) -> Screen:
    screen.goto().ready()
    screen.conversation(asked(), answer("streaming"))
    screen.patch(1, *Ops().of(("p", "One")))
    expect(screen.content()).to_have_text("One")
    return screen


def test_what_the_engine_says_waits_for_the_frame_of_a_key(streaming: Screen) -> None:
    counts, handled = streaming.page.evaluate(HANDLED)
    assert counts == [1, 1, 1]
    assert handled == ["before", "one", "two"]


def test_nothing_is_lost_while_somebody_types(streaming: Screen) -> None:
    prompt = streaming.page.locator("textarea")
    for n in range(2, 12):
        prompt.press("a")
        streaming.patch(n, [1, 1, f" {n}"])
    expect(streaming.content()).to_have_text("One 2 3 4 5 6 7 8 9 10 11")
    expect(prompt).to_have_value("a" * 10)


def test_it_comes_without_another_key_too(streaming: Screen) -> None:
    streaming.page.locator("textarea").press("a")
    streaming.patch(2, [1, 1, " 2"])
    expect(streaming.content()).to_have_text("One 2")


def test_no_rule_looks_through_the_text_for_every_word(streaming: Screen) -> None:
    """`html:has(article)` costs a look through all of a conversation whenever an element comes."""
    rules = streaming.page.evaluate(SELECTORS)
    assert len(rules) > 100
    assert [rule for rule in rules if rule.startswith(("html", "body")) and ":has(" in rule] == []


def test_a_key_lays_out_nothing_of_the_text(streaming: Screen) -> None:
    """The scroller is contained, and the composer outside of it: each a layout of its own."""
    contain = streaming.part("scroller").evaluate("e => getComputedStyle(e).contain")
    assert contain == "strict"
