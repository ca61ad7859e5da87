"""Diagrams and the service worker: what draws them comes with the first one, and is kept from then on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.screen.answer.diagram_support import (
    FLOW,
    SEQUENCE,
    asked_for,
    block,
    button,
    closed,
    shown,
)
from tests.browser.screen_support import STORE_JS, Screen, Site, saved_rows
from tests.browser.shell.shell_support import stored
from tests.browser.start.paint_support import REGISTER_JS

ROWS: list[list[Any]] = [*closed(FLOW, 1), *closed(SEQUENCE, 3)]


@pytest.fixture(params=["/", "/some/path/"])
def app(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Screen]:
    """The screen below an address, with a saved answer and the service worker, and without an engine."""
    site = Site(request.param)
    site.mock_engine()
    site.build("1")
    screen = Screen(browser, site)
    screen.page.goto(site.url + "icons/icon.svg")
    screen.page.evaluate(REGISTER_JS)
    screen.page.evaluate(STORE_JS, saved_rows(ROWS, state="complete"))
    yield screen
    screen.close()
    site.stop()


def reload(app: Screen) -> None:
    app.goto("?c=c1")
    expect(app.html).to_have_attribute("data-paint", "done")
    expect(app.content().locator("pre")).to_have_count(2)


def test_kept_from_the_first_one_on(app: Screen) -> None:
    site = app.site
    reload(app)
    assert asked_for(site.requests) == [] and asked_for(stored(app)) == []
    # The page that the service worker prints has the source, and the button already.
    printed = app.page.evaluate("fetch('./?c=c1').then((response) => response.text())")
    assert "<img" not in printed
    button(app).click()
    shown(block(app))
    shown(block(app, 1))
    assert {"late/diagram.html", "late/diagram.js", "late/mermaid/mermaid.js"} <= set(stored(app))
    site.requests.clear()
    reload(app)
    shown(block(app))
    assert asked_for(site.requests) == []
    site.stop()
    reload(app)
    shown(block(app))
    shown(block(app, 1))


def test_never_loaded_before(app: Screen) -> None:
    site = app.site
    site.stop()
    reload(app)
    button(app).click()
    expect(app.part("notice")).to_contain_text("Try again when you are online")
    expect(button(app)).to_have_attribute("aria-pressed", "false")
    assert block(app).locator("code").evaluate("e => e.clientHeight") > 0
    site.start()
    button(app).click()
    shown(block(app))


def test_another_kind_that_was_not_loaded(app: Screen) -> None:
    site = app.site
    reload(app)
    app.page.evaluate(STORE_JS, saved_rows(closed(FLOW, 1), state="complete"))
    app.goto("?c=c1")
    button(app).click()
    shown(block(app))
    app.page.evaluate(STORE_JS, saved_rows(ROWS, state="complete"))
    site.stop()
    reload(app)
    shown(block(app))
    button(app, 2).click()
    expect(app.part("notice")).to_contain_text("Try again when you are online")
    shown(block(app))
