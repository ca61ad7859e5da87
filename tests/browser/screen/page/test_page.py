"""The page around the answers: what malformed messages do (nothing), notices, marks, names and roles, touch targets."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.screen.answer.answer_states import NUMBERS
from tests.browser.screen_support import Ops, Screen, Site, answer, asked


@pytest.fixture
def live(screen: Screen) -> Screen:
    screen.goto().ready()
    screen.conversation(asked(), answer())
    screen.patch(1, *Ops().of(("p", "Some text.")))
    return screen


def test_malformed_statuses_change_nothing(live: Screen) -> None:
    live.status("streaming", **NUMBERS)
    expect(live.line()).to_have_text("214 tokens, 31/s, 7 s, saved to 214")
    live.post({"type": "status"})
    live.post({"type": "status", "message": "a1"})
    live.post({"type": "status", "message": "a1", "state": "toString"})
    live.post({"type": "status", "message": "a1", "state": ["complete"]})
    live.post({"type": "status", "message": {"a": 1}, "state": "complete"})
    live.post({"type": "turn"})
    live.post({"type": "turn", "conversation": "c1", "turn": None})
    live.post(
        {
            "type": "turn",
            "conversation": "c1",
            "turn": {"message": 5, "author": "user", "status": {}},
        }
    )
    live.post(
        {
            "type": "turn",
            "conversation": "c1",
            "turn": {"message": "x", "author": "system", "status": {"state": "complete"}},
        }
    )
    live.post({"type": "conversations", "items": [None, {"id": 5}, {"id": "c9", "title": 7}, "x"]})
    live.post({"type": "conversations", "items": "none"})
    live.post({"type": "connection", "state": "lost"})
    live.post({"type": "unheard-of"})
    live.post_raw("not json")
    live.post_raw('{"type": "hello"}')
    live.post_raw('[null, 5, "x", {"type": 5}, {"type": "__proto__"}, {"type": "connection", "state": "offline"}]')
    expect(live.html).to_have_attribute("data-connection", "offline")
    assert live.page.locator("article").count() == 2
    live.status("streaming", seq="12", saved=None, tokens=-5, seconds="x", rate=[], error="odd")
    expect(live.line()).to_have_text("0 tokens, 0 s, saved to 0")
    expect(live.content()).to_have_text("Some text.")
    live.problems[:] = [problem for problem in live.problems if "not JSON from the engine" not in problem]


def test_intents_of_the_buttons(live: Screen) -> None:
    live.status("complete", **NUMBERS)
    for name, intent in (("Save a copy", "save"), ("Regenerate", "regenerate")):
        live.article().get_by_role("button", name=name).click()
        assert live.intent(intent) == {"type": intent, "message": "a1"}
    live.status("failed", **NUMBERS)
    for name, intent in (("Try again", "retry"), ("Continue", "continue")):
        live.article().get_by_role("button", name=name).click()
        assert live.intent(intent) == {"type": intent, "message": "a1"}


def test_copy_and_save(browser: Browser, screen_site: Site) -> None:
    screen = Screen(browser, screen_site, permissions=["clipboard-read", "clipboard-write"])
    screen.goto().ready()
    screen.conversation(asked(), answer("complete", **NUMBERS))
    screen.patch(1, *Ops().of(("p", "Some ", ("strong", "text"))))
    screen.article().get_by_role("button", name="Copy", exact=True).click()
    screen.intent("copy")
    screen.post({"type": "clipboard", "text": "Some **text**"})
    expect(screen.part("notice")).to_contain_text("Copied")
    assert screen.page.evaluate("navigator.clipboard.readText()") == "Some **text**"
    with screen.page.expect_download() as download:
        screen.post(
            {
                "type": "download",
                "name": "answer.md",
                "mime": "text/markdown",
                "text": "Some **text**",
            }
        )
    assert download.value.suggested_filename == "answer.md"
    assert download.value.path().read_text() == "Some **text**"
    assert screen.problems == []
    screen.close()


def test_notices(live: Screen) -> None:
    notice = live.part("notice")
    live.post({"type": "notice", "code": "full", "level": "error", "detail": "quota"})
    expect(notice).to_contain_text("shown but not saved")
    live.page.get_by_role("button", name="Close").click()
    expect(notice).to_be_hidden()
    live.post({"type": "notice", "code": "made-up", "level": "info", "detail": "<b>text</b>"})
    expect(notice).to_contain_text("made-up: <b>text</b>")


def test_an_error_stands_until_it_is_closed(live: Screen) -> None:
    notice = live.part("notice")
    close = live.page.get_by_role("button", name="Close")
    for code, level in (("tab-only", "error"), ("unknown-conversation", "info")):
        live.post({"type": "notice", "code": code, "level": level, "detail": ""})
    expect(live.part("polite")).to_contain_text("not in this browser")  # it is spoken all the same
    expect(notice).to_contain_text("kept in this tab only")
    close.click()
    expect(notice).to_contain_text("not in this browser")
    close.click()
    expect(notice).to_be_hidden()
    for code in ("full", "damaged", "saved-again"):
        level = "info" if code == "saved-again" else "error"
        live.post({"type": "notice", "code": code, "level": level, "detail": "x"})
    expect(notice).to_contain_text("damaged")  # the storage that was full has room again
    close.click()
    expect(notice).to_contain_text("Saving works again")


def test_marks(screen: Screen) -> None:
    screen.goto().ready()
    marks = "names => names.map(name => performance.getEntriesByName(name).length)"
    names = ["midstream:painted", "midstream:engine", "midstream:live"]
    assert screen.page.evaluate(marks, names) == [0, 1, 0]
    screen.conversation(asked(), answer("complete"), answer("streaming", message="a2"))
    screen.patch(1, *Ops().of(("p", "old")))
    expect(screen.content()).to_have_text("old")
    assert screen.page.evaluate(marks, names) == [0, 1, 0]
    screen.patch(1, *Ops().of(("p", "new")), message="a2")
    screen.patch(2, [1, 1, "er"], message="a2")
    expect(screen.content("a2")).to_have_text("newer")
    assert screen.page.evaluate(marks, names) == [0, 1, 1]


def test_accessible_names_and_roles(live: Screen) -> None:
    live.post(
        {
            "type": "conversations",
            "items": [{"id": "c1", "title": "Tides", "state": "streaming", "updated": 1}],
        }
    )
    live.patch(
        2,
        *[
            [0, 0, "ul", 50],
            [0, 50, "li", 51],
            [0, 51, "input", 52],
            [2, 52, "checked", ""],
            [1, 51, "done"],
        ],
    )
    expect(live.page.get_by_role("checkbox", name="Done")).to_be_checked()
    unnamed = live.page.evaluate(
        """[...document.querySelectorAll('button, a, input, textarea, nav, article, [role=log], iframe')]
           .filter(e => !(e.ariaLabel || e.title || e.textContent.trim() || e.labels?.length)).map(e => e.outerHTML)"""
    )
    assert unnamed == []
    page = live.page
    expect(page.get_by_role("heading", level=1)).to_have_text("Tides")
    expect(page.get_by_role("article", name="Answer 1")).to_have_count(1)
    expect(page.get_by_role("article", name="You")).to_have_count(1)
    expect(page.get_by_role("navigation", name="Conversations").get_by_role("link")).to_have_text("Tides")
    expect(page.get_by_role("link", name="Tides")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("textbox", name="Your message")).to_be_visible()
    expect(page.get_by_role("group", name="Answer 1: actions")).to_be_visible()
    assert page.get_by_role("main").count() == 1


def test_touch_targets(browser: Browser, screen_site: Site) -> None:
    screen = Screen(browser, screen_site, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    screen.goto().ready()
    screen.conversation(asked(), answer("complete", **NUMBERS))
    screen.patch(1, *Ops().of(("p", "text ", ("button", {"data-src": "https://example.org/i.png"}, "image"))))
    expect(screen.content()).to_contain_text("text")
    small = screen.page.evaluate(
        """[...document.querySelectorAll('button, textarea')].filter(e => e.checkVisibility())
           .map(e => [e.name, e.getBoundingClientRect()]).filter(([, r]) => r.height < 44 || r.width < 44)
           .map(([name, r]) => [name, r.width, r.height])"""
    )
    assert small == []
    assert screen.page.evaluate("document.documentElement.scrollWidth") == 390
    screen.page.get_by_role("button", name="Conversations").click()
    expect(screen.page.get_by_role("button", name="New chat")).to_be_visible()
    screen.page.keyboard.press("Escape")
    expect(screen.page.get_by_role("button", name="New chat")).to_be_hidden()
    screen.close()


def test_on_plain_http_the_advice_is_one_that_helps(screen: Screen) -> None:
    screen.page.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false})")
    screen.goto().ready()
    screen.post({"type": "notice", "code": "tab-only", "level": "info", "detail": "No locks."})
    expect(screen.part("notice")).to_contain_text("Open the app with https, or as localhost")
    screen.page.get_by_role("button", name="Settings").click()
    expect(screen.part("usage").locator("p")).to_contain_text("there the browser keeps no history")
