"""Takes the pictures that an install dialog shows (web/screenshots/) from the built app:
`.venv/bin/python -m tests.browser.pictures.manifest_pictures`, after the look of the app has changed.

The answer is a file sent by `midstream replay`, as in take_screenshots.
"""

from __future__ import annotations

import base64

from playwright.sync_api import Browser

from tests.browser.chat import Chat
from tests.browser.conftest import PROJECT
from tests.browser.pictures.screenshots import DESKTOP, PHONE, begin, stage
from tests.support.processes import Serve

TARGET = PROJECT / "web" / "screenshots"
ASKED = ["Quicksort in Python, step by step", "What to see in Gdańsk in a day", "A birthday poem"]
QUALITY = 80  # of a WebP; text shows no edges at that


def take(chat: Chat, name: str, scale: int = 1) -> None:
    session = chat.page.context.new_cdp_session(chat.page)
    whole = {"x": 0, "y": 0, **(chat.page.viewport_size or {}), "scale": scale}
    options = {"format": "webp", "quality": QUALITY, "clip": whole}
    picture = base64.b64decode(session.send("Page.captureScreenshot", options)["data"])
    (TARGET / f"{name}.webp").write_bytes(picture)
    print(f"{TARGET / name}.webp: {len(picture)} bytes")


def wide(browser: Browser, app: Serve) -> None:
    chat = begin(browser, app, viewport=DESKTOP)
    chat.until_seq(255)
    take(chat, "wide")


def narrow(browser: Browser, app: Serve) -> None:
    context = browser.new_context(viewport=PHONE, color_scheme="dark", is_mobile=True, has_touch=True)
    page = context.new_page()
    chat = Chat(page, app.url).open()
    for words in ASKED:
        chat.send(words).until_seq(5)
        chat.page.click("button[name=stop]")
        chat.until_ended()
        chat.page.click("button[name=list]")
        chat.page.click("button[name=new]")
    chat.send("How do tides work? Use a list and a table.").until_seq(190)
    take(chat, "narrow", 2)
    chat.page.click("button[name=list]")
    chat.page.wait_for_selector("html[data-shell=offline-ready]", state="attached")
    take(chat, "narrow-list", 2)


def offline(browser: Browser, app: Serve) -> None:
    chat = begin(browser, app, viewport=DESKTOP)
    chat.until_seq(200)
    app.kill()
    chat.until_state("reconnecting")
    chat.until_status("try 4")
    take(chat, "wide-offline")


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    with stage() as (browser, app):
        wide(browser, app)
        narrow(browser, app)
        offline(browser, app)


if __name__ == "__main__":
    main()
