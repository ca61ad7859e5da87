"""The settings: colours, language, what is read out."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.screen_support import Ops, Screen, Site, answer, asked, saved_rows
from tests.browser.start.paint_support import painted
from tests.browser.together import WEB

BACKGROUND = "getComputedStyle(document.documentElement).backgroundColor"
LIGHT, DARK = "rgb(252, 252, 250)", "rgb(19, 25, 27)"
# A database of the second version, in which the engine has stored a language.
CHOOSE = """
async language => {
  const database = await new Promise(done => {
    const request = indexedDB.open('midstream', 2);
    request.onupgradeneeded = () => request.result.createObjectStore('settings', { keyPath: 'id' });
    request.onsuccess = () => done(request.result);
  });
  const transaction = database.transaction('settings', 'readwrite');
  transaction.objectStore('settings').put({ id: 'language', language });
  await new Promise(done => (transaction.oncomplete = done));
  database.close();
}
"""

KEEP = "choices => localStorage.setItem('midstream.preferences', JSON.stringify(choices))"
FROM_THE_RIGHT = """
new MutationObserver(() => {
  if (document.documentElement) document.documentElement.dir = 'rtl';
}).observe(document, {childList: true});
"""


def choose(screen: Screen, name: str, value: str) -> None:
    screen.page.get_by_role("button", name=re.compile("Settings|Ustawienia|Настройки")).click()
    screen.page.select_option(f"select[name={name}]", value)


def words(language: str) -> dict[str, str]:
    catalogue: dict[str, str] = json.loads((WEB / "i18n" / f"{language}.json").read_text())
    return catalogue


def test_the_colours_hold_at_once_and_in_the_first_frame_of_a_reload(screen: Screen) -> None:
    screen.goto().ready()
    assert screen.page.evaluate(BACKGROUND) == LIGHT
    choose(screen, "theme", "dark")
    assert screen.page.evaluate(BACKGROUND) == DARK
    screen.page.route("**/main.js", lambda route: route.abort())
    screen.page.reload()
    assert screen.page.evaluate(BACKGROUND) == DARK
    screen.problems.clear()  # the script that was taken away


def test_a_light_page_on_a_dark_system(browser: Browser, screen_site: Site) -> None:
    screen = Screen(browser, screen_site, color_scheme="dark")
    screen.goto().ready()
    assert screen.page.evaluate(BACKGROUND) == DARK
    choose(screen, "theme", "light")
    assert screen.page.evaluate(BACKGROUND) == LIGHT
    screen.close()


# Every word of ours that a person sees or hears, wherever it stands. What was spoken already stays as it was.
WORDS = """() => {
  const found = [document.title, document.documentElement.lang];
  for (const each of document.querySelectorAll('*')) {
    if (each.closest('[data-part=polite], [data-part=assertive], [data-part=reading], script, noscript')) continue;
    for (const {name, value} of each.attributes)
      if (/^(aria-(label|description)|title|placeholder|alt|data-caption)$/.test(name)) found.push(`${name}=${value}`);
    for (const node of each.childNodes) if (node.nodeType === 3 && node.data.trim()) found.push(node.data.trim());
  }
  return found;
}"""


def filled(screen: Screen) -> Screen:
    """A page that shows as much as possible at once, with an answer under way."""
    screen.goto("?c=c1").ready()
    mine = {"name": "Home", "url": "https://a.b/v1", "model": "", "own": True}
    here = {"id": "c1", "title": "", "state": "streaming", "updated": 2}
    there = {"id": "c2", "title": "x", "state": "finished", "updated": 1, "server": True}
    gone = {"id": "c3", "title": "", "state": "", "updated": 1}
    screen.post(
        {"type": "endpoint", "name": "Home", "kind": "openai", "model": "m", "note": "", "about": "tiny"},
        {"type": "endpoints", "items": [mine], "chosen": "Home"},
        {"type": "conversations", "items": [here, there], "deleted": [gone]},
    )
    question = asked("line\n" * 100) | {"versions": [1, 2]}
    screen.conversation(question, answer("interrupted", "a0", tokens=5), asked(message="u2"), answer(), title="")
    ops = Ops().of(
        ("pre", ("code", {"data-language": "python"}, "x")),
        ("table", ("tbody", ("tr", ("td", "x")))),
        ("p", ("button", {"data-src": "https://pictures.example/a.png"}, "x"), ("input", {"checked": ""}), ("input",)),
    )
    screen.patch(1, *ops)
    screen.status("streaming", seq=1, saved=1, tokens=22, seconds=2, rate=11)
    screen.post({"type": "source", "message": "a0", "n": 0, "text": "x"})
    screen.post({"type": "notice", "code": "full", "level": "error"})
    screen.aside(type="shell", state="installing", done=1, total=2, bytes=1, size=2)
    screen.article("u1").locator("button[name=edit]").click()
    screen.page.locator("input[name=search]").fill("x")
    screen.post({"type": "found", "n": 1, "items": [{"id": "c1"}], "more": False, "done": True})
    expect(screen.part("found").locator("li")).to_have_count(1)
    expect(screen.line()).to_contain_text("22")
    return screen


@pytest.mark.parametrize("language", ["pl", "ru"])
def test_another_language_is_there_at_once_and_nothing_begins_again(
    browser: Browser, screen_site: Site, language: str
) -> None:
    """Every word on the page is the one that a page has that was loaded in that language."""
    screen = filled(Screen(browser, screen_site, locale="en"))
    screen.page.evaluate("window.same = true; node = document.querySelector('[data-message=a1] code').firstChild")
    screen.page.locator("textarea[name=prompt]").fill("a draft")
    screen.page.keyboard.press("Control+,")
    chosen = screen.page.locator("select[name=language]")
    chosen.focus()
    chosen.select_option(language)
    assert screen.intent("prefer")["language"] == language
    screen.post({"type": "preferred"})
    expect(screen.html).to_have_attribute("lang", language)
    expect(chosen).to_be_focused()
    screen.patch(2, [1, 2, "yz"])  # of the answer under way
    expect(screen.content().locator("code")).to_have_text("xyz")
    assert screen.page.evaluate("same && node === document.querySelector('[data-message=a1] code').firstChild")
    expect(screen.page.locator("textarea[name=prompt]")).to_have_value("a draft")
    other = filled(Screen(browser, screen_site, locale=language))
    other.patch(2, [1, 2, "yz"])
    other.page.locator("textarea[name=prompt]").fill("a draft")
    other.page.keyboard.press("Control+,")
    expect(other.page.locator("select[name=language] option").first).to_be_attached()
    assert screen.page.evaluate(WORDS) == other.page.evaluate(WORDS)
    for each in (screen, other):
        assert each.problems == []
        each.close()


def test_a_language_that_cannot_be_loaded_changes_nothing(screen: Screen, screen_site: Site) -> None:
    screen.goto().ready()
    screen_site.files["i18n/ru.json"] = None
    choose(screen, "language", "ru")
    expect(screen.part("notice")).to_contain_text("could not be loaded")
    expect(screen.html).to_have_attribute("lang", "en")
    expect(screen.page.locator("#settings")).to_have_text("Settings")
    screen.problems.clear()  # the missing file
    del screen_site.files["i18n/ru.json"]
    screen.page.select_option("select[name=language]", "system")
    screen.page.select_option("select[name=language]", "ru")
    expect(screen.page.locator("#settings")).to_have_text("Настройки")


def test_the_language_of_the_browser_is_the_first_choice(browser: Browser, screen_site: Site) -> None:
    for locale, language in (("ru-RU", "ru"), ("pl", "pl"), ("de-DE", "en")):
        screen = Screen(browser, screen_site, locale=locale)
        screen.goto()
        expect(screen.html).to_have_attribute("lang", language)
        expect(screen.page.locator("textarea")).to_have_attribute("placeholder", words(language)["label.placeholder"])
        screen.close()


def test_the_service_worker_prints_the_page_in_the_chosen_language(browser: Browser) -> None:
    with painted(browser) as page:
        page.store(saved_rows(Ops().of(("p", "Twice a day")), state="stopped"))
        page.page.evaluate(CHOOSE, "pl")
        page.page.evaluate(KEEP, {"language": "pl"})
        page.see()
        pl = words("pl")
        expect(page.line()).to_have_text(pl["status.stopped"].replace("{n}", "10"))
        expect(page.page.locator("textarea")).to_have_attribute("placeholder", pl["label.placeholder"])
        expect(page.page.locator("button[name=new]")).to_have_text(pl["button.new"])
        expect(page.page.locator("button[name=list]")).to_have_attribute("aria-label", pl["label.list"])


# What is read out


def read(page: Page) -> list[str]:
    return page.locator("[data-part=reading] p").all_text_contents()


@pytest.mark.parametrize("choice", ["states", "whole", "paragraphs"])
def test_the_text_is_read_out_as_it_was_chosen(screen: Screen, choice: str) -> None:
    screen.page.add_init_script(
        f"localStorage.setItem('midstream.preferences', JSON.stringify({{announce: '{choice}'}}))"
    )
    screen.goto().ready()
    screen.conversation(asked(), answer("streaming"))
    ops = Ops()
    screen.patch(1, *ops.of(("p", "Twice a day.")))
    screen.patch(2, *ops.of(("p", "The moon")))
    expect(screen.content().locator("p")).to_have_count(2)
    assert read(screen.page) == (["Twice a day."] if choice == "paragraphs" else [])
    screen.patch(3, [1, 2, " pulls."])
    screen.status("complete", tokens=6)
    expect(screen.article()).to_have_attribute("data-state", "complete")
    assert read(screen.page) == ([] if choice == "states" else ["Twice a day.", "The moon pulls."])


def test_an_answer_that_was_there_before_is_not_read_out(screen: Screen) -> None:
    screen.page.add_init_script("localStorage.setItem('midstream.preferences', JSON.stringify({announce: 'whole'}))")
    screen.goto().ready()
    screen.conversation(asked(), answer("complete", tokens=3))
    screen.patch(1, *Ops().of(("p", "Twice a day.")))
    expect(screen.content()).to_have_text("Twice a day.")
    assert read(screen.page) == []


def test_a_choice_that_is_not_known_is_the_default(screen: Screen) -> None:
    screen.page.add_init_script(
        """localStorage.setItem('midstream.preferences', '{"theme": "pink", "language": 7, "announce": null}')"""
    )
    screen.goto().ready()
    assert screen.page.evaluate(BACKGROUND) == LIGHT
    expect(screen.html).to_have_attribute("lang", "en")
    screen.page.get_by_role("button", name="Settings").click()
    for name, value in (("theme", "system"), ("language", "system"), ("announce", "states")):
        expect(screen.page.locator(f"select[name={name}]")).to_have_value(value)


def test_settings_in_print_and_right_to_left(browser: Browser, screen_site: Site) -> None:
    """Nothing sticks out of a narrow page that is read from the right."""
    screen = Screen(browser, screen_site, viewport={"width": 360, "height": 640})
    screen.page.add_init_script(FROM_THE_RIGHT)
    screen.goto().ready()
    screen.conversation(asked("שלום"), answer("complete", tokens=3))
    expect(screen.html).to_have_attribute("dir", "rtl")
    screen.page.keyboard.press("Control+,")
    expect(screen.part("settings")).to_be_visible()
    for selector in ("html", "dialog[data-part=settings]"):
        assert screen.page.locator(selector).evaluate("e => e.scrollWidth <= e.clientWidth"), selector
    screen.close()
