"""First paint from what is stored: without Python, without a network, whatever the rows hold."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.screen_support import (
    HOLD_DATABASE,
    STORE_JS,
    Ops,
    Screen,
    Site,
    answer,
    asked,
    counts,
    saved_rows,
)

OPS = Ops()
FIRST = OPS.of(("h2", "Tides"), ("p", "Twice a day "))
SECOND = [[1, 2, "the sea rises."]]


def store(screen: Screen, rows: list[list[Any]]) -> None:
    """Writes rows as the engine does; the next load finds them."""
    screen.goto("icons/icon.svg")  # a page of the same origin that runs nothing
    screen.page.evaluate(STORE_JS, rows)


@pytest.fixture
def deaf(screen: Screen) -> Screen:
    """The engine's document never speaks."""
    screen.site.files["engine/engine.js"] = b""
    return screen


def test_painted_before_the_engine_answers(deaf: Screen) -> None:
    store(deaf, saved_rows(FIRST, SECOND))
    deaf.goto()
    expect(deaf.content()).to_have_text("TidesTwice a day the sea rises.")
    expect(deaf.html).to_have_attribute("data-engine", "booting")
    expect(deaf.content("u1")).to_have_text("How do tides work?")
    expect(deaf.article()).to_have_attribute("data-seq", "20")
    expect(deaf.article()).to_have_attribute("data-saved", "20")
    expect(deaf.article()).to_have_attribute("data-state", "catching-up")
    expect(deaf.line()).to_have_text("20 tokens saved here. Picking up the rest…")
    expect(deaf.page.get_by_role("link", name="Tides")).to_have_attribute("aria-current", "page")
    expect(deaf.page.get_by_role("heading", level=1)).to_have_text("Tides")
    assert deaf.page.evaluate("performance.getEntriesByName('midstream:painted').length") == 1


def test_the_engine_goes_on_where_the_paint_ends(screen: Screen) -> None:
    store(screen, saved_rows(FIRST, SECOND))
    screen.goto()
    assert screen.intent("open") == {"type": "open", "conversation": "c1", "painted": {"a1": 2}}
    screen.page.evaluate("window.was = document.querySelector('article[data-message=a1] p')")
    screen.ready()
    screen.conversation(asked(), answer("catching-up", seq=20, saved=20, tokens=20))
    screen.patch(1, *FIRST)  # what is painted is not painted again
    screen.patch(3, [1, 2, " And falls."], seq=30)
    expect(screen.content()).to_have_text("TidesTwice a day the sea rises. And falls.")
    assert screen.page.evaluate("document.querySelector('article[data-message=a1] p') === window.was")
    assert screen.page.evaluate("performance.getEntriesByName('midstream:live').length") == 1


def test_an_ended_answer(deaf: Screen) -> None:
    rows = saved_rows(FIRST, SECOND, state="complete")
    rows[2][1]["seconds"] = 4
    store(deaf, rows)
    deaf.goto("?c=c1")
    expect(deaf.line()).to_have_text("20 tokens, 4 s, 5/s")
    expect(deaf.article().get_by_role("button", name="Regenerate")).to_be_visible()


def test_nothing_stored_creates_no_database(screen: Screen) -> None:
    screen.goto()
    assert screen.intent("open") == {"type": "open", "conversation": None, "painted": {}}
    expect(screen.part("empty")).to_be_visible()
    assert screen.page.evaluate("indexedDB.databases()") == []
    assert screen.page.evaluate("performance.getEntriesByName('midstream:painted').length") == 0


def test_the_address_decides(deaf: Screen) -> None:
    other = [["conversations", {"id": "c2", "title": "Newer", "created": 5, "updated": 9}]]
    store(deaf, saved_rows(FIRST, state="complete") + other)
    deaf.goto("?c=c1")
    expect(deaf.content()).to_contain_text("Tides")
    deaf.goto("?c=unknown")
    expect(deaf.part("empty")).to_be_visible()
    deaf.goto("icons/icon.svg")
    deaf.page.evaluate("sessionStorage.clear(); localStorage.clear()")
    deaf.goto()
    expect(deaf.page.get_by_role("heading", level=1)).to_have_text("Newer")


def test_damaged_ops_are_fetched_anew(screen: Screen) -> None:
    """Every kind of damage: tests/node/stored_conversation.test.js."""
    rows = saved_rows(FIRST, SECOND)
    rows[-1][1].update({"ops": [[0, 0, "script", 9], [1, 9, "alert(1)"]]})
    store(screen, rows)
    screen.goto()
    expect(screen.content()).to_have_text("TidesTwice a day ")  # what could be read
    assert screen.intent("open")["painted"] == {}  # so the engine sends all of it
    assert screen.page.locator("script:not([src])").count() == 0
    screen.conversation(asked(), answer())
    screen.patch(2, *FIRST, *SECOND, reset=True)
    expect(screen.content()).to_have_text("TidesTwice a day the sea rises.")


