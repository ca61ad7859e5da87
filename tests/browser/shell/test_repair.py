"""Stored files that went bad, files that cannot be had, and a network that answers with something else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.screen_support import MOCK, Screen, Site
from tests.browser.shell.shell_support import (
    READY,
    clear_http_cache,
    damage,
    offline_ready,
    restart_worker,
    stored,
    until,
)

LOGIN = "<!doctype html><title>Log in to this network</title>"
LARGE = "engine/pyodide/large.wasm"
# A Python that cannot start with a damaged file, and can without a store.
PICKY = b"""
const whole = (await (await fetch('./engine/pyodide/large.wasm')).arrayBuffer()).byteLength === 400000;
if (!whole) throw new Error('large.wasm cannot be compiled');
"""


@pytest.fixture
def app(browser: Browser, shell_site: Site) -> Any:
    screen = Screen(browser, shell_site)
    yield screen
    screen.close()


@pytest.mark.parametrize("path", ["style.css", "index.html", "screen/main.js", "engine.html"])
@pytest.mark.parametrize("body", ["", LOGIN], ids=["cut", "another"])
def test_a_stored_file_that_went_bad_is_not_used(app: Screen, shell_site: Site, path: str, body: str) -> None:
    shell_site.build("1")
    offline_ready(app)
    damage(app, path, body)
    restart_worker(app)
    app.problems.clear()
    offline_ready(app)
    expect(app.part("composer")).to_have_css("display", "grid")
    assert app.problems == []
    assert path in stored(app)
    shell_site.stop()
    restart_worker(app)
    app.goto()
    expect(app.html).to_have_attribute("data-engine", "ready")
    expect(app.part("composer")).to_have_css("display", "grid")


def test_a_large_file_that_went_bad_is_found_when_python_does_not_start(app: Screen, shell_site: Site) -> None:
    shell_site.files["pyscript/core.js"] = PICKY + (MOCK / "core.js").read_bytes()
    shell_site.files[LARGE] = bytes(400_000)
    shell_site.build("1")
    offline_ready(app)
    damage(app, LARGE, "cut short")
    clear_http_cache(app)
    shell_site.requests.clear()
    app.goto()
    expect(app.html).to_have_attribute(*READY)
    assert f"/{LARGE}" in shell_site.requests
    offline_ready(app)
    app.problems.clear()


def test_a_large_file_that_went_bad_is_found_by_the_daily_look(app: Screen, shell_site: Site) -> None:
    shell_site.files[LARGE] = bytes(400_000)
    shell_site.build("1")
    offline_ready(app)
    length = f"fetch('{LARGE}').then(r => r.arrayBuffer()).then(b => b.byteLength)"
    offline_ready(app)
    until(app, "() => caches.match('?checked')")
    damage(app, LARGE, "cut short")
    damage(app, "?checked", "1")  # the last look was long ago
    app.goto()
    until(app, f"async () => await {length} === 400000")
    shell_site.stop()
    app.goto()
    assert app.page.evaluate(length) == 400_000


def test_a_file_that_could_not_be_had_is_tried_again_by_itself(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    shell_site.files["engine/pyodide/a.wasm"], good = (
        None,
        shell_site.files["engine/pyodide/a.wasm"],
    )
    app.page.clock.install()
    app.goto()
    expect(app.part("shell")).to_contain_text("some files could not be downloaded")
    expect(app.html).to_have_attribute("data-engine", "ready")
    shell_site.files["engine/pyodide/a.wasm"] = good
    shell_site.requests.clear()
    app.page.clock.run_for(31_000)
    expect(app.html).to_have_attribute(*READY)
    assert "/engine/pyodide/b.zip" not in shell_site.requests  # it goes on where it was
    app.problems.clear()


def test_a_first_install_that_failed_is_tried_again_by_itself(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    shell_site.files["icons/icon-512.png"] = None
    app.page.clock.install()
    app.goto()
    expect(app.part("shell")).to_contain_text("some files could not be downloaded")
    del shell_site.files["icons/icon-512.png"]
    app.page.clock.run_for(31_000)
    expect(app.html).to_have_attribute(*READY)
    app.problems.clear()


def test_progress_is_said_in_files_and_megabytes(app: Screen, shell_site: Site) -> None:
    shell_site.files |= {f"engine/pyodide/{n}.bin": bytes([n]) * 1_000_000 for n in range(3)}
    shell_site.build("1")
    app.page.add_init_script(
        """addEventListener('DOMContentLoaded', () => {
          window.said = [];
          new MutationObserver(() => said.push(note.textContent)).observe(
            window.note = document.querySelector('[data-part=shell]'), {childList: true});
        })"""
    )
    offline_ready(app)
    said: list[str] = app.page.evaluate("said")
    assert any(re.search(r": \d+ of \d+ files, [12]\.\d of 3\.\d MB$", words) for words in said), said
    assert said[-1] == "Ready for offline use"


def test_a_nearly_full_storage_is_said_and_the_app_works(app: Screen, shell_site: Site) -> None:
    shell_site.build("1")
    worker = shell_site.files["sw.js"]
    assert worker and b"await navigator.storage?.estimate?.()" in worker
    full = b"await Promise.resolve({usage: 96, quota: 100})"
    shell_site.files["sw.js"] = worker.replace(b"await navigator.storage?.estimate?.()", full)
    app.goto()
    expect(app.part("shell")).to_contain_text("storage is nearly full")
    expect(app.html).to_have_attribute("data-engine", "ready")
    app.goto()
    expect(app.html).to_have_attribute("data-engine", "ready")


@pytest.mark.parametrize("answer", [LOGIN.encode(), None], ids=["login page", "missing"])
def test_what_is_not_a_list_of_endpoints_does_not_replace_the_last_one(
    app: Screen, shell_site: Site, answer: bytes | None
) -> None:
    shell_site.build("1")
    offline_ready(app)
    shell_site.files["config.json"] = answer
    asked = "fetch('config.json').then(r => r.json()).then(c => c.default)"
    assert app.page.evaluate(asked) == "Demo"
    shell_site.stop()
    assert app.page.evaluate(asked) == "Demo"
