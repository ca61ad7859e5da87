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


@pytest.mark.parametrize("language", ["pl", "ru"])
def test_another_language_is_there_after_the_reload_that_follows(screen: Screen, language: str) -> None:
    screen.goto().ready()
    choose(screen, "language", language)
    assert screen.intent("prefer")["language"] == language
    with screen.page.expect_navigation():
        screen.post({"type": "preferred"})
    screen.ready()
    expect(screen.html).to_have_attribute("lang", language)
    expect(screen.page.locator("button[name=new]")).to_have_text(words(language)["button.new"])
    screen.conversation(asked(), answer("complete", tokens=22, seconds=2, rate=11))
    plural = {"pl": "22 tokeny", "ru": "22 токена"}[language]
    expect(screen.line()).to_contain_text(plural)
    assert not re.search(r"\b[a-z]+\.[a-z]+\b", screen.page.locator("body").inner_text())


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
