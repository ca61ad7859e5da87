"""The start of the engine, and how the screen says that it has failed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.screen_support import STORE_JS, Ops, Screen, Site, saved_rows

TEXT = Ops().of(("p", "What was saved."))
FAILS = {
    "worker": "ready = Promise.reject(new Error('Traceback:\\n  …\\nImportError: no mistletoe'))",
    "later": "constructor() { super(); setTimeout(() => "
    "this.onerror({ error: new Error('ImportError: no mistletoe') })) }",
    "native": "constructor() { super(); setTimeout(() => "
    "this.dispatchEvent(new ErrorEvent('error', { message: 'ImportError: no mistletoe' }))) }",
    "beside": "constructor() { super(); Promise.reject(new Error('ImportError: no mistletoe')) }",
}


@pytest.fixture
def broken(browser: Browser, shell_site: Site) -> Iterator[Screen]:
    screen = Screen(browser, shell_site)
    screen.goto("icons/icon.svg")
    screen.page.evaluate(STORE_JS, saved_rows(TEXT, state="complete"))
    yield screen
    screen.close()


def failed(screen: Screen, reason: str) -> None:
    expect(screen.html).to_have_attribute("data-engine", "failed")
    expect(screen.part("engine")).to_contain_text("The engine did not start (")
    expect(screen.part("engine")).to_contain_text(reason)
    expect(screen.part("assertive")).to_contain_text(reason)
    expect(screen.content()).to_have_text("What was saved.")  # it can be read all the same


@pytest.mark.parametrize("how", FAILS)
def test_python_does_not_start(broken: Screen, how: str) -> None:
    core = f"class Worker extends EventTarget {{ ready = new Promise(() => {{}}); postMessage() {{}} {FAILS[how]} }}"
    export = "export const whenDefined = async () => ({ xworker: new Worker() });"
    broken.site.files["pyscript/core.js"] = f"{core}\n{export}".encode()
    broken.goto()
    failed(broken, "ImportError: no mistletoe")
    with broken.page.expect_navigation():
        broken.part("engine").get_by_role("button", name="Reload").click()


def test_pyscript_is_missing(broken: Screen) -> None:
    broken.site.files["pyscript/core.js"] = None
    broken.goto()
    failed(broken, "Failed to fetch dynamically imported module")


def test_pyscript_makes_no_worker(broken: Screen) -> None:
    broken.site.files["pyscript/core.js"] = b"export const whenDefined = async () => ({});"
    broken.goto()
    failed(broken, "PyScript made no worker")


def test_silence_is_said_and_may_end(screen: Screen) -> None:
    screen.page.clock.install()
    screen.goto("icons/icon.svg")
    screen.page.evaluate(STORE_JS, saved_rows(TEXT, state="complete"))
    screen.goto()
    screen.intent("network")
    screen.page.clock.run_for(59_000)
    expect(screen.html).to_have_attribute("data-engine", "booting")
    screen.page.clock.run_for(2_000)
    failed(screen, "no answer for 1 min")
    screen.post({"type": "hello"})
    expect(screen.html).to_have_attribute("data-engine", "ready")
    expect(screen.part("engine")).to_be_hidden()


def test_python_runs_and_says_nothing(screen: Screen) -> None:
    screen.page.clock.install()
    screen.goto()
    screen.intent("network")
    screen.aside(type="engine", state="running")
    screen.aside(type="shell", state="offline-ready")
    expect(screen.html).to_have_attribute("data-shell", "offline-ready")
    screen.page.clock.run_for(11_000)
    expect(screen.part("engine")).to_contain_text("no answer for 10 s")


INSIDE = {"en": "Internal error: “{}”", "ru": "Внутренняя ошибка: «{}»"}
LATER = {
    "onerror({ error: new Error('KeyError: x') })": {"en": "KeyError: x", "ru": "KeyError: x"},
    "onerror({})": {"en": "Python stopped", "ru": "Python остановился"},
    "dispatchEvent(new Event('messageerror'))": {
        "en": "a message could not be read",
        "ru": "сообщение не удалось прочитать",
    },
}


@pytest.mark.parametrize("breaks", LATER, ids=["error", "worker", "message"])
@pytest.mark.parametrize("locale", INSIDE)
def test_what_breaks_later_is_a_notice(browser: Browser, shell_site: Site, breaks: str, locale: str) -> None:
    screen = Screen(browser, shell_site, locale=locale)
    screen.goto()
    expect(screen.html).to_have_attribute("data-engine", "ready")
    screen.engine.evaluate(f"mock.worker.{breaks}")
    said = LATER[breaks][locale]
    expect(screen.part("notice")).to_contain_text(INSIDE[locale].format(said))
    expect(screen.html).to_have_attribute("data-engine", "ready")
    screen.close()


def test_only_our_own_frame_is_heard(screen: Screen) -> None:
    screen.goto().ready()
    screen.page.evaluate("postMessage({ type: 'engine', state: 'failed', detail: 'x' }, '*')")
    screen.page.evaluate("postMessage({ type: 'engine?', id: 'other' }, '*')")
    screen.aside(type="shell", state="offline-ready")
    expect(screen.html).to_have_attribute("data-shell", "offline-ready")
    expect(screen.html).to_have_attribute("data-engine", "ready")
    screen.post({"type": "connection", "state": "offline"})  # the port is still the old one
    expect(screen.html).to_have_attribute("data-connection", "offline")
