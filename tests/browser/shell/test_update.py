"""Updates: whole or not at all, no page of two versions, half-changed servers, older builds, the off switch."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.browser.screen_support import Screen, Site
from tests.browser.shell.shell_support import (
    READY,
    hand_over,
    offline_ready,
    stored,
    until,
    update,
    version,
)
from tests.browser.together import WEB

OFF = (WEB / "sw-off.js").read_bytes()
# The leave ends before it has begun, as when the browser ends the worker.
CUT = b"addEventListener('activate', (event) => event.stopImmediatePropagation());\n"
READY_TO_UPDATE = ("data-shell", "update-ready")
LOGIN = b"<!doctype html><title>Log in to this network</title>"


@pytest.fixture
def app(browser: Browser, shell_site: Site) -> Any:
    screen = Screen(browser, shell_site)
    yield screen
    screen.close()


def text(place: Page | Frame, path: str) -> str:
    """The file as a script of the page gets it."""
    found = place.evaluate("path => fetch(path).then(r => r.text(), () => 'refused')", path)
    return str(found)


def accept(screen: Screen) -> None:
    expect(screen.html).to_have_attribute(*READY_TO_UPDATE)
    with screen.page.expect_navigation():
        screen.part("update").get_by_role("button", name="Reload").click()
    expect(screen.html).to_have_attribute(*READY)


def look_for_an_update(screen: Screen) -> None:
    """What a browser does at each navigation, and once a day; fails when the server's answer is of no use."""
    screen.engine.evaluate("navigator.serviceWorker.getRegistration().then(found => found.update()).catch(() => {})")


def until_settled(screen: Screen) -> None:
    """Nothing is being installed."""
    screen.engine.evaluate(
        """async () => {
          for (;;) {
            const worker = (await navigator.serviceWorker.getRegistration())?.installing;
            if (!worker) return;
            await new Promise(done => worker.addEventListener('statechange', done, { once: true }));
          }
        }"""
    )


# -- two tabs


def test_another_tab_goes_on_with_its_own_files_and_is_told(app: Screen, browser: Browser, shell_site: Site) -> None:
    shell_site.files["engine/pyodide/only-1.zip"] = b"of the first version"
    shell_site.build("1")
    offline_ready(app)
    other = Screen(browser, shell_site, app.context)
    offline_ready(other)
    del shell_site.files["engine/pyodide/only-1.zip"]
    shell_site.files["py.json"] = b"{ }"
    update(shell_site)
    app.goto()
    accept(app)
    assert version(app) == "2"

    bar = other.part("update")
    expect(bar).to_contain_text("installed from another tab")
    for place in (other.page, other.engine):
        assert "--version" not in text(place, "style.css")
        assert text(place, "py.json") == "{}"
        assert text(place, "engine/pyodide/only-1.zip") == "of the first version"
    assert "--version: 2" in text(app.page, "style.css")
    assert text(app.page, "py.json") == "{ }"
    assert stored(app).count("style.css") == 2

    with other.page.expect_navigation():
        bar.get_by_role("button", name="Reload").click()
    expect(other.html).to_have_attribute(*READY)
    assert version(other) == "2"
    until(
        other,
        """async () => {
          const all = await (await caches.open((await caches.keys())[0])).keys();
          return all.filter(key => key.url.includes('style.css')).length === 1;
        }""",
    )
    assert "engine/pyodide/only-1.zip" not in stored(other)
    app.problems.clear()
    other.problems.clear()


def test_a_tab_that_is_opened_while_the_new_version_waits_is_of_the_old_one(
    app: Screen, browser: Browser, shell_site: Site
) -> None:
    shell_site.build("1")
    offline_ready(app)
    update(shell_site)
    app.goto()
    expect(app.html).to_have_attribute(*READY_TO_UPDATE)
    late = Screen(browser, shell_site, app.context)
    late.goto()
    expect(late.html).to_have_attribute(*READY_TO_UPDATE)
    assert version(late) == ""
    accept(app)
    expect(late.part("update")).to_contain_text("installed from another tab")
    assert "--version" not in text(late.page, "style.css")
    app.problems.clear()


# -- servers in the middle of a change


def broken(shell_site: Site, how: str) -> dict[str, bytes | None]:
    """What has to come to the server yet; until then it has half of the new version."""
    update(shell_site)
    files = shell_site.files
    if how == "an old file":
        later, files["style.css"] = {"style.css": files["style.css"]}, None
        files["style.css"] = (WEB / "style.css").read_bytes()
    elif how == "a missing file":
        later, files["style.css"] = {"style.css": files["style.css"]}, None
    else:
        later, files["sw.js"] = {"sw.js": files["sw.js"]}, None if how == "no worker" else LOGIN
    return later


