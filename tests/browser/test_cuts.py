"""Connections that break under a living page, cut by a proxy: offline mode of the browser would not cut a stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chat import Chat, score
from tests.support.processes import Replay, Serve, free_port, replay, serve
from tests.support.proxy import Proxy


@pytest.fixture
def proxy(answer_file: Path, dist: Path, tmp_path: Path) -> Iterator[Proxy]:
    """A proxy with the app behind it."""
    port = free_port()
    with Proxy(port) as proxy, replay(answer_file, rate=25, chunk=6) as upstream:
        options = ["--port", str(port), "--allow-host", "127.0.0.1"]
        options += ["--upstream", upstream.url, "--dist", str(dist)]
        with serve(*options, "--store", f"sqlite:{tmp_path / 'runs.sqlite'}"):
            yield proxy


def begin(page: Page, proxy: Proxy) -> Chat:
    return Chat(page, proxy.url).open().send("numbered words, please")


def assert_whole(chat: Chat, answer_file: Path) -> None:
    assert chat.until_ended() == "complete"
    result = score(answer_file.read_text(), chat.text())
    assert (result.lost, result.repeated, result.in_order) == ([], [], True)


def test_a_cut_is_said_and_nothing_is_lost(page: Page, proxy: Proxy, answer_file: Path) -> None:
    chat = begin(page, proxy)
    chat.until_seq(50)
    proxy.refuse()
    proxy.abort()
    chat.until_state("reconnecting")
    chat.until_status("Connection lost")
    chat.until_status("saved here")
    assert page.locator("html[data-connection=reconnecting]").count() == 1
    proxy.accept()
    assert_whole(chat, answer_file)
    assert page.locator("html[data-connection=online]").count() == 1


def test_many_short_cuts(page: Page, proxy: Proxy, answer_file: Path) -> None:
    chat = begin(page, proxy)
    for seq in (10, 40, 41, 90, 150):
        chat.until_seq(seq)
        proxy.abort()
    assert_whole(chat, answer_file)


def test_try_now_does_not_wait(page: Page, proxy: Proxy, answer_file: Path) -> None:
    chat = begin(page, proxy)
    chat.until_seq(30)
    proxy.refuse()
    proxy.abort()
    chat.until_status("try 4")
    proxy.accept()
    chat.answer.locator("button[name=retry]").click()
    assert_whole(chat, answer_file)


def test_a_cut_and_a_refresh_together(page: Page, proxy: Proxy, answer_file: Path) -> None:
    chat = Chat(page, proxy.url).open()
    page.wait_for_selector("html[data-shell=offline-ready]", state="attached")
    chat.send("numbered words, please").until_seq(60)
    proxy.refuse()
    proxy.abort()
    chat.until_state("reconnecting")
    shown = chat.text()
    chat.reload()
    chat.until_painted()
    chat.until_ready()
    assert chat.text().startswith(shown.rstrip())  # what was on its way to the journal came after
    proxy.accept()
    assert_whole(chat, answer_file)


def test_an_upstream_that_dies_is_said_and_the_text_stays(
    page: Page, answer_file: Path, dist: Path, tmp_path: Path
) -> None:
    store = ["--store", f"sqlite:{tmp_path / 'runs.sqlite'}"]
    with (
        replay(answer_file, rate=60, chunk=6) as dying,
        serve(*store, "--upstream", dying.url, "--dist", str(dist)) as app,
    ):
        chat = Chat(page, app.url).open().send("numbered words, please")
        chat.until_seq(60)
        dying.kill()
        assert chat.until_ended() == "interrupted"
        assert "w10" in chat.text()
        chat.until_status("Interrupted at token")


def test_an_upstream_that_is_not_there_is_said_with_what_to_do(
    page: Page, answer_file: Path, dist: Path, tmp_path: Path
) -> None:
    store = ["--store", f"sqlite:{tmp_path / 'runs.sqlite'}"]
    with replay(answer_file) as gone:
        pass
    with serve(*store, "--upstream", gone.url, "--model", "any", "--dist", str(dist)) as app:
        chat = Chat(page, app.url).open().send("is anybody there?")
        chat.until_state("failed", "reconnecting")
        assert chat.answer.locator("[data-part=status]").inner_text().strip()
        assert chat.answer.locator("button[name=retry]").is_visible()


class TestPlainEndpoint:
    """The page talks to an endpoint that knows nothing of resuming."""

    @pytest.fixture
    def app(self, slow_upstream: Replay, dist: Path) -> Iterator[Serve]:
        with serve("--direct", slow_upstream.url, "--dist", str(dist)) as running:
            yield running

    def test_an_answer_is_whole(self, page: Page, app: Serve, answer_file: Path) -> None:
        chat = Chat(page, app.url).open().send("numbered words, please")
        assert_whole(chat, answer_file)

    def test_a_refresh_goes_on_with_the_same_connection(
        self, page: Page, app: Serve, slow_upstream: Replay, answer_file: Path
    ) -> None:
        before = len(slow_upstream.events("open")), len(slow_upstream.events("abort"))
        chat = Chat(page, app.url).open().send("numbered words, please")
        for seq in (40, 60):
            chat.until_seq(seq)
            chat.reload()
            chat.until_painted()
        assert_whole(chat, answer_file)
        opened, aborted = before
        assert len(slow_upstream.events("open")) == opened + 1
        assert len(slow_upstream.events("abort")) == aborted

    def test_without_a_service_worker_a_refresh_keeps_the_text_and_continue_completes_it(
        self, browser: Browser, app: Serve, answer_file: Path
    ) -> None:
        context = browser.new_context(service_workers="block")
        chat = Chat(context.new_page(), app.url).open().send("numbered words, please")
        chat.until_seq(40)
        before = chat.text()
        chat.reload()
        chat.until_painted()
        chat.until_ready()
        assert chat.until_ended() == "interrupted"
        assert chat.text().startswith(before[:60])
        chat.until_status("cannot go on with an answer")
        chat.answer.locator("button[name=continue]").click()
        chat.until_state("complete")
        assert_whole(chat, answer_file)
        chat.until_status("continued at token")
        context.close()

    def test_stop_closes_the_connection(
        self, page: Page, app: Serve, slow_upstream: Replay
    ) -> None:
        aborted = len(slow_upstream.events("abort"))
        chat = Chat(page, app.url).open().send("numbered words, please")
        chat.until_seq(30)
        page.click("button[name=stop]")
        assert chat.until_ended() == "stopped"
        slow_upstream.until(lambda: len(slow_upstream.events("abort")) == aborted + 1)
