"""Takes the README's pictures from the built app: `.venv/bin/python -m tests.browser.pictures.screenshots`.

The answer is a file (docs/screenshots/answer.md) sent by `midstream replay`: the pictures show the app, not a model.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.browser.chat import Chat
from tests.browser.conftest import FLAGS, PROJECT
from tests.support.processes import Serve, replay, serve

FOLDER = PROJECT / "docs" / "screenshots"
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
QUESTION = "How do tides work? Use a list and a table."


def begin(browser: Browser, app: Serve, **options: object) -> Chat:
    page = browser.new_context(device_scale_factor=1, **options).new_page()  # type: ignore[arg-type]
    chat = Chat(page, app.url).open()
    page.wait_for_selector("html[data-shell=offline-ready]", state="attached")
    return chat.send(QUESTION)


def take(chat: Chat, name: str) -> None:
    chat.page.screenshot(path=FOLDER / f"{name}.png")
    print(FOLDER / f"{name}.png")


@contextmanager
def stage() -> Iterator[tuple[Browser, Serve]]:
    """A browser, and the built app with the answer of the pictures behind it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        replay(FOLDER / "answer.md", rate=40) as upstream,
    ):
        options = ["--upstream", upstream.url, "--model", "replay", "--dist", str(PROJECT / "dist")]
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*FLAGS, "--hide-scrollbars"]
        )
        with serve(*options, "--store", f"sqlite:{Path(folder) / 'runs.sqlite'}") as app:
            yield browser, app
        browser.close()


def main() -> None:
    with stage() as (browser, app):
        streaming = begin(browser, app, viewport=DESKTOP)
        streaming.until_seq(255)
        take(streaming, "streaming")
        phone = begin(browser, app, viewport=PHONE, color_scheme="dark", is_mobile=True)
        phone.until_seq(190)
        take(phone, "phone-dark")
        offline = begin(browser, app, viewport=DESKTOP)
        offline.until_seq(200)
        app.kill()
        offline.until_state("reconnecting")
        offline.until_status("try 4")
        take(offline, "offline")


if __name__ == "__main__":
    main()
