"""The service worker with the engine document that registers it: offline, repair, update, sub-path, install."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from midstream.gateway.http.policies import FRAMED, PAGES, SCREEN_POLICY
from tests.browser.screen_support import Screen, Site
from tests.browser.shell.shell_support import (
    READY,
    clear_http_cache,
    damage,
    offline_ready,
    stored,
    update,
)
from tests.browser.together import together


@pytest.fixture
def app(browser: Browser, shell_site: Site) -> Any:
    screen = Screen(browser, shell_site)
    yield screen
    screen.close()


def test_works_without_a_server(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    offline_ready(app)
    expect(app.part("shell")).to_have_text("Ready for offline use")
    shell_site.stop()
    app.problems.clear()
    for query in ("", "?c=c1", "index.html?c=c1"):
        response = app.page.goto(shell_site.url + query)
        assert response is not None and response.from_service_worker
        assert response.headers["content-security-policy"] == f"{SCREEN_POLICY}; {FRAMED}"
        expect(app.html).to_have_attribute("data-engine", "ready")
        expect(app.part("empty")).to_be_visible()
        assert app.part("composer").evaluate("e => getComputedStyle(e).display") == "grid"
    expect(app.html).to_have_attribute(*READY)
    assert app.page.evaluate("fetch('config.json').then(r => r.json()).then(c => c.default)") == "Demo"
    assert app.problems == []


def test_files_are_fetched_once(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    offline_ready(app)
    assert {
        "index.html",
        "screen/main.js",
        "engine/pyodide/a.wasm",
        "engine/pyodide/b.zip",
        "config.json",
    } <= set(stored(app))
    assert "sw.js" not in stored(app)
    shell_site.requests.clear()
    offline_ready(app)
    asked = {path for path in shell_site.requests if "sw.js" not in path and "config.json" not in path}
    assert asked == set()


@pytest.mark.parametrize("damage", [b"not what was built", None], ids=["corrupt", "missing"])
def test_a_bad_shell_file_fails_only_the_install(app: Screen, shell_site: Site, damage: bytes | None) -> None:
    shell_site.build("1")
    shell_site.files["icons/icon-192.png"] = damage
    with app.context.expect_event("serviceworker"):
        app.goto()
    expect(app.html).to_have_attribute("data-engine", "ready")  # the app itself works
    app.engine.evaluate(
        """async () => {
          for (;;) {
            const registration = await navigator.serviceWorker.getRegistration();
            const worker = registration?.installing;
            if (!worker) return;
            await new Promise(done => worker.addEventListener('statechange', done, { once: true }));
          }
        }"""
    )
    expect(app.html).to_have_attribute("data-shell", "installing")
    assert app.page.evaluate("navigator.serviceWorker.controller") is None
    del shell_site.files["icons/icon-192.png"]
    shell_site.requests.clear()
    offline_ready(app)
    app.problems.clear()


def test_a_bad_runtime_file_is_tried_again(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    good, shell_site.files["engine/pyodide/a.wasm"] = (
        shell_site.files["engine/pyodide/a.wasm"],
        b"corrupt",
    )
    app.goto()
    app.engine.evaluate("navigator.serviceWorker.ready")
    app.page.evaluate(
        """async () => {
          for (;;) {
            const name = (await caches.keys())[0];
            const keys = name ? await (await caches.open(name)).keys() : [];
            if (keys.some(key => key.url.includes('b.zip'))) return;
            await new Promise(requestAnimationFrame);
          }
        }"""
    )
    expect(app.part("shell")).to_contain_text("some files could not be downloaded")
    assert "engine/pyodide/a.wasm" not in stored(app)
    expect(app.html).to_have_attribute("data-shell", "installing")
    shell_site.files["engine/pyodide/a.wasm"] = good
    app.engine.evaluate("dispatchEvent(new Event('online'))")
    expect(app.html).to_have_attribute(*READY)


def test_a_runtime_file_of_another_version_is_neither_used_nor_stored(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    offline_ready(app)
    damage(app, "engine/pyodide/a.wasm", None)
    clear_http_cache(app)
    shell_site.files["engine/pyodide/a.wasm"] = b"from another version"
    got = app.page.evaluate("fetch('engine/pyodide/a.wasm').then(r => r.text(), () => 'refused')")
    assert got == "refused"
    assert "engine/pyodide/a.wasm" not in stored(app)
    app.problems.clear()


def test_an_update_waits_to_be_asked_for(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    offline_ready(app)
    update(shell_site)
    shell_site.requests.clear()
    app.goto()
    expect(app.html).to_have_attribute("data-shell", "update-ready")
    version = "getComputedStyle(document.body).getPropertyValue('--version')"
    assert app.page.evaluate(version) == ""  # what was loaded stays
    fetched = {path for path in shell_site.requests if "style.css" in path or "main.js" in path}
    assert fetched == {"/style.css"}  # only what has changed
    app.page.evaluate("window.same = true")
    button = app.part("update").get_by_role("button", name="Reload")
    expect(button).to_be_visible()

    answer = {"message": "a1", "author": "assistant", "status": {"state": "streaming"}}
    batch = [{"type": "conversation", "id": "c1", "title": "", "turns": [answer]}]
    app.engine.evaluate("batch => mock.port.postMessage(JSON.stringify(batch))", batch)
    expect(button).to_be_hidden()  # not while an answer is being written
    batch = [{"type": "status", "message": "a1", "state": "complete"}]
    app.engine.evaluate("batch => mock.port.postMessage(JSON.stringify(batch))", batch)
    expect(button).to_be_visible()
    assert app.page.evaluate("window.same")

    with app.page.expect_navigation():
        button.click()
    expect(app.html).to_have_attribute(*READY)
    assert app.page.evaluate(version) == "2"
    assert stored(app).count("style.css") == 1  # the old one is gone
    shell_site.stop()
    app.goto()
    assert app.page.evaluate(version) == "2"


def test_an_accepted_update_waits_for_an_answer(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    offline_ready(app)
    update(shell_site)
    worker = shell_site.files["sw.js"]
    assert worker and b"await spool.busy()" in worker
    shell_site.files["sw.js"] = worker.replace(b"await spool.busy()", b"(await fetch('busy')).ok")
    shell_site.files["busy"] = b"an answer is being received"
    app.page.clock.install()
    app.goto()
    expect(app.html).to_have_attribute("data-shell", "update-ready")
    bar = app.part("update")
    bar.get_by_role("button", name="Reload").click()
    held = bar.get_by_text("The update will be installed when this answer is complete.")
    expect(held).to_be_visible()
    expect(bar.get_by_role("button")).to_have_count(0)
    app.page.clock.run_for(6000)
    expect(held).to_be_visible()  # it is still being received
    shell_site.files["busy"] = None
    with app.page.expect_navigation():
        app.page.clock.run_for(6000)
    expect(app.html).to_have_attribute(*READY)
    app.problems.clear()


def test_an_update_is_offered_only_when_it_works_offline(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    offline_ready(app)
    good = shell_site.files["engine/pyodide/b.zip"] = b"new runtime"
    update(shell_site)
    shell_site.files["engine/pyodide/b.zip"] = None
    app.goto()
    app.engine.evaluate(
        """async () => {
          const registration = await navigator.serviceWorker.getRegistration();
          while (!registration.waiting) await new Promise(requestAnimationFrame);
        }"""
    )
    expect(app.html).to_have_attribute(*READY)  # the version that runs
    app.goto()
    expect(app.html).to_have_attribute(*READY)
    shell_site.files["engine/pyodide/b.zip"] = good
    app.engine.evaluate("dispatchEvent(new Event('online'))")
    expect(app.html).to_have_attribute("data-shell", "update-ready")
    app.problems.clear()


def test_another_tab_is_not_reloaded_by_an_update(app: Screen, browser: Browser, shell_site: Site) -> None:
    shell_site.build("1")
    offline_ready(app)
    other = Screen(browser, shell_site, app.context)
    offline_ready(other)
    other.page.evaluate("window.same = true")
    update(shell_site)
    app.goto()
    expect(app.html).to_have_attribute("data-shell", "update-ready")
    with app.page.expect_navigation():
        app.part("update").get_by_role("button", name="Reload").click()
    expect(app.html).to_have_attribute(*READY)
    assert other.page.evaluate("window.same")


def test_a_worker_that_was_not_built_does_nothing(app: Screen, shell_site: Site) -> None:
    app.goto()
    app.engine.evaluate("navigator.serviceWorker.ready")
    app.goto()
    expect(app.html).to_have_attribute("data-engine", "ready")
    expect(app.html).to_have_attribute("data-shell", "installing")
    expect(app.part("shell")).to_be_empty()
    assert stored(app) == []


def test_under_a_sub_path(browser: Browser) -> None:
    site = Site("/deep/app/")
    site.mock_pyscript()
    site.build("1")
    screen = Screen(browser, site)
    offline_ready(screen)
    assert screen.engine.evaluate("mock.base") == site.url
    site.stop()
    screen.goto("?c=c1")
    expect(screen.html).to_have_attribute("data-engine", "ready")
    assert screen.problems == []
    screen.close()


def test_the_gateway_is_left_alone(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    offline_ready(app)
    shell_site.files["v1/models"] = b"[]"
    for call in ("fetch('v1/models')", "fetch('index.html?post', {method: 'POST'})"):
        with app.page.expect_response("**/*") as response:
            app.page.evaluate(f"{call}.then(r => r.text())")
        assert not response.value.from_service_worker
    assert not any("v1" in path for path in stored(app))
    app.problems.clear()


def test_everything_comes_from_one_origin(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    requests: list[str] = []
    app.context.on("request", lambda request: requests.append(request.url))
    offline_ready(app)
    assert [url for url in requests if not url.startswith(shell_site.url)] == []
    assert app.problems == []


def test_the_policies_stand_in_the_documents_too() -> None:
    for name, policy in PAGES.items():
        assert f'content="{policy}"' in (together() / name).read_text()
