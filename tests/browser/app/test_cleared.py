"""The person, or the browser, deletes the data of the site while an answer is being written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.app.test_storage import DUMP
from tests.browser.chat import Chat, score, words
from tests.support.gate import Model
from tests.support.patience import PATIENCE_MS
from tests.support.processes import serve

SAID = "deleted the data of this site"


def stored(chat: Chat) -> dict[str, Any]:
    found: dict[str, Any] = chat.page.evaluate(DUMP)
    return found


def clear(chat: Chat) -> None:
    session = chat.page.context.new_cdp_session(chat.page)
    session.send("Storage.clearDataForOrigin", {"origin": chat.url.rstrip("/"), "storageTypes": "all"})


@pytest.mark.parametrize("way", ["--upstream", "--direct"])
def test_it_is_noticed_said_and_stored_again(
    browser: Browser, dist: Path, model: Model, answer_file: Path, way: str
) -> None:
    model.gate.allow(60)
    with serve(way, model.url, "--dist", str(dist), *(["--store", "memory:"] if way == "--upstream" else [])) as app:
        context = browser.new_context()
        context.set_default_timeout(PATIENCE_MS)
        chat = Chat(context.new_page(), app.url).open()
        chat.page.wait_for_selector("html[data-shell=offline-ready]", state="attached")
        chat.send("numbered words, please").until_seq(40)
        clear(chat)
        expect(chat.page.locator("[data-part=notice]")).to_contain_text(SAID, timeout=PATIENCE_MS)
        found = stored(chat)
        assert [len(found[name]) for name in ("conversations", "messages")] == [1, 2] and found["journal"]
        model.gate.open()
        state = chat.until_ended()
        assert "new version" not in chat.page.locator("body").inner_text()
        text = chat.text()
        if way == "--upstream":
            assert state == "complete"
        else:  # the service worker, which held the connection, may have been deleted too
            assert state == "complete" or "no longer has the connection" in chat.answer.inner_text()
        chat.send("and again")
        expect(chat.page.locator("article")).to_have_count(4)
        expect(chat.answer).to_have_attribute("data-state", "complete", timeout=PATIENCE_MS)
        chat.reload()
        chat.until_ready()
        expect(chat.page.locator("article")).to_have_count(4)
        first = chat.page.locator("article[data-author=assistant] [data-part=content]").first
        assert words(first.inner_text()) == words(text)
        assert score(answer_file.read_text(), chat.text()).lost == []
        context.close()
