"""What was asked without a connection reaches the gateway when there is one again, even if the page is gone by then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.chat import Chat, score
from tests.browser.home import Home
from tests.browser.worker.worker_support import Client
from tests.support.processes import Replay, replay
from tests.support.proxy import Proxy


@dataclass(frozen=True)
class Line:
    proxy: Proxy
    upstream: Replay

    def cut(self) -> None:
        self.proxy.refuse()
        self.proxy.abort()


@pytest.fixture
def context(home: Home) -> BrowserContext:
    return home.context


@pytest.fixture
def line(request: pytest.FixtureRequest, home: Home, answer_file: Path) -> Iterator[Line]:
    """Between the page and a gateway, and the model behind that, of a rate in tokens per second."""
    rate = getattr(request, "param", 60)
    with (
        replay(answer_file, rate=rate, chunk=6) as upstream,
        home.serve("--upstream", upstream.url, "--store", "memory:"),
    ):
        yield Line(home.line, upstream)


@pytest.fixture
def other(context: BrowserContext, page: Page, line: Line) -> tuple[Chat, Client]:
    """The app, and another page of its origin by which the browser's sync can be set off later."""
    chat = Chat(page, line.proxy.url).open()
    page.wait_for_selector("html[data-shell=offline-ready]", state="attached")
    return chat, Client(context, line.proxy.url, page="manifest.json")


def test_a_prompt_is_sent_once_though_its_page_was_closed(
    context: BrowserContext, line: Line, other: tuple[Chat, Client], answer_file: Path
) -> None:
    chat, elsewhere = other
    line.cut()
    chat.send("numbered words, please").until_state("queued")
    chat.until_status("Waiting to send")
    elsewhere.until(ONE_WAITS)
    address = chat.page.url
    chat.page.close()
    line.proxy.accept()
    elsewhere.sync("midstream-outbox")
    line.upstream.until(lambda: line.upstream.events("open"))

    later = Chat(context.new_page(), line.proxy.url)
    later.page.goto(address)
    later.until_state("complete")
    result = score(answer_file.read_text(), later.text())
    assert (result.lost, result.repeated, result.in_order) == ([], [], True)
    assert len(line.upstream.events("open")) == 1
    elsewhere.until(NOTHING_WAITS)


@pytest.mark.parametrize("line", [3], indirect=True)
def test_a_stop_is_sent_though_its_page_was_closed(line: Line, other: tuple[Chat, Client]) -> None:
    chat, elsewhere = other
    chat.send("numbered words, please").until_seq(5)
    line.cut()
    chat.until_state("reconnecting")
    chat.page.click("button[name=stop]")
    chat.until_status("Stop will be sent")
    elsewhere.until(ONE_WAITS)
    chat.page.close()
    assert line.upstream.events("abort") == []
    line.proxy.accept()
    elsewhere.sync("midstream-outbox")
    line.upstream.until(lambda: line.upstream.events("abort"))


def test_a_prompt_that_was_taken_back_is_never_sent(line: Line, other: tuple[Chat, Client]) -> None:
    chat, elsewhere = other
    line.cut()
    chat.send("on second thoughts").until_state("queued")
    elsewhere.until(ONE_WAITS)
    chat.answer.locator("button[name=edit]").click()
    chat.until("() => !document.querySelector('article')")
    assert chat.page.input_value("textarea[name=prompt]") == "on second thoughts"
    elsewhere.until(NOTHING_WAITS)
    line.proxy.accept()
    elsewhere.sync("midstream-outbox")
    chat.send("something else").until_state("complete")
    assert len(line.upstream.events("open")) == 1


# Of the entries of the outbox, as the service worker tells them.
ONE_WAITS = "async () => (await (await fetch('outbox/')).json()).length === 1"
NOTHING_WAITS = "async () => (await (await fetch('outbox/')).json()).length === 0"
