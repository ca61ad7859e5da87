"""The applier: every op against the reference in midstream.patch, and every op that must not pass."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.screen_support import Ops, Screen, answer, asked
from tests.support.op_sequences import patches

# The DOM as nested lists, without what the screen itself adds (direction, host, rel, labels).
DOM_JS = """
root => {
  const own = new Set(['dir', 'target', 'rel', 'data-host', 'data-plain', 'aria-label', 'tabindex', 'role',
    'data-block']);
  const ours = node => node.nodeType === 1 && node.hasAttribute('data-do');
  const see = node => node.nodeType === 3 ? node.data : [
    node.localName,
    Object.fromEntries([...node.attributes].map(a => [a.name, a.value]).filter(([name, value]) =>
      !own.has(name) && !(node.localName === 'button' && name !== 'data-src') &&
      !(node.localName === 'input' && name !== 'checked'))),
    ...[...node.childNodes].filter(child => !ours(child)).map(see)];
  return [...root.childNodes].map(see);
}
"""


def shown(screen: Screen) -> Any:
    return screen.content().evaluate(DOM_JS)


@pytest.fixture
def live(screen: Screen) -> Screen:
    screen.goto().ready()
    screen.conversation(asked(), answer())
    return screen


@pytest.mark.parametrize("seed", [0, 1])
def test_random_ops_give_the_reference_tree(live: Screen, seed: int) -> None:
    """More of them: tests/node/test_reference_tree.py."""
    made, tree = patches(seed)
    live.post(*made)
    expect(live.article()).to_have_attribute("data-seq", "6")
    assert shown(live) == tree


# One of each kind; all of them: tests/node/apply.test.js.
BAD_OPS = [
    [0, 0, "script", 9],
    [1, 77, "x"],
    [2, 1, "onclick", "alert(1)"],
    [3, 1, 999],
    [4, 0, ""],
    [5, 1, "script"],
    [6, 1, -1],
    [7, 0],
    [8, 1],
    None,
]


def test_bad_op_is_refused_and_costs_no_text(live: Screen) -> None:
    """One message per bad op, in one page."""
    live.conversation(*(answer(message=f"a{i}") for i in range(len(BAD_OPS))))
    for i, bad in enumerate(BAD_OPS):
        refuse(live, f"a{i}", bad)
    outside = "[data-part=content] :is(script, iframe, img, svg, [onclick], [style], [id], [name])"
    assert live.page.locator(outside).count() == 0


def refuse(live: Screen, message: str, bad: Any) -> None:
    content = live.content(message)
    live.patch(1, *Ops().of(("p", "before ")), message=message)
    live.patch(2, [1, 1, "and"], bad, [1, 1, " after"], message=message)
    assert live.intent("reset")["message"] == message, bad
    assert content.text_content() == "before and", bad  # it stays while the answer is fetched anew

    live.patch(3, [1, 1, "!"], message=message)  # does not fit any more: waits for the reset
    whole = [[0, 0, "p", 1], [1, 1, "before and"], bad, [1, 1, " after!"]]
    live.patch(3, *whole, message=message, reset=True)
    live.patch(4, [1, 1, " On."], message=message)
    expect(content.locator("p").first).to_have_text("before and after! On.")
    expect(live.line(message)).to_contain_text("could not be shown")
    assert "reset" not in live.intents(), bad  # it is not asked for again and again


def test_patches_that_are_no_patches(live: Screen) -> None:
    broken: list[dict[str, Any]] = [{"n": n, "ops": [[0, 0, "p", 1]]} for n in (0, -1, 1.5, None, "1", [1])]
    broken += [{"n": 1, "ops": ops} for ops in (None, 5, "ops", {"length": 1})]
    broken += [{"n": 1, "packed": ops} for ops in (5, [0, "x", "p"])]
    live.conversation(*(answer(message=f"a{i}") for i in range(len(broken))))
    for i, fields in enumerate(broken):
        live.post({"type": "patch", "message": f"a{i}", "seq": 1, **fields})
        assert live.intent("reset")["message"] == f"a{i}", fields
        live.patch(1, [0, 0, "p", 1], [1, 1, "whole"], message=f"a{i}", reset=True)
        expect(live.content(f"a{i}")).to_have_text("whole")


def test_numbers_without_holes(live: Screen) -> None:
    live.patch(1, [0, 0, "p", 1], [1, 1, "one "], seq=10)
    live.patch(1, [1, 1, "one again "])
    live.patch(2, [1, 1, "two "], seq=20)
    expect(live.content()).to_have_text("one two")
    live.patch(4, [1, 1, "four "])
    live.intent("reset")
    live.patch(5, [1, 1, "five "])
    expect(live.content()).to_have_text("one two")
    live.patch(5, [0, 0, "p", 1], [1, 1, "one two three four five"], seq=50, reset=True)
    expect(live.content()).to_have_text("one two three four five")
    expect(live.article()).to_have_attribute("data-seq", "50")
    live.patch(6, [1, 1, " six"], seq=60)
    expect(live.content()).to_have_text("one two three four five six")
    assert "reset" not in live.intents()


def test_patch_of_another_conversation_is_ignored(live: Screen) -> None:
    live.patch(1, [0, 0, "p", 1], [1, 1, "mine"], message="elsewhere")
    live.patch(1, [0, 0, "p", 1], [1, 1, "ours"])
    live.patch(1, [0, 0, "p", 1], [1, 1, "no"], message="u1")  # a person's turn is never parsed
    expect(live.content()).to_have_text("ours")
    expect(live.content("u1")).to_have_text("How do tides work?")
    assert "reset" not in live.intents()


def test_links_open_elsewhere(live: Screen) -> None:
    """Where each one says that it leads: tests/node/apply.test.js."""
    live.patch(1, *Ops().of(("p", ("a", {"href": "https://example.org/a"}, "words"))))
    link = live.content().locator("a")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("data-host", "example.org")


def test_images_are_a_choice(live: Screen) -> None:
    requests: list[str] = []
    live.page.on("request", lambda request: requests.append(request.url))
    live.patch(
        1,
        *Ops().of(("p", ("button", {"data-src": "http://127.0.0.1:1/pixel.png?secret"}, "A boat"))),
    )
    button = live.content().get_by_role("button", name="A boat")
    expect(button).to_have_attribute("title", "Image from 127.0.0.1:1, opens in a new tab")
    assert [url for url in requests if not url.startswith(live.site.url)] == []
    with live.context.expect_page() as opened:
        button.click()
    assert opened.value.evaluate("window.opener") is None


def test_selection_survives(live: Screen) -> None:
    ops = Ops()
    live.patch(1, *ops.of(("p", "Select this, please. ", ("em", "Then more")), ("p", "Another")))
    select = "node => getSelection().setBaseAndExtent(node.firstChild, 7, node.firstChild, 11)"
    paragraph = live.content().locator("p").first
    paragraph.evaluate(select)

    def selected() -> str:
        text: str = live.page.evaluate("getSelection().toString()")
        return text

    assert selected() == "this"
    live.patch(2, [1, 2, " and more"], [1, 1, " Tail."])
    live.patch(3, [4, 2, "*"])
    expect(paragraph).to_have_text("Select this, please. *Then more and more Tail.")
    assert selected() == "this"
    live.patch(4, [5, 1, "h2"])
    expect(live.content().locator("h2")).to_have_count(1)
    assert selected() == "this"
    live.patch(5, [7, 1], [1, 3, "!"])
    live.status("complete", tokens=9, seconds=3, rate=3)
    expect(live.article()).to_have_attribute("data-state", "complete")
    assert selected() == "this"


def test_text_nodes_keep_identity(live: Screen) -> None:
    live.patch(1, [0, 0, "p", 1], [1, 1, "a"])
    expect(live.content()).to_have_text("a")
    live.page.evaluate("window.node = document.querySelector('[data-part=content] p').firstChild")
    for n in range(2, 12):
        live.patch(n, [1, 1, "b"])
    expect(live.content()).to_have_text("abbbbbbbbbb")
    assert live.page.evaluate("document.querySelector('[data-part=content] p').firstChild === window.node")
    assert live.page.evaluate("document.querySelector('[data-part=content] p').childNodes.length") == 1


def test_directions(live: Screen) -> None:
    live.patch(1, *Ops().of(("p", "שלום"), ("ul", ("li", ("p", "مرحبا"))), ("pre", ("code", "x = 1"))))
    directions = live.page.evaluate(
        """[...document.querySelectorAll('article[data-message=a1] [data-part=content] > *')]
           .map(e => getComputedStyle(e).direction)"""
    )
    assert directions == ["rtl", "rtl", "ltr"]
