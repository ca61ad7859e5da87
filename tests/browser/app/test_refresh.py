"""The main job: an answer that is refreshed in the middle loses no word, repeats none, and never leaves the screen
empty."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.chat import Chat, score, words
from tests.browser.home import Home
from tests.support.processes import Replay, Serve


@pytest.fixture
def context(home: Home) -> BrowserContext:
    return home.context


@pytest.fixture
def url(home: Home, app: Serve) -> str:
    return home.show(app)


def begin(page: Page, url: str) -> Chat:
    return Chat(page, url).open().send("numbered words, please")


@pytest.mark.parametrize("points", [[1], [40], [90], [140], [195], [20, 60, 61, 120, 180]])
def test_a_refresh_loses_nothing_and_repeats_nothing(
    page: Page, url: str, answer_file: Path, points: list[int]
) -> None:
    chat = begin(page, url)
    for seq in points:
        chat.until_seq(seq)
        before = chat.text()
        chat.reload()
        painted = chat.until_painted()
        assert chat.watched()["engineAtPaint"] == "booting", "the text waited for Python"
        assert set(words(before)) <= set(words(painted)), "text that stood there has gone"
        chat.until_ready()
    assert chat.until_ended() == "complete"
    result = score(answer_file.read_text(), chat.text())
    assert (result.lost, result.repeated, result.in_order) == ([], [], True)
    samples = chat.watched()["samples"]
    assert all(later >= earlier - 12 for earlier, later in pairwise(samples)), "the text on screen shrank"
    chat.assert_clean()


def test_after_the_refresh_the_painted_nodes_stay_and_a_selection_in_them(page: Page, url: str) -> None:
    chat = begin(page, url)
    chat.until_seq(60)
    chat.reload()
    chat.until_painted()
    page.evaluate(
        """() => {
          const heading = document.querySelector('[data-part=content] h1');
          window.paintedHeading = heading;
          getSelection().selectAllChildren(heading);
        }"""
    )
    chat.until_ready()
    assert chat.until_ended() == "complete"
    assert page.evaluate("document.querySelector('[data-part=content] h1') === window.paintedHeading")
    assert page.evaluate("getSelection().toString()") == "w1 w2 w3"


def test_the_run_went_on_upstream_and_was_asked_for_once(page: Page, url: str, upstream: Replay) -> None:
    opened, aborted = len(upstream.events("open")), len(upstream.events("abort"))
    chat = begin(page, url)
    chat.until_seq(50)
    chat.reload()
    chat.until_ended()
    assert len(upstream.events("open")) == opened + 1
    assert len(upstream.events("abort")) == aborted


def test_stop_works_after_a_refresh(page: Page, home: Home, crawling: Replay) -> None:
    with home.serve("--upstream", crawling.url, "--store", "memory:") as app:
        chat = begin(page, app.url)
        chat.until_seq(5)
        chat.reload()
        chat.until_ready()
        chat.until_state("streaming")
        page.click("button[name=stop]")
        assert chat.until_ended() == "stopped"
        chat.until_status("Stopped by you")
        crawling.until(lambda: crawling.events("abort"))
        stopped = chat.text()
        chat.reload()
        chat.until_ready()
        assert chat.text() == stopped


def test_a_reload_right_after_sending_keeps_the_prompt_and_answers_it(page: Page, url: str, answer_file: Path) -> None:
    chat = Chat(page, url).open()
    chat.send("sent and gone at once")
    chat.reload()
    chat.until_ready()
    assert chat.until_ended() == "complete"
    assert page.locator("article[data-author=user]").inner_text().count("sent and gone") == 1
    assert score(answer_file.read_text(), chat.text()).lost == []
