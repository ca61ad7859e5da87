"""What would hold the page up stands folded: a question of a megabyte, an answer of very many blocks, a long thread."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.browser.screen_support import STORE_JS, Ops, Screen, answer, asked, saved_rows
from tests.browser.start.paint_support import many, painted

COLOURED = """new Promise((done) => {
  const look = () => [...CSS.highlights.values()].some(({size}) => size) ? done() : requestAnimationFrame(look);
  look();
})"""
LONG = "\n".join(f"line {n} of a long paste" for n in range(25_000))


def test_a_long_question(screen: Screen) -> None:
    screen.goto("?c=c1").ready()
    screen.conversation(asked(LONG), answer("complete"))
    content = screen.content("u1")
    expect(content).to_contain_text("line 19 of a long paste…")
    assert len(content.inner_text()) < 2500
    said = screen.article("u1").locator("[data-part=fold]")
    expect(said).to_contain_text(f"Characters in all: {len(LONG):,}.")
    button = said.get_by_role("button", name="Show all")
    expect(button).to_have_attribute("aria-expanded", "false")
    button.focus()
    screen.page.keyboard.press("Enter")
    expect(said.get_by_role("button", name="Show less")).to_be_focused()
    assert content.evaluate("e => e.textContent") == LONG
    screen.page.keyboard.press("Enter")
    assert len(content.inner_text()) < 2500
    # What is edited is all of it.
    screen.article("u1").get_by_role("button", name="Edit").click()
    assert screen.page.locator("textarea[name=edited]").input_value() == LONG


def test_a_long_answer_grows_by_portions(screen: Screen) -> None:
    screen.goto("?c=c1").ready()
    screen.conversation(asked(), answer())
    ops = Ops().of(("ul", *[("li", str(n)) for n in range(9000)]))
    screen.patch(1, *ops[:10_000])
    code = [[0, 0, "pre", 9501], [0, 9501, "code", 9502], [1, 9502, "int x"]]
    screen.patch(2, *ops[10_000:], [0, 0, "p", 9500], [1, 9500, "End"], *code)
    screen.post({"type": "colours", "message": "a1", "node": 9502, "kept": 0, "spans": [0, 0, 3]})
    screen.status("complete", tokens=9000)
    more = screen.article().get_by_role("button", name="Show all")
    expect(more).to_be_visible()
    assert 5000 < screen.content().locator("li").count() < 7000
    more.click()
    expect(more).to_be_hidden()
    expect(screen.content().locator("p")).to_have_text("End")
    assert screen.content().locator("li").count() == 9000
    screen.content().locator("pre").scroll_into_view_if_needed()
    screen.page.evaluate(COLOURED)  # by what had come before it was made


def test_a_long_thread_begins_with_its_end(screen: Screen) -> None:
    screen.goto("icons/icon.svg")
    screen.page.evaluate(STORE_JS, many([[[[0, 0, "p", 1], [1, 1, f"Answer {n}."]]] for n in range(320)]))
    screen.goto("?c=c1").ready()
    articles = screen.page.get_by_role("log").locator("article")
    expect(articles).to_have_count(600)
    expect(articles.last).to_have_attribute("aria-label", "Answer 320")
    said = screen.part("earlier")
    expect(said).to_contain_text("Earlier messages that are not shown: 40.")
    assert len(screen.intent("open")["painted"]) == 300
    # The engine has all of them, too.
    screen.conversation(
        *[each for n in range(1, 321) for each in (asked(message=f"u{n}"), answer("complete", f"a{n}"))]
    )
    screen.status("complete", "a320", tokens=7)
    expect(screen.line("a320")).to_have_text("7 tokens")
    expect(articles).to_have_count(600)
    screen.part("scroller").evaluate("e => (e.scrollTop = 0)")
    first = screen.article("u21")
    before = first.bounding_box()
    said.get_by_role("button", name="Show earlier messages").click()
    expect(articles).to_have_count(640)
    expect(said).to_be_hidden()
    expect(articles.nth(1)).to_have_attribute("aria-label", "Answer 1")
    after = first.bounding_box()
    assert before and after and abs(before["y"] - after["y"]) < 2
    assert len(screen.intent("open")["painted"]) == 320


def test_folded_as_the_service_worker_prints_it(browser: Browser) -> None:
    rows = saved_rows([[0, 0, "p", 1], [1, 1, "Text"]], state="complete")
    next(row for store, row in rows if store == "messages" and row["author"] == "user")["text"] = LONG
    with painted(browser) as page:
        page.store(rows).see()
        assert "line 19 of a long paste…" in page.content("u1").inner_text()
        assert len(page.page.content()) < 100_000
        page.page.evaluate("watchNodes()")
        page.let_in()
        assert page.page.evaluate("changed") == []  # the same nodes go on
        page.article("u1").get_by_role("button", name="Show all").click()
        assert page.content("u1").evaluate("e => e.textContent") == LONG
