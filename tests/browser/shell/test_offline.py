"""Reading with the server stopped, and what makes the app installable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright

from tests.browser.chat import Chat, score
from tests.browser.conftest import QUICK
from tests.browser.home import Home
from tests.support.gate import Model
from tests.support.patience import PATIENCE_MS
from tests.support.processes import Replay, Serve, serve


@pytest.fixture
def own_app(upstream: Replay, dist: Path) -> Iterator[Serve]:
    """A server for one test, which may stop it."""
    options = ["--upstream", upstream.url, "--store", "memory:"]
    with serve(*options, "--dist", str(dist)) as running:
        yield running


def offline_ready(page: Page) -> None:
    page.wait_for_selector("html[data-shell=offline-ready]", state="attached")


def test_with_the_server_stopped_the_conversation_is_there(page: Page, own_app: Serve, answer_file: Path) -> None:
    chat = Chat(page, own_app.url).open()
    chat.send("to be read offline").until_ended()
    offline_ready(page)
    shown = chat.text()
    own_app.stop()

    chat.reload()
    assert set(chat.until_painted()) - set(" \n") != set()
    chat.until_ready()
    assert chat.text() == shown
    assert score(answer_file.read_text(), chat.text()).lost == []
    assert chat.state() == "complete"
    assert page.locator("nav [data-conversation]").count() == 1


def test_an_answer_that_was_being_written_is_kept_and_says_what_goes_on(home: Home, model: Model) -> None:
    with home.serve("--upstream", model.url, "--store", "memory:") as app:
        model.gate.allow(40)
        chat = Chat(home.context.new_page(), app.url).open()
        chat.send("cut in the middle")
        chat.until_seq(30)
        app.kill()
    chat.until_state("reconnecting", "offline")
    before = chat.text()
    chat.until_status("saved")

    chat.reload()
    chat.until_painted()
    chat.until_ready()
    chat.until_state("reconnecting", "offline")
    assert chat.text().startswith(before.rstrip())  # what was on its way to the journal came after


def test_a_new_page_opens_offline_on_the_last_conversation(home: Home, upstream: Replay) -> None:
    with home.serve("--upstream", upstream.url, "--store", "memory:") as app:
        first = Chat(home.context.new_page(), app.url).open()
        first.send("found again in another tab").until_ended()
        shown = first.text()
        first.page.close()

    second = Chat(home.context.new_page(), home.url).open()
    assert second.text() == shown


def test_the_app_can_be_installed(
    playwright: Playwright, chromium_path: str | None, own_app: Serve, tmp_path: Path
) -> None:
    """In a profile of its own: the contexts of the other tests count as incognito, which forbids it."""
    context = playwright.chromium.launch_persistent_context(
        tmp_path / "profile", executable_path=chromium_path, args=QUICK
    )
    page = context.pages[0]
    page.set_default_timeout(PATIENCE_MS)
    Chat(page, own_app.url).open()
    offline_ready(page)
    session = context.new_cdp_session(page)
    assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
    assert session.send("Page.getAppManifest")["errors"] == []
    context.close()
