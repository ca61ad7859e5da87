"""How long the service worker holds a connection when no debugger keeps it alive."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.lifetime.reading import Reader, begin, prepared
from tests.browser.screen_support import Site
from tests.support.cdp import Chromium
from tests.support.servers.scripted import Scripted

AWAY_S = 4.0
LONG_S = 40.0  # a worker without events is ended after 30 s, whatever it is fetching


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with prepared() as site:
        yield site


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        Reader.install(browser, site)
        yield browser


@pytest.fixture
def upstream() -> Iterator[Scripted]:
    with Scripted() as server:
        yield server


@pytest.fixture
def reader(browser: Chromium, site: Site) -> Iterator[Reader]:
    reader = Reader(browser, site)
    yield reader
    last = Reader(browser, site)
    last.ask("DELETE", "spool/k1")
    last.tab.close()
    if reader.tab.target in browser.tabs():
        reader.tab.close()


def test_reload_leave_and_close(reader: Reader, browser: Chromium, site: Site, upstream: Scripted) -> None:
    call = begin(reader, upstream)
    reader.tab.reload()
    call.send(b"reload ")
    reader.follow("GET", "spool/k1")
    reader.until_text("one reload ")

    reader.tab.goto("about:blank")
    assert not call.left_within(AWAY_S)
    call.send(b"leave ")
    reader.tab.back()
    reader.follow("GET", "spool/k1")
    reader.until_text("one reload leave ")

    reader.tab.close()
    assert not call.left_within(AWAY_S)
    call.send(b"close")
    again = Reader(browser, site)
    again.follow("GET", "spool/k1")
    again.until_text("one reload leave close")
    assert again.state() == "live" and len(upstream.calls) == 1
    call.end()
    again.tab.until("window.read.over")
    again.tab.close()


def test_a_renderer_crash(reader: Reader, upstream: Scripted) -> None:
    call = begin(reader, upstream)
    reader.tab.crash()
    call.send(b"crash ")
    reader.tab.reload()
    reader.follow("GET", "spool/k1")
    reader.until_text("one crash ")
    assert reader.state() == "live" and not call.left


def test_the_whole_browser_is_killed(reader: Reader, browser: Chromium, site: Site, upstream: Scripted) -> None:
    call = begin(reader, upstream)
    browser.kill()
    call.until_left()
    browser.start()
    again = Reader(browser, site)
    again.follow("POST", "spool/k1", {"url": upstream.url, "headers": {}, "body": "{}"})
    again.until_text("one ")
    assert again.state() == "lost" and len(upstream.calls) == 1
    again.tab.close()


def test_a_prompt_in_the_outbox_survives_that_too(reader: Reader, browser: Chromium, site: Site) -> None:
    with Scripted(held=True) as gateway:
        headers = {"idempotency-key": "m1"}
        entry = {"kind": "prompt", "conversation": "c", "url": gateway.url, "headers": headers}
        assert reader.ask("PUT", "outbox/m1", entry | {"body": "{}"}) == 201
        gateway.call(1)
        browser.kill()
        gateway.call(1).until_left()
        browser.start()
        again = Reader(browser, site)  # a page is opened: that is enough
        assert gateway.call(2).headers["idempotency-key"] == "m1"
        gateway.call(2).answer(200, {"Midstream-Run": "r1"})
        listed = "fetch('outbox/').then((r) => r.json()).then(([entry]) => entry?.run)"
        assert again.tab.until(listed) == "r1"
        assert again.ask("DELETE", "outbox/m1") == 200
        again.tab.close()


def test_an_open_page_keeps_it_for_longer_than_an_idle_worker_lives(reader: Reader, upstream: Scripted) -> None:
    call = begin(reader, upstream)
    assert not call.left_within(LONG_S)
    call.send(b"and on")
    reader.until_text("one and on")
