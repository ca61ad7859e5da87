"""A real Chromium and the built app, for every test in this folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

PROJECT = Path(__file__).parents[2]
# Without these, Chromium looks for its maker's servers at every start.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000  # for any state to come; a limit for what is broken, not a measure of speed


# The loop of Playwright's synchronous API runs until it is stopped, and asyncio.run of the other tests would refuse to
# start beside it: so it lives for this folder, not for the session.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def chromium_path() -> str | None:
    """The system's Chromium; None lets Playwright use the one it has downloaded."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="package")
def browser(playwright: Playwright, chromium_path: str | None) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="package")
def dist() -> Path:
    """The built static site, made by build.py before the tests."""
    path = Path(os.environ.get("MIDSTREAM_DIST", PROJECT / "dist"))
    if not (path / "index.html").exists():
        pytest.fail("dist/ is not built: run `python3 build.py test`, or `python3 build.py` first")
    return path
