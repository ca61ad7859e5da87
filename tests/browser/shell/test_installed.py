"""The app installed in a real Chromium, opened as the operating system opens it: shares, files, shortcuts.

The launches are made through the debugging protocol (domain PWA), where a real window of the app takes them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, CDPSession, Error, Playwright, expect

from tests.browser.chat import Chat, score
from tests.browser.conftest import QUICK
from tests.support.patience import PATIENCE_MS
from tests.support.processes import Serve

NOTES = "*Twice* a day the sea rises.\n"
QUOTED = f"notes.md\n```\n{NOTES}```\n"


@pytest.fixture
def profile(playwright: Playwright, chromium_path: str | None, tmp_path: Path) -> Iterator[BrowserContext]:
    """Installing writes menu entries and icons into the person's folders: they are in `tmp_path` too."""
    home = {name: str(tmp_path / name) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    context = playwright.chromium.launch_persistent_context(
        tmp_path / "profile",
        executable_path=chromium_path,
        args=[*QUICK, "--enable-devtools-pwa-handler"],
        env={**os.environ, **home},
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


class Installed:
    """The app as an entry in the system's menus."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        assert context.browser is not None
        self.context = context
        self.url = url
        self.session: CDPSession = context.browser.new_browser_cdp_session()
        page = context.pages[0]
        page.goto(url)
        page.wait_for_selector("html[data-engine=ready]", state="attached")
        try:
            self._do("install", installUrlOrBundleUrl=url)
        except Error as error:
            pytest.skip(f"this Chromium cannot install apps without a screen: {error.message}")
        self._do("changeAppUserSettings", displayMode="standalone")
        page.goto("about:blank")

    def open(self, query: str) -> Chat:
        with self.context.expect_page() as window:
            self.launch(query)
        return Chat(window.value, self.url)

    def launch(self, query: str) -> None:
        self._do("launch", url=self.url + query)

    def launch_files(self, *files: Path) -> None:
        self._do("launchFilesInApp", files=[str(file) for file in files])

    def _do(self, what: str, **arguments: Any) -> None:
        self.session.send(f"PWA.{what}", {"manifestId": f"{self.url}midstream", **arguments})


def test_the_app_takes_what_it_is_opened_with(
    profile: BrowserContext, app: Serve, tmp_path: Path, answer_file: Path
) -> None:
    installed = Installed(profile, app.url)
    chat = installed.open("?text=shared")
    prompt = chat.page.locator("textarea[name=prompt]")
    expect(prompt).to_have_value("shared")
    assert chat.page.evaluate("matchMedia('(display-mode: standalone)').matches")
    chat.until_ready().send("Tell me").until_seq(20)
    chat.page.evaluate("window.same = true")

    (tmp_path / "notes.md").write_text(NOTES)
    installed.launch_files(tmp_path / "notes.md")  # while the answer is being written
    expect(prompt).to_have_value(QUOTED)
    link = quote("web+midstream:?text=linked")
    installed.launch(f"?c=new&link={link}")
    expect(prompt).to_have_value(f"{QUOTED}\n\nlinked")
    assert chat.page.evaluate("window.same"), "the window was not loaded anew"

    chat.reload()  # the browser hands over the last launch once more
    chat.until_ready()
    installed.launch("?text=last")
    expect(prompt).to_have_value(f"{QUOTED}\n\nlinked\n\nlast")
    chat.page.locator("nav [data-conversation]").first.click()
    chat.until_state("complete")
    found = score(answer_file.read_text(), chat.text())
    assert (found.lost, found.repeated, found.in_order) == ([], [], True)
    installed.launch("?c=new")  # the shortcut
    expect(chat.page.locator("[data-part=empty]")).to_be_visible()
    assert len(profile.pages) == 2, "one window for all"


def test_the_app_opens_without_a_network(profile: BrowserContext, app: Serve) -> None:
    page = profile.pages[0]
    page.goto(app.url)
    page.wait_for_selector("html[data-shell=offline-ready]", state="attached")
    installed = Installed(profile, app.url)
    profile.set_offline(True)
    chat = installed.open("?c=new")
    chat.until_ready()
    installed.launch("?text=shared")
    expect(chat.page.locator("textarea[name=prompt]")).to_have_value("shared")
    chat.page.close()
    chat = installed.open("?text=again")
    expect(chat.page.locator("textarea[name=prompt]")).to_have_value("shared\n\nagain")
