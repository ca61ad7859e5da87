"""The applier: every op against the reference in midstream.patch, and every op that must not pass."""

from __future__ import annotations

import random
from typing import Any

import pytest
from playwright.sync_api import expect

from midstream import patch
from midstream.patch import SAFE, Node, Tree, units
from tests.browser.screen_support import Ops, Screen, answer, asked

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


def seen(node: Node | str) -> Any:
    if isinstance(node, str):
        return node
    return [node.tag, dict(node.attrs), *map(seen, node.children)]


def shown(screen: Screen) -> Any:
    return screen.content().evaluate(DOM_JS)


@pytest.fixture
def live(screen: Screen) -> Screen:
    screen.goto().ready()
    screen.conversation(asked(), answer())
    return screen


class Sequence:
    """A random run of valid ops on inline and block elements, by the reference tree's own state."""

    ATTRIBUTES = (
        ("ol", "start", "3"),
        ("ul", "data-tight", ""),
        ("td", "align", "right"),
        ("code", "data-language", "c"),
    )
    TAGS = sorted(set(SAFE) - {"input", "button", "br", "hr"})
    PIECES = ("a", "word ", "日本", "🌊🌊", "é", "x\n", "")

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.tree = Tree()
        self.next = 1

    def ops(self, count: int) -> list[list[Any]]:
        made: list[list[Any]] = []
        while len(made) < count:
            op = self._op()
            if op:
                self.tree.apply([op])
                made.append(op)
        return made

    def _open_nodes(self) -> list[Node]:
        return [node for node in self.tree.nodes.values() if not self._sealed(node)]

    def _sealed(self, node: Node | None) -> bool:
        return node is not None and (node.sealed or self._sealed(node.parent))

    def _holds_sealed(self, node: Node | str) -> bool:
        return isinstance(node, Node) and (
            node.sealed or any(map(self._holds_sealed, node.children))
        )

    def _op(self) -> list[Any] | None:
        node = self.random.choice(self._open_nodes())
        code = self.random.choices(range(8), weights=(30, 40, 5, 8, 6, 4, 3, 4))[0]
        last = node.children[-1] if node.children else None
        match code:
            case 0:
                self.next += 1
                return [0, node.id, self.random.choice(self.TAGS), self.next - 1]
            case 1:
                return [1, node.id, self.random.choice(self.PIECES)]
            case 2:
                for tag, name, value in self.ATTRIBUTES:
                    if node.tag == tag:
                        return [2, node.id, name, self.random.choice((value, None))]
            case 3 if isinstance(last, str):
                return [3, node.id, units(last if self.random.random() < 0.3 else last[-1])]
            case 4 if node.id:
                return [4, node.id, self.random.choice(self.PIECES)]
            case 5 if node.id and not node.attrs:
                return [5, node.id, self.random.choice(self.TAGS)]
            case 6:
                k = self.random.randint(0, len(node.children))
                if not any(self._holds_sealed(child) for child in node.children[k:]):
                    return [6, node.id, k]
            case 7 if node.id:
                return [7, node.id]
        return None


@pytest.mark.parametrize("seed", range(12))
def test_random_ops_give_the_reference_tree(live: Screen, seed: int) -> None:
    sequence = Sequence(seed)
    newest = 0
    for n in range(1, 7):
        ops = sequence.ops(40)
        # Half of the cases as the engine sends them, half as they are stored.
        fields = {"packed": patch.pack(ops, newest)} if seed % 2 else {"ops": ops}
        newest += patch.opened(ops)
        live.post({"type": "patch", "message": "a1", "n": n, "seq": n, **fields})
    expect(live.article()).to_have_attribute("data-seq", "6")
    assert shown(live) == [seen(child) for child in sequence.tree.root.children]


