"""Words from right to left on a page from left to right: blocks follow their words, the page and code do not."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.screen_support import Ops, Screen, answer, asked

ARABIC = "المدّ والجزر"
ANSWER = (
    ("h2", ARABIC),
    ("p", "An English paragraph."),
    ("ul", ("li", ARABIC)),
    ("table", ("tbody", ("tr", ("td", ARABIC), ("td", "12")))),
    ("pre", ("code", {"data-language": "python"}, "# שלום\nprint(1)")),
    ("p", "يجذب ", ("code", "قمر(1)")),
)
EDGES = "e => { const {left, right} = e.getBoundingClientRect(); return [Math.round(left), Math.round(right)]; }"


@pytest.fixture
def mixed(screen: Screen) -> Screen:
    screen.goto().ready()
    screen.conversation(
        asked(ARABIC),
        answer("complete", tokens=9),
        asked("And in English?", "u2"),
        answer("complete", "a2", tokens=9),
        title=ARABIC,
    )
    screen.patch(1, *Ops().of(*ANSWER))
    expect(screen.content().locator("pre")).to_be_visible()
    return screen


def edges(screen: Screen, selector: str) -> tuple[int, int]:
    left, right = screen.page.locator(selector).first.evaluate(EDGES)
    return left, right


def direction(screen: Screen, selector: str) -> str:
    script = "e => getComputedStyle(e).direction"
    found: str = screen.content().locator(selector).first.evaluate(script)
    return found


def test_a_question_stays_on_its_side(mixed: Screen) -> None:
    column = edges(mixed, "[data-part=transcript]")[1]
    for message in ("u1", "u2"):
        left, right = edges(mixed, f"[data-message={message}] [data-part=content]")
        assert right == column
        assert left > edges(mixed, "[data-part=transcript]")[0]


def test_a_title_stays_at_its_beginning(mixed: Screen) -> None:
    title, top = edges(mixed, "[data-part=title]"), edges(mixed, "[data-part=top]")
    assert title[0] - top[0] < 80 < top[1] - title[1]


def test_blocks_follow_their_words(mixed: Screen) -> None:
    assert [direction(mixed, tag) for tag in ("h2", "p", "ul", "table")] == [
        "rtl",
        "ltr",
        "rtl",
        "rtl",
    ]


def test_a_table_stands_where_its_reading_begins(mixed: Screen) -> None:
    content = edges(mixed, "[data-message=a1] [data-part=content]")
    table = edges(mixed, "[data-message=a1] table")
    assert table[1] == content[1]
    assert table[0] > content[0]
    first, second = (edges(mixed, f"[data-message=a1] td:nth-child({n})") for n in (1, 2))
    assert first[0] >= second[1]


def test_code_is_read_from_left_to_right(mixed: Screen) -> None:
    assert [direction(mixed, tag) for tag in ("pre", "pre > code", "p > code")] == ["ltr"] * 3
    pre = edges(mixed, "[data-message=a1] pre")
    assert edges(mixed, "[data-message=a1] button[data-do=wrap]")[1] > (pre[0] + pre[1]) / 2
