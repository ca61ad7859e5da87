"""Choosing who answers: the settings of the screen, and a key that goes to its endpoint only."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.screen_support import Screen, Site
from tests.support.processes import Replay, serve
from tests.support.servers.answering import server
from tests.support.servers.scripted import Scripted

GIVEN = {"name": "Gateway", "url": "", "model": "", "own": False}
MINE = {
    "name": "Mine",
    "url": "https://mine.test/v1",
    "model": "m",
    "own": True,
    "key": "…0042",
    "keep": "session",
}
KEPT = "JSON.parse(sessionStorage.getItem('midstream.keys'))"


@pytest.fixture
def desk(screen: Screen) -> Screen:
    """The settings are open, with a form for another endpoint."""
    screen.goto().ready()
    screen.post({"type": "endpoints", "items": [GIVEN], "chosen": "Gateway"})
    screen.page.get_by_role("button", name="Settings").click()
    screen.page.get_by_text("Add an endpoint").click()
    return screen


def fill(desk: Screen, **values: str) -> None:
    for name, value in values.items():
        desk.page.locator(f"input[name=endpoint-{name}]").fill(value)


def said(desk: Screen) -> str:
    return desk.part("tested").inner_text()


def test_a_preset_and_a_key_for_this_tab(desk: Screen) -> None:
    desk.page.select_option("select[name=preset]", "OpenRouter")
    expect(desk.page.locator("input[name=endpoint-url]")).to_have_value("https://openrouter.ai/api/v1")
    fill(desk, key="sk-secret")
    desk.page.locator("input[name=endpoint-key]").press("Enter")
    sent = desk.intent("endpoint-add")
    assert sent["endpoint"] == {
        "name": "OpenRouter",
        "url": "https://openrouter.ai/api/v1",
        "model": "",
        "kind": "openai",
    }
    assert (sent["key"], sent["keep"]) == ("sk-secret", "session")
    assert desk.page.evaluate(KEPT) == {"https://openrouter.ai/api/v1": "sk-secret"}
    expect(desk.page.locator("input[name=endpoint-key]")).to_have_value("")
    expect(desk.part("tested")).to_contain_text("OpenRouter was added")
    desk.page.reload()
    assert desk.intent("keys")["keys"] == {"https://openrouter.ai/api/v1": "sk-secret"}


def test_a_key_for_the_device_is_not_kept_in_the_tab(desk: Screen) -> None:
    fill(desk, url="https://mine.test/v1/", key="sk-secret", name="Mine")
    desk.page.select_option("select[name=keep]", "device")
    desk.page.get_by_role("button", name="Add", exact=True).click()
    sent = desk.intent("endpoint-add")
    assert (sent["endpoint"]["url"], sent["keep"]) == ("https://mine.test/v1", "device")
    assert desk.page.evaluate(KEPT) == {}


def test_the_list_chooses_and_removes(desk: Screen) -> None:
    desk.page.evaluate("sessionStorage.setItem('midstream.keys', '{\"https://mine.test/v1\": \"sk\"}')")
    desk.post({"type": "endpoints", "items": [GIVEN, MINE], "chosen": "Mine"})
    expect(desk.page.locator("select[name=endpoint]")).to_have_value("Mine")
    row = desk.part("own").locator("li")
    expect(row).to_contain_text("https://mine.test/v1 · m · key …0042, in this tab")
    desk.page.select_option("select[name=endpoint]", "Gateway")
    assert desk.intent("endpoint-choose")["name"] == "Gateway"
    row.get_by_role("button", name="Remove Mine").click()
    assert desk.intent("endpoint-remove")["name"] == "Mine"
    assert desk.page.evaluate(KEPT) == {}


def test_what_a_test_has_found_is_said(desk: Screen) -> None:
    fill(desk, url="http://127.0.0.1:11434/v1", model="huge")
    button = desk.page.get_by_role("button", name="Test", exact=True)
    button.click()
    first = desk.intent("endpoint-test")
    expect(desk.part("tested")).to_have_text("Loading the list of models…")
    button.click()
    second = desk.intent("endpoint-test")
    base = {"type": "tested", "host": "127.0.0.1:11434", "detail": "", "models": []}
    desk.post(base | {"test": first["test"], "code": "cors"})  # of the test before: no longer asked for
    models = ["small", "large"]
    desk.post(base | {"test": second["test"], "code": "model", "detail": "huge", "models": models})
    expect(desk.part("tested")).to_contain_text("has no model “huge”. It offers 2")
    assert desk.page.locator("datalist option").count() == 2
    words = json.loads((Path(__file__).parents[4] / "web/i18n/en.json").read_text())
    codes = [key.removeprefix("settings.test.") for key in words if key.startswith("settings.test.")]
    source = (Path(__file__).parents[4] / "py/midstream/engine/endpoints/probe.py").read_text()
    assert set(codes) == set(re.findall(r"^    (\w+) {2,}\S", source, re.M)) | {"ok", "open"}
    for code in codes:
        desk.post(base | {"test": second["test"], "code": code, "detail": "401: no"})
        expect(desk.part("tested")).not_to_contain_text("{")
        expect(desk.part("tested")).not_to_contain_text("settings.")


def test_a_text_that_is_no_address_is_not_added(desk: Screen) -> None:
    fill(desk, url="my server")
    desk.page.get_by_role("button", name="Add", exact=True).click()
    expect(desk.part("tested")).to_contain_text("“my server” is not the address")
    expect(desk.part("settings")).to_be_visible()
    assert "endpoint-add" not in desk.intents()


def test_where_nothing_can_be_stored_that_is_said(browser: Browser, screen_site: Site) -> None:
    screen = Screen(browser, screen_site)
    screen.page.add_init_script("Storage.prototype.setItem = () => { throw new Error('denied'); }")
    screen.goto().ready()
    screen.page.get_by_role("button", name="Settings").click()
    screen.page.select_option("select[name=theme]", "dark")
    expect(screen.part("notice")).to_contain_text("cannot save the setting")
    expect(screen.html).to_have_attribute("data-theme", "dark")
    screen.close()


def test_how_much_is_stored_is_said(desk: Screen) -> None:
    expect(desk.part("usage")).to_contain_text(re.compile(r"[\d.,]+ MB of [\d.,]+ MB used"))
    expect(desk.part("usage")).to_contain_text("The browser may delete your data when storage runs low")
    expect(desk.page.get_by_role("button", name="Protect your data")).to_be_visible()


def test_all_conversations_are_deleted_on_the_second_press(desk: Screen) -> None:
    button = desk.page.locator("button[name=delete-all]")
    button.click()
    expect(button).to_contain_text("Press again")
    desk.page.keyboard.press("Escape")
    desk.page.keyboard.press("Control+,")
    expect(button).to_have_text("Delete all conversations")  # another day
    assert "delete-all" not in desk.intents()
    button.click()
    button.click()
    desk.intent("delete-all")
    expect(desk.part("settings")).to_be_hidden()


def test_an_answer_of_an_endpoint_of_one_s_own(page: Page, upstream: Replay, dist: Path, tmp_path: Path) -> None:
    """In the built app, from its test in the settings to the key on the wire; and what a server that does not allow
    this origin looks like."""
    with (
        server(200, {"data": []}, []) as closed,
        Scripted() as mine,
        serve(
            "--upstream",
            upstream.url,
            "--dist",
            str(dist),
            "--store",
            f"sqlite:{tmp_path}/log",
        ) as app,
    ):
        page.goto(app.url)
        page.locator("html[data-engine=ready]").wait_for()
        page.get_by_role("button", name="Settings").click()
        page.get_by_text("Add an endpoint").click()
        tested = page.locator("[data-part=tested]")
        for name, url, words in (
            ("Nobody", "http://127.0.0.1:9/v1", "No answer from 127.0.0.1:9"),
            (
                "Closed",
                closed,
                "does not let this page read it (CORS). Allow the origin http://127.0.0.1:",
            ),
            ("Replay", upstream.url, "It works: 1 model."),
        ):
            page.locator("input[name=endpoint-name]").fill(name)
            page.locator("input[name=endpoint-url]").fill(url)
            page.get_by_role("button", name="Test", exact=True).click()
            expect(tested).to_contain_text(words)
        page.locator("input[name=endpoint-name]").fill("Mine")
        page.locator("input[name=endpoint-url]").fill(mine.url.removesuffix("/chat/completions"))
        page.locator("input[name=endpoint-key]").fill("sk-secret")
        page.locator("input[name=endpoint-model]").fill("large")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator("[data-part=endpoint]")).to_have_text("large, Mine")
        page.keyboard.press("Escape")
        page.locator("textarea").fill("Hello")
        page.keyboard.press("Enter")
        call = mine.call(1)
        assert call.headers["authorization"] == "Bearer sk-secret"
        call.send(b'data: {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}\n\n')
        call.send(b"data: [DONE]\n\n").end()
        expect(page.locator("article[data-state=complete][data-author=assistant]")).to_contain_text("Hi")