# Each one alone would be a hole in the vocabulary or a break of the tree.
BAD_OPS = [
    [0, 0, "script", 9],
    [0, 0, "SCRIPT", 9],
    [0, 0, "iframe", 9],
    [0, 0, "img", 9],
    [0, 0, "svg", 9],
    [0, 0, "constructor", 9],
    [0, 0, "__proto__", 9],
    [0, 0, None, 9],
    [0, 77, "p", 9],
    [0, 0, "p", 1],
    [0, 0, "p", "9"],
    [0, 0, "p", 1.5],
    [1, 77, "x"],
    [1, 1, None],
    [1, 1, {"x": 1}],
    [2, 1, "onclick", "alert(1)"],
    [2, 1, "style", "color:red"],
    [2, 1, "id", "engine"],
    [2, 1, "name", "send"],
    [2, 1, "class", "x"],
    [2, 1, "href", "https://example.org/"],
    [2, 1, "data-part", "composer"],
    [2, 1, "data-message", "u1"],
    [2, 0, "title", "x"],
    [3, 1, 999],
    [3, 1, -1],
    [3, 1, None],
    [4, 0, ""],
    [4, 77, ""],
    [4, 1, None],
    [5, 1, "script"],
    [5, 0, "p"],
    [6, 1, -1],
    [6, 1, None],
    [7, 0],
    [7, 77],
    [8, 1],
    [-1, 1],
    ["0", 0, "p", 9],
    [],
    None,
    "text",
    {"0": 0},
]


def test_bad_op_is_refused_and_costs_no_text(live: Screen) -> None:
    """One message per bad op, in one page: a page each would cost a minute."""
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
    broken: list[dict[str, Any]] = [
        {"n": n, "ops": [[0, 0, "p", 1]]} for n in (0, -1, 1.5, None, "1", [1])
    ]
    broken += [{"n": 1, "ops": ops} for ops in (None, 5, "ops", {"length": 1})]
    broken += [{"n": 1, "packed": ops} for ops in (5, "p", [0, 0], [9, 0], [0, "x", "p"], [None])]
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


REFUSED = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,<script>1</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:http://127.0.0.1/x",
    "//evil.example",
    "/v1/runs",
    "engine.html",
    "#engine",
    "http:evil.example",
    "https:/evil.example",
    "http://",
    "http://[bad",
    "https:\\\\evil.example",
    "",
]


def test_refused_addresses_leave_the_text(live: Screen) -> None:
    pairs = [
        ("p", ("a", {"href": url}, "link"), ("button", {"data-src": url}, "image"))
        for url in REFUSED
    ]
    live.patch(1, *Ops().of(*pairs))
    expect(live.content().locator("p")).to_have_text(["linkimage"] * len(REFUSED))
    assert (
        live.page.locator("[data-part=content] :is([href], [data-src], [data-host])").count() == 0
    )
    assert "reset" not in live.intents()


def test_links_say_where_they_lead(live: Screen) -> None:
    live.patch(
        1,
        *Ops().of(
            ("p", ("a", {"href": "https://example.org/a", "title": "t"}, "words")),
            ("p", ("a", {"href": "https://evil.example/a"}, "https://bank.example/login")),
            ("p", ("a", {"href": "https://bank.example@evil.example/"}, "bank.example")),
            ("p", ("a", {"href": "https://example.org/a"}, "https://example.org/a")),
            ("p", ("a", {"href": "https://evil.example/"}, "evil.example.bank.example")),
            ("p", ("a", {"href": "mailto:a@example.org"}, "write")),
        ),
    )
    links = live.content().locator("a")
    expect(links).to_have_count(6)
    for link in links.all():
        assert link.get_attribute("rel") == "noopener noreferrer"
        assert link.get_attribute("target") == "_blank"
    said = links.evaluate_all(
        "links => links.map(a => a.hasAttribute('data-plain') ? '' : a.dataset.host)"
    )
    assert said == [
        "example.org",
        "evil.example",
        "evil.example",
        "",
        "evil.example",
        "a@example.org",
    ]
    assert links.nth(2).get_attribute("href") == "https://evil.example/"


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
    assert live.page.evaluate(
        "document.querySelector('[data-part=content] p').firstChild === window.node"
    )
    assert (
        live.page.evaluate("document.querySelector('[data-part=content] p').childNodes.length") == 1
    )


def test_directions(live: Screen) -> None:
    live.patch(
        1, *Ops().of(("p", "שלום"), ("ul", ("li", ("p", "مرحبا"))), ("pre", ("code", "x = 1")))
    )
    directions = live.page.evaluate(
        """[...document.querySelectorAll('article[data-message=a1] [data-part=content] > *')]
           .map(e => getComputedStyle(e).direction)"""
    )
    assert directions == ["rtl", "rtl", "ltr"]