def test_strange_records_do_not_stop_the_paint(screen: Screen) -> None:
    rows = saved_rows(FIRST)
    strange = {"conversation": "c1", "author": "assistant", "state": "complete"}
    rows += [
        ["messages", strange | {"id": "s2", "position": 0.5, "author": "root"}],
        [
            "messages",
            {
                "id": "s4",
                "conversation": "c1",
                "position": "x",
                "author": "user",
                "state": "complete",
            },
        ],
        [
            "messages",
            strange | {"id": "s3", "position": "y", "question": "s4", "error": "text", "seconds": "long"},
        ],
        [
            "messages",
            strange | {"id": "s1", "position": "z", "question": "s3", "state": "constructor"},
        ],
        ["conversations", {"id": "c7"}],
        ["journal", {"message": "s3", "n": 0.5, "ops": []}],
    ]
    store(screen, rows)
    screen.goto()
    expect(screen.content()).to_contain_text("Twice a day")
    ids = screen.page.evaluate("[...document.querySelectorAll('article')].map(a => a.dataset.message)")
    assert ids == ["u1", "a1", "s4", "s3"]
    screen.ready()


def test_a_foreign_database_of_our_name(screen: Screen) -> None:
    screen.goto("icons/icon.svg")
    screen.page.evaluate(
        """new Promise(resolve => {
             const request = indexedDB.open('midstream', 1);
             request.onupgradeneeded = () => request.result.createObjectStore('other');
             request.onsuccess = () => { request.result.close(); resolve(); };
           })"""
    )
    screen.goto().ready()
    expect(screen.part("notice")).to_contain_text("could not be read")


def test_switching_without_an_engine(deaf: Screen) -> None:
    other = {"conversation": "c2", "created": 1, "runs": [], "id": "u2", "position": 0}
    rows = saved_rows(FIRST, state="complete")
    rows += [
        ["conversations", {"id": "c2", "title": "Other", "created": 1, "updated": 1}],
        ["messages", other | {"author": "user", "text": "Another question", "state": "complete"}],
    ]
    store(deaf, rows)
    deaf.goto()
    deaf.page.get_by_role("link", name="Other").click()
    expect(deaf.content("u2")).to_have_text("Another question")
    expect(deaf.article()).to_have_count(0)
    assert deaf.page.url.endswith("?c=c2")
    deaf.page.go_back()
    expect(deaf.content()).to_contain_text("Twice a day")
    deaf.page.reload()
    expect(deaf.content()).to_contain_text("Twice a day")


def test_reading_position_is_kept(deaf: Screen) -> None:
    ops = Ops().of(*[("p", f"Paragraph {n}.") for n in range(120)])
    store(deaf, saved_rows(ops, state="complete"))
    deaf.goto()
    scroller = deaf.part("scroller")
    expect(deaf.content().locator("p")).to_have_count(120)
    scroller.evaluate("e => e.scrollTop = 600")
    expect(deaf.part("pill")).to_be_visible()
    deaf.page.reload()
    expect(deaf.content().locator("p")).to_have_count(120)
    assert scroller.evaluate("e => e.scrollTop") == 600


def test_a_prompt_the_engine_never_got_is_sent_again(screen: Screen) -> None:
    store(screen, saved_rows(FIRST, state="complete"))
    screen.goto()
    prompt = screen.page.get_by_role("textbox")
    prompt.fill("Why twice?")
    prompt.press("Enter")
    first = screen.intent("send")
    assert first["conversation"] == "c1" and first["text"] == "Why twice?"
    expect(screen.content(first["message"])).to_have_text("Why twice?")
    screen.page.reload()
    expect(screen.content(first["message"])).to_have_text("Why twice?")
    expect(screen.line(first["message"])).to_have_text("Sending…")
    assert screen.intent("send") == first
    screen.post({"type": "turn", "conversation": "c1", "turn": asked("Why twice?", first["message"])})
    expect(screen.line(first["message"])).to_be_empty()
    screen.page.reload()
    screen.intent("open")
    assert "send" not in screen.intents()


def test_saved_user_states(deaf: Screen) -> None:
    rows = saved_rows(state="queued")
    rows[1][1]["state"] = "queued"
    store(deaf, rows)
    deaf.goto()
    expect(deaf.article("u1")).to_have_attribute("data-state", "queued")
    expect(deaf.line("u1")).to_be_empty()  # said once, under the answer
    expect(deaf.line()).to_have_text("Waiting to send")
    expect(deaf.article().locator("button:visible")).to_have_text(["Edit", "Remove"])


def test_ready_without_painting_when_the_database_is_held(browser: Browser, screen_site: Site) -> None:
    """Another tab upgrades the database for ever: the app starts without what is stored."""
    context = browser.new_context()
    holder = context.new_page()
    holder.goto(screen_site.url + "icons/icon.svg")
    holder.evaluate(HOLD_DATABASE)
    screen = Screen(browser, screen_site, context)
    screen.goto().ready()
    screen.conversation(asked(), {"message": "a1", "author": "assistant", "status": counts("waiting")})
    expect(screen.line()).to_contain_text("Waiting for the model")
    context.close()
