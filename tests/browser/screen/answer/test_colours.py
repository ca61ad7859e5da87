"""Spans of colour on the screen: what is painted, and that nothing else changes by it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.screen_support import Screen, answer, asked

CODE = "def f():\n    return 1\n"
OPS: list[list[Any]] = [
    [0, 0, "p", 1],
    [1, 1, "Look:"],
    [7, 1],
    [0, 0, "pre", 2],
    [0, 2, "code", 3],
    [2, 3, "data-language", "python"],
    [1, 3, CODE],
]
PAINTED = """() => [...CSS.highlights].flatMap(([name, ranges]) => [...ranges].map(
  ({startContainer, startOffset, endOffset}) =>
    [name.slice(5), startContainer.data.slice(startOffset, endOffset)]))"""


@pytest.fixture
def live(screen: Screen) -> Screen:
    screen.goto().ready()
    screen.conversation(asked(), answer())
    screen.patch(1, *OPS)
    expect(screen.content().locator("code")).to_have_text(CODE)
    expect(screen.part("transcript")).to_have_attribute("data-settled", "")  # the last to change
    return screen


def colours(live: Screen, spans: Any, kept: Any = 0, node: Any = 3) -> None:
    live.post({"type": "colours", "message": "a1", "node": node, "kept": kept, "spans": spans})


def painted(live: Screen, *wanted: list[str]) -> None:
    """Waits until just this is painted."""
    live.page.evaluate(
        f"""async (wanted) => {{
          let shown = '';
          for (let left = 600; left > 0; left--) {{
            shown = JSON.stringify(({PAINTED})().toSorted());
            if (shown === JSON.stringify(wanted)) return;
            await new Promise(requestAnimationFrame);
          }}
          throw new Error(`painted: ${{shown}}`);
        }}""",
        sorted(wanted),
    )


def test_spans_are_painted_and_replaced_from_a_place_on(live: Screen) -> None:
    colours(live, [0, 0, 3, 1, 4, 5])
    painted(live, ["keyword", "def"], ["name", "f"])
    colours(live, [0, 13, 19, 3, 20, 21], kept=1)
    painted(live, ["keyword", "def"], ["keyword", "return"], ["number", "1"])
    colours(live, [])
    painted(live)


def test_colours_of_a_closed_block_and_after_more_text(live: Screen) -> None:
    live.patch(2, [7, 2], [0, 0, "p", 4], [1, 4, "Done."])
    expect(live.content()).to_contain_text("Done.")
    colours(live, [0, 0, 3])
    painted(live, ["keyword", "def"])


def test_a_selection_stays_and_no_node_changes(live: Screen) -> None:
    live.page.evaluate(
        """() => {
          window.text = document.querySelector('pre code').firstChild;
          window.changed = 0;
          new MutationObserver(list => (changed += list.length)).observe(
            document.querySelector('[data-part=transcript]'),
            {childList: true, subtree: true, characterData: true, attributes: true});
          getSelection().setBaseAndExtent(text, 4, text, 12);
        }"""
    )
    colours(live, [0, 0, 3, 0, 13, 19])
    painted(live, ["keyword", "def"], ["keyword", "return"])
    assert live.page.evaluate("getSelection().toString()") == CODE[4:12]
    assert live.page.evaluate("[changed, document.querySelector('pre code').firstChild === text]") == [
        0,
        True,
    ]


@pytest.mark.parametrize(
    ("spans", "kept", "node"),
    [
        ([0, 0], 0, 3),
        ([9, 0, 3], 0, 3),
        ([0, -1, 3], 0, 3),
        ([0, 0, "3"], 0, 3),
        ("no", 0, 3),
        ([0, 0, 3], "1", 3),
        ([0, 0, 3], 0, 99),
        ([0, 0, 3], 0, 1),  # a paragraph
    ],
)
def test_what_cannot_be_meant_is_left_out(live: Screen, spans: Any, kept: Any, node: Any) -> None:
    colours(live, spans, kept, node)
    colours(live, [1, 4, 5])
    painted(live, ["name", "f"])


def test_only_what_is_near_is_painted(live: Screen) -> None:
    live.patch(2, *[op for n in range(10, 200) for op in ([0, 0, "p", n], [1, n, "More."])])
    colours(live, [0, 0, 3])
    live.part("scroller").evaluate("e => (e.scrollTop = 0)")
    painted(live, ["keyword", "def"])
    live.part("scroller").evaluate("e => (e.scrollTop = e.scrollHeight)")
    painted(live)
    live.part("scroller").evaluate("e => (e.scrollTop = 0)")
    painted(live, ["keyword", "def"])


def test_a_reset_takes_the_colours_with_it(live: Screen) -> None:
    colours(live, [0, 0, 3])
    painted(live, ["keyword", "def"])
    live.patch(2, [0, 0, "p", 1], [1, 1, "Other."], reset=True)
    painted(live)


def test_a_browser_without_highlights_shows_plain_text(screen: Screen) -> None:
    screen.page.add_init_script("delete window.Highlight; delete CSS.highlights")
    screen.goto().ready()
    screen.conversation(asked(), answer())
    screen.patch(1, *OPS)
    screen.post({"type": "colours", "message": "a1", "node": 3, "kept": 0, "spans": [0, 0, 3]})
    screen.patch(2, [1, 3, "more"])
    expect(screen.content().locator("code")).to_have_text(CODE + "more")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_can_be_read(screen: Screen, scheme: Any) -> None:
    screen.page.emulate_media(color_scheme=scheme)
    screen.goto().ready()
    screen.conversation(asked(), answer())
    screen.patch(1, *OPS)
    expect(screen.content().locator("code")).to_have_text(CODE)
    ratios = (
        screen.content()
        .locator("pre")
        .evaluate(
            """(pre) => {
          const luminance = (colour) => colour.match(/[0-9.]+/g).slice(0, 3).map(Number)
            .map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
          const back = luminance(getComputedStyle(pre).backgroundColor);
          return [...CSS.highlights.keys()].map((name) => {
            const fore = luminance(getComputedStyle(pre.querySelector('code'), `::highlight(${name})`).color);
            return [name, (Math.max(back, fore) + 0.05) / (Math.min(back, fore) + 0.05)];
          });
        }"""
        )
    )
    assert len(ratios) == 8
    assert [(name, ratio) for name, ratio in ratios if ratio < 4.5] == []
    assert len({round(ratio, 4) for _, ratio in ratios}) > 4  # they are not all the plain text's
