"""Connections that break under a living page, cut by a proxy: offline mode of the browser would not cut a stream."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.chat import Chat, score
from tests.browser.home import Home
from tests.support.gate import Model
from tests.support.processes import Replay, Serve, replay
from tests.support.proxy import Proxy


@pytest.fixture
def context(home: Home) -> BrowserContext:
    return home.context


@pytest.fixture
def line(home: Home, model: Model) -> Iterator[Proxy]:
    """Between the page and a gateway."""
    with home.serve("--upstream", model.url, "--store", "memory:"):
        yield home.line


def begin(page: Page, home: Home) -> Chat:
    return Chat(page, home.url).open().send("numbered words, please")


def assert_whole(chat: Chat, answer_file: Path) -> None:
    assert chat.until_ended() == "complete"
    result = score(answer_file.read_text(), chat.text())
    assert (result.lost, result.repeated, result.in_order) == ([], [], True)


def cut(line: Proxy) -> None:
    line.refuse()
    line.abort()


def test_a_cut_is_said_and_nothing_is_lost(
    page: Page, home: Home, line: Proxy, model: Model, answer_file: Path
) -> None:
    model.gate.allow(60)
    chat = begin(page, home)
    chat.until_seq(50)
    cut(line)
    chat.until_state("reconnecting")
    chat.until_status("Connection lost")
    chat.until_status("saved here")
    assert page.locator("html[data-connection=reconnecting]").count() == 1
    model.gate.open()
    line.accept()
    assert_whole(chat, answer_file)
    assert page.locator("html[data-connection=online]").count() == 1


def test_many_short_cuts(page: Page, home: Home, line: Proxy, model: Model, answer_file: Path) -> None:
    model.gate.allow(20)
    chat = begin(page, home)
    for seq in (10, 40, 41, 90, 150):
        model.gate.allow(seq + 10)
        chat.until_seq(seq)
        line.abort()
    model.gate.open()
    assert_whole(chat, answer_file)


def test_try_now_does_not_wait(page: Page, home: Home, line: Proxy, model: Model, answer_file: Path) -> None:
    model.gate.allow(40)
    chat = begin(page, home)
    chat.until_seq(30)
    cut(line)
    chat.until_status("try 4")
    model.gate.open()
    line.accept()
    chat.answer.locator("button[name=retry]").click()
    assert_whole(chat, answer_file)


def test_a_cut_and_a_refresh_together(page: Page, home: Home, line: Proxy, model: Model, answer_file: Path) -> None:
    model.gate.allow(80)
    chat = begin(page, home)
    chat.until_seq(60)
    cut(line)
    chat.until_state("reconnecting")
    shown = chat.text()
    chat.reload()
    chat.until_painted()
    chat.until_ready()
    assert chat.text().startswith(shown.rstrip())  # what was on its way to the journal came after
    model.gate.open()
    line.accept()
    assert_whole(chat, answer_file)


def test_an_upstream_that_dies_is_said_and_the_text_stays(page: Page, home: Home, crawling: Replay) -> None:
    with home.serve("--upstream", crawling.url, "--store", "memory:"):
        chat = begin(page, home)
        chat.until_seq(10)
        crawling.kill()
        assert chat.until_ended() == "interrupted"
        assert "w5" in chat.text()
        chat.until_status("Interrupted at token")


def test_an_upstream_that_is_not_there_is_said_with_what_to_do(page: Page, home: Home, answer_file: Path) -> None:
    with replay(answer_file) as gone:
        pass
    with home.serve("--upstream", gone.url, "--model", "any", "--store", "memory:"):
        chat = Chat(page, home.url).open().send("is anybody there?")
        chat.until_state("failed", "reconnecting")
        assert chat.answer.locator("[data-part=status]").inner_text().strip()
        assert chat.answer.locator("button[name=retry]").is_visible()


class Refusing(BaseHTTPRequestHandler):
    """A model's server that does not take the gateway's key."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.asked.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_error(401)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_an_upstream_that_refuses_the_gateway_is_not_asked_again(page: Page, home: Home) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        with home.serve("--upstream", url, "--model", "tides", "--store", "memory:"):
            chat = begin(page, home)
            assert chat.until_ended() == "failed"
            chat.until_status("refused the gateway's key")
        server.shutdown()
    assert len(Refusing.asked) == 1


class TestPlainEndpoint:
    """The page talks to an endpoint that knows nothing of resuming."""

    @pytest.fixture(autouse=True)
    def served(self, home: Home, model: Model) -> Iterator[Serve]:
        with home.serve("--direct", model.url) as running:
            yield running

    def test_an_answer_is_whole(self, page: Page, home: Home, model: Model, answer_file: Path) -> None:
        model.gate.open()
        assert_whole(begin(page, home), answer_file)

    def test_a_refresh_goes_on_with_the_same_connection(
        self, page: Page, home: Home, model: Model, answer_file: Path
    ) -> None:
        model.gate.allow(50)
        chat = begin(page, home)
        for seq in (40, 60):
            model.gate.allow(seq + 10)
            chat.until_seq(seq)
            chat.reload()
            chat.until_painted()
        model.gate.open()
        assert_whole(chat, answer_file)
        model.asked_once()

    def test_without_a_service_worker_a_refresh_keeps_the_text_and_continue_completes_it(
        self, browser: Browser, home: Home, model: Model, answer_file: Path
    ) -> None:
        model.gate.allow(60)
        context = browser.new_context(service_workers="block")
        chat = begin(context.new_page(), home)
        chat.until_seq(40)
        before = chat.text()
        chat.reload()
        chat.until_painted()
        chat.until_ready()
        assert chat.until_ended() == "interrupted"
        assert chat.text().startswith(before[:60])
        chat.until_status("cannot go on with an answer")
        model.gate.open()
        chat.answer.locator("button[name=continue]").click()
        chat.until_state("complete")
        assert_whole(chat, answer_file)
        chat.until_status("continued at token")
        context.close()

    def test_stop_closes_the_connection(self, page: Page, home: Home, crawling: Replay) -> None:
        with home.serve("--direct", crawling.url):
            chat = begin(page, home)
            chat.until_seq(5)
            page.click("button[name=stop]")
            assert chat.until_ended() == "stopped"
            crawling.until(lambda: crawling.events("abort"))