@pytest.mark.parametrize("how", ["an old file", "a missing file", "no worker", "a login page"])
def test_half_of_a_new_version_is_none(app: Screen, shell_site: Site, how: str) -> None:
    shell_site.build("1")
    offline_ready(app)
    later = broken(shell_site, how)
    offline_ready(app)
    look_for_an_update(app)
    until_settled(app)
    assert version(app) == ""
    assert app.page.evaluate("navigator.serviceWorker.controller !== null")
    offline_ready(app)  # what is there already of the other one harms nothing

    shell_site.files |= later
    look_for_an_update(app)
    accept(app)
    assert version(app) == "2"
    app.problems.clear()


def test_a_half_new_server_is_asked_again_by_itself(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    offline_ready(app)
    later = broken(shell_site, "a missing file")
    app.page.clock.install()
    app.goto()
    expect(app.html).to_have_attribute(*READY)
    look_for_an_update(app)
    until_settled(app)
    shell_site.files |= later
    app.page.clock.run_for(31_000)
    expect(app.html).to_have_attribute(*READY_TO_UPDATE)
    app.problems.clear()


def test_a_host_that_lets_browsers_keep_everything_for_ten_minutes(app: Screen, shell_site: Site) -> None:
    shell_site.caching = "max-age=600"
    shell_site.build("1")
    offline_ready(app)
    assert "--version" not in text(app.page, "style.css")
    update(shell_site)
    shell_site.files["py.json"] = b"{ }"
    shell_site.build("2")
    app.goto()
    accept(app)
    assert version(app) == "2"
    assert text(app.page, "py.json") == "{ }"
    shell_site.stop()
    app.goto()
    expect(app.html).to_have_attribute("data-engine", "ready")
    assert version(app) == "2"


def test_a_server_that_goes_back_to_an_older_version(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    first = dict(shell_site.files)
    offline_ready(app)
    update(shell_site)
    app.goto()
    accept(app)
    assert version(app) == "2"
    shell_site.files = first
    # What a much newer one may have left.
    app.page.evaluate("url => caches.open(`midstream 7 ${url}`).then(() => {})", shell_site.url)
    app.goto()
    accept(app)
    assert version(app) == ""
    assert len(app.page.evaluate("caches.keys()")) == 1
    shell_site.stop()
    app.goto()
    expect(app.html).to_have_attribute("data-engine", "ready")


# -- the off switch


SWITCHED_OFF = "Offline use is switched off on this site."
QUEUE = """async () => {
  const request = indexedDB.open('midstream-sw');
  const database = await new Promise(done => request.onsuccess = () => done(request.result));
  const queued = { key: 'k', kind: 'prompt', conversation: 'c', state: 'queued' };
  database.transaction('outbox', 'readwrite').objectStore('outbox').put(queued);
  database.close();
}"""
QUEUED = """async () => {
  const request = indexedDB.open('midstream-sw');
  const database = await new Promise(done => request.onsuccess = () => done(request.result));
  const all = database.transaction('outbox').objectStore('outbox').getAll();
  await new Promise(done => all.onsuccess = done);
  database.close();
  return all.result.length;
}"""


def test_an_off_switch_that_was_cut_off_is_made_up(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    offline_ready(app)
    shell_site.files["sw.js"] = CUT + OFF
    look_for_an_update(app)
    until_settled(app)
    hand_over(app)
    app.goto()  # asks how much is stored
    expect(app.part("shell")).to_have_text(SWITCHED_OFF)
    until(app, "async () => !(await caches.keys()).length")
    app.problems.clear()


def test_the_off_switch(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    offline_ready(app)
    app.page.evaluate("fetch('outbox/')")  # makes the database
    app.page.evaluate("caches.open('of another app')")
    shell_site.files["sw.js"] = OFF
    app.page.evaluate("window.same = true")
    look_for_an_update(app)
    until_settled(app)
    hand_over(app)
    expect(app.part("shell")).to_have_text(SWITCHED_OFF)
    expect(app.part("update")).to_be_hidden()
    assert app.page.evaluate("window.same")  # nobody has reloaded it
    app.page.evaluate(QUEUE)
    shell_site.files["style.css"] = b"body { --version: 3; }"
    assert text(app.page, "style.css") == "body { --version: 3; }"

    response = app.page.goto(shell_site.url)
    assert response is not None and not response.from_service_worker
    expect(app.html).to_have_attribute("data-engine", "ready")
    expect(app.part("shell")).to_have_text(SWITCHED_OFF)
    assert version(app) == "3"
    assert app.page.evaluate("caches.keys()") == ["of another app"]
    assert app.page.evaluate(QUEUED) == 1
    del shell_site.files["style.css"]
    shell_site.build("4")
    until(app, "async () => !(await navigator.serviceWorker.getRegistrations()).length")
    offline_ready(app)  # and on again
    assert app.page.evaluate(QUEUED) == 1
    app.problems.clear()
