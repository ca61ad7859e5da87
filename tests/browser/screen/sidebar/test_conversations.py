"""The list: groups by day, the menu of an entry, a name in place, and a deletion that can be taken back."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.screen_support import STORE_JS, Ops, Screen, Site, answer, asked
from tests.browser.start.paint_support import many, painted

DAY = 24 * 3600 * 1000


def noon(days: int) -> int:
    """Noon of some days ago, local time, as epoch milliseconds: a little more or less than 24 hours change nothing."""
    now = time.localtime()
    today = time.mktime((now.tm_year, now.tm_mon, now.tm_mday, 12, 0, 0, 0, 0, -1))
    return round(today * 1000) - days * DAY


def item(id: str, title: str, days: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": id, "title": title, "updated": noon(days), "state": "complete", **more}


ITEMS = [
    item("c1", "Tides"),
    item("c2", "Moons", 1),
    item("c3", "Stars", 2, pinned=True),
    item("c4", "Winds", 400),
]


@pytest.fixture
def listing(screen: Screen) -> Screen:
    screen.goto("?c=c1").ready()
    screen.conversation(asked(), answer("complete"))
    screen.post({"type": "conversations", "items": ITEMS, "deleted": []})
    return screen


def entry(screen: Screen, id: str) -> Locator:
    return screen.page.locator(f"nav li:has([data-conversation={id}])")


def menu(screen: Screen, id: str) -> Locator:
    entry(screen, id).hover()
    entry(screen, id).locator("button[name=more]").click()
    return screen.page.get_by_role("menu")


def groups(screen: Screen) -> list[str]:
    found: list[str] = (
        screen.part("conversations")
        .locator("section")
        .evaluate_all("all => all.map(e => [...e.querySelectorAll('h2, a span')].map(x => x.textContent).join(' '))")
    )
    return found


GROUPED = ["Pinned Stars", "Today Tides", "Yesterday Moons", "Earlier Winds"]


def test_the_list_is_grouped_by_day(listing: Screen) -> None:
    assert groups(listing) == GROUPED
    headings = listing.page.get_by_role("navigation").get_by_role("heading")
    expect(headings).to_have_text(["Pinned", "Today", "Yesterday", "Earlier"])


def test_what_the_service_worker_prints_is_what_is_then_shown(browser: Browser) -> None:
    with painted(browser) as page:
        rows = [*many([[Ops().of(("p", "old"))]])]
        for one in ITEMS:
            kept = {key: one[key] for key in ("id", "title", "updated", "pinned") if key in one}
            rows.append(["conversations", kept | {"created": 1}])
        rows.append(["conversations", {"id": "c5", "title": "No", "updated": noon(0), "deleted": noon(0)}])
        page.store(rows).see("?c=c1")
        assert groups(page) == GROUPED
        page.part("conversations").evaluate("e => window.before = [...e.querySelectorAll('*')]")
        page.let_in().ready()
        page.post({"type": "conversations", "items": ITEMS, "deleted": []})
        expect(entry(page, "c1").locator("a")).to_have_attribute("aria-current", "page")
        assert groups(page) == GROUPED
        same = "e => [...e.querySelectorAll('section, h2, li, a, button')].every(x => before.includes(x))"
        assert page.part("conversations").evaluate(same)
        assert page.shifts() == []


def test_a_deleted_conversation_is_not_painted(screen: Screen) -> None:
    screen.goto("icons/icon.svg")
    rows = many([[Ops().of(("p", "gone"))]])
    rows[0][1]["deleted"] = 5
    screen.page.evaluate(STORE_JS, rows)
    screen.goto("?c=c1").ready()
    expect(screen.html).to_have_attribute("data-paint", "done")
    expect(screen.page.locator("article")).to_have_count(0)
    expect(screen.page.locator("nav [data-conversation]")).to_have_count(0)


def test_a_list_that_changes_keeps_the_focus(listing: Screen) -> None:
    link = listing.page.get_by_role("link", name="Moons")
    link.focus()
    moved = [item("c2", "Moons"), *(one for one in ITEMS if one["id"] != "c2")]
    listing.post({"type": "conversations", "items": moved, "deleted": []})
    assert groups(listing) == ["Pinned Stars", "Today Moons Tides", "Earlier Winds"]
    expect(link).to_be_focused()


def test_what_says_the_same_is_left_alone(listing: Screen) -> None:
    listing.part("conversations").evaluate(
        """list => {
          window.changed = [];
          new MutationObserver(records => changed.push(...records.map(({target}) => target.textContent)))
            .observe(list, {childList: true, subtree: true, characterData: true});
        }"""
    )
    live = [one | {"state": "streaming"} if one["id"] == "c2" else one for one in ITEMS]
    listing.post({"type": "conversations", "items": live, "deleted": []})
    expect(entry(listing, "c2").locator("a")).to_have_attribute("data-dot", "active")
    assert set(listing.page.evaluate("changed")) == {"Moons"}


def test_the_menu_by_keyboard(listing: Screen) -> None:
    page = listing.page
    page.get_by_role("link", name="Tides").focus()
    page.keyboard.press("Tab")
    more = page.get_by_role("button", name="Tides: more")
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menu", name="Tides: more")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Rename")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Pin")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_be_hidden()
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert listing.intent("pin") == {"type": "pin", "conversation": "c1", "on": True}


def test_pinned_is_unpinned(listing: Screen) -> None:
    menu(listing, "c3").get_by_role("menuitem", name="Unpin").click()
    assert listing.intent("pin") == {"type": "pin", "conversation": "c3", "on": False}


def test_what_only_the_server_has_can_be_deleted(listing: Screen) -> None:
    listing.post({"type": "conversations", "items": [item("c9", "Far", server=True)]})
    expect(menu(listing, "c9").get_by_role("menuitem")).to_have_text(["Delete"])


@pytest.mark.parametrize(
    ("name", "format"),
    [("Save as Markdown", "markdown"), ("Save as a web page", "html"), ("Save as JSON", "json")],
)
def test_one_conversation_is_saved(listing: Screen, name: str, format: str) -> None:
    menu(listing, "c2").get_by_role("menuitem", name=name).click()
    intent = listing.intent("export")
    assert (intent["conversation"], intent["format"]) == ("c2", format)
    assert intent["words"]["partial"] == "Not complete: {n} tokens"
    assert intent["words"]["user"] == "You"


@pytest.mark.parametrize("key", ["Enter", "blur"])
def test_a_conversation_is_renamed(listing: Screen, key: str) -> None:
    menu(listing, "c1").get_by_role("menuitem", name="Rename").click()
    field = listing.page.get_by_role("textbox", name="Name of the conversation")
    expect(field).to_be_focused()
    expect(field).to_have_value("Tides")
    listing.page.keyboard.type("Ebb & flow")  # it was selected
    # While it is being named, the list changes: nothing typed is lost.
    listing.post({"type": "conversations", "items": [item("c8", "New"), *ITEMS], "deleted": []})
    expect(entry(listing, "c8")).to_be_visible()  # else it might come after the name, and with the old one
    expect(field).to_be_focused()
    if key == "blur":
        listing.page.locator("textarea[name=prompt]").focus()
    else:
        field.press(key)
    wanted = {"type": "rename", "conversation": "c1", "title": "Ebb & flow"}
    assert listing.intent("rename") == wanted
    link = listing.page.get_by_role("link", name="Ebb & flow")
    expect(link).to_be_visible()
    if key == "Enter":
        expect(link).to_be_focused()
    expect(field).to_have_count(0)


@pytest.mark.parametrize("words", ["Other", "", "Tides"])
def test_a_name_that_is_not_changed_is_not_sent(listing: Screen, words: str) -> None:
    menu(listing, "c1").get_by_role("menuitem", name="Rename").click()
    field = listing.page.get_by_role("textbox", name="Name of the conversation")
    field.fill(words)
    field.press("Escape" if words == "Other" else "Enter")
    expect(listing.page.get_by_role("link", name="Tides")).to_be_focused()
    assert "rename" not in listing.intents()


def test_deleted_and_taken_back(listing: Screen) -> None:
    menu(listing, "c1").get_by_role("menuitem", name="Delete").click()
    assert listing.intent("delete") == {"type": "delete", "conversation": "c1"}
    listing.post(
        {"type": "conversation", "id": None, "title": "", "turns": []},
        {"type": "conversations", "items": ITEMS[1:], "deleted": [{"id": "c1", "title": "Tides"}]},
    )
    expect(listing.page.locator("article")).to_have_count(0)
    expect(listing.part("undo")).to_contain_text("“Tides” was deleted.")
    expect(listing.part("polite")).to_have_text("“Tides” was deleted.")
    expect(listing.page.get_by_role("link", name="Moons")).to_be_focused()
    listing.page.get_by_role("button", name="Undo").click()
    assert listing.intent("undelete") == {"type": "undelete", "conversation": "c1"}
    assert listing.intent("open")["conversation"] == "c1"  # it was shown
    listing.post({"type": "conversations", "items": ITEMS, "deleted": []})
    expect(listing.part("undo")).to_be_hidden()
    assert groups(listing) == GROUPED


def test_another_one_is_deleted_and_nothing_else_moves(listing: Screen) -> None:
    menu(listing, "c2").get_by_role("menuitem", name="Delete").click()
    listing.intent("delete")
    rest = [one for one in ITEMS if one["id"] != "c2"]
    listing.post({"type": "conversations", "items": rest, "deleted": [{"id": "c2", "title": ""}]})
    expect(listing.part("undo")).to_contain_text("“Untitled” was deleted.")
    expect(listing.page.locator("article")).to_have_count(2)
    listing.page.get_by_role("button", name="Undo").click()
    listing.intent("undelete")
    assert listing.page.url.endswith("?c=c1")


def test_a_draft_goes_with_its_conversation_and_not_before(listing: Screen) -> None:
    prompt = listing.page.locator("textarea[name=prompt]")
    prompt.fill("half a thought")
    draft = "JSON.parse(localStorage['midstream.draft']).texts.c1 ?? null"
    deleted = [{"id": "c1", "title": "Tides"}]
    listing.post({"type": "conversations", "items": ITEMS[1:], "deleted": deleted})
    expect(listing.part("undo")).to_be_visible()
    assert listing.page.evaluate(draft) == "half a thought"
    listing.post({"type": "conversations", "items": ITEMS[1:], "deleted": []})
    expect(listing.part("undo")).to_be_hidden()
    assert listing.page.evaluate(draft) is None


def test_on_a_phone_the_menu_stands_over_the_sheet(browser: Browser) -> None:
    site = Site()
    site.mock_engine()
    phone = Screen(browser, site, viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
    try:
        phone.goto("?c=c1").ready()
        phone.post({"type": "conversations", "items": ITEMS, "deleted": []})
        phone.page.locator("button[name=list]").tap()
        more = phone.page.get_by_role("button", name="Winds: more")
        box = more.bounding_box()
        assert box and min(box["width"], box["height"]) >= 44
        more.tap()
        expect(phone.page.get_by_role("menu")).to_be_visible()
        expect(phone.part("list")).to_be_visible()
        for each in phone.page.get_by_role("menuitem").all():
            size = each.bounding_box()
            if size:
                assert size["height"] >= 44
                assert size["x"] >= 0 and size["x"] + size["width"] <= 390
        phone.page.get_by_role("menuitem", name="Delete").tap()
        expect(phone.part("list")).to_be_hidden()  # the line with Undo is below it
        assert phone.intent("delete")["conversation"] == "c4"
    finally:
        phone.close()
        site.stop()
