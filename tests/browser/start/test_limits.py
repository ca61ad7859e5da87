"""What a browser denies, and a machine or a network that is slow: what still works, and what is said of the rest.

Each row of the table is one thing that is missing. Where a browser has a switch for it, that is used; a script that
throws only for what no switch denies alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route, expect

from tests.browser.chat import Chat, score, words
from tests.browser.conftest import QUICK
from tests.browser.screen_support import Screen
from tests.support.gate import Model
from tests.support.patience import PATIENCE_MS
from tests.support.processes import Replay, free_port, serve
from tests.support.proxy import Proxy

TAB_ONLY = "New messages are kept in this tab only"
NOTHING = "This browser stores nothing for this page"
NO_DRAFT = "This browser cannot save the draft."
NOT_OFFLINE = "Not available offline: this browser does not allow the app to be stored"
NO_HISTORY = "there a browser keeps no history"
NOT_SECURE = "Not available offline: the address is not secure (https)"
OFFLINE = "Ready for offline use"

# As browsers deny them: naming the place throws already.
DENY = """
for (const name of %s) {
  if (!(name in globalThis)) continue;
  const deny = () => { throw new DOMException('The operation is insecure.', 'SecurityError'); };
  Object.defineProperty(globalThis, name, { configurable: true, get: deny });
}
"""


@dataclass(frozen=True)
class Row:
    """One limit: how it is made, and what is expected of the app."""

    notice: str = ""  # the words above the composer, "" for none
    foot: str = OFFLINE  # the words at the list's foot
    kept: bool = True  # a reload finds the text here
    denied: tuple[str, ...] = ()  # by a script, in the page and in the engine's worker
    preferences: Mapping[str, object] = field(default_factory=dict)  # of Chromium's profile
    host: str = ""  # another name of this machine, on plain http
    slowdown: int = 1  # of the processor


ALL_COOKIES = {"default_content_setting_values": {"cookies": 2}}
OF_THIRD_PARTIES = {"block_third_party_cookies": True, "cookie_controls_mode": 1}
LIMITS = {
    "all storage": Row(NOTHING, NOT_OFFLINE, kept=False, preferences=ALL_COOKIES),
    "third-party cookies": Row(preferences=OF_THIRD_PARTIES),
    "IndexedDB": Row(TAB_ONLY, "", denied=("indexedDB",)),
    "localStorage": Row(NO_DRAFT, "", denied=("localStorage",)),
    "sessionStorage": Row("", "", denied=("sessionStorage",)),
    "IndexedDB and sessionStorage": Row(NOTHING, "", kept=False, denied=("indexedDB", "sessionStorage")),
    "Cache Storage": Row("", "", denied=("caches",)),
    "channels to other tabs": Row("", "", denied=("BroadcastChannel",)),  # with the storage, in Firefox
    "a secure address": Row(NO_HISTORY, NOT_SECURE, host="app.test"),
    "a fast processor": Row(slowdown=4),
}  # fmt: skip


def with_profile(playwright: Playwright, path: str | None, folder: Path, row: Row) -> BrowserContext:
    """A browser of its own, since only a profile has preferences."""
    (folder / "Default").mkdir(parents=True)
    (folder / "Default/Preferences").write_text(json.dumps({"profile": row.preferences}))
    hosts = [f"--host-resolver-rules=MAP {row.host} 127.0.0.1"] if row.host else []
    return playwright.chromium.launch_persistent_context(folder, executable_path=path, args=[*QUICK, *hosts])


@pytest.fixture
def limited(
    playwright: Playwright, chromium_path: str | None, browser: Browser, tmp_path: Path, row: Row
) -> Iterator[BrowserContext]:
    if row.preferences or row.host:
        context = with_profile(playwright, chromium_path, tmp_path / "profile", row)
    else:
        # What a service worker hands out could not be made to deny anything.
        context = browser.new_context(service_workers="block" if row.denied else "allow")
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(REMEMBER)
    if row.denied:
        deny(context, DENY % json.dumps(row.denied))
    yield context
    context.close()


def deny(context: BrowserContext, script: str) -> None:
    context.add_init_script(script)

    def begun(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=script + response.text())

    context.route("**/engine/pyodide/boot.js", begun)  # the first module of the worker


# Every change of these two is remembered: an engine that was said to have failed, and words that come and go.
REMEMBER = """
window.said = [];
addEventListener('DOMContentLoaded', () => {
  const note = () => {
    const state = document.documentElement.dataset.engine;
    const line = document.querySelector('[data-part=notice]:not([hidden]) span')?.textContent ?? '';
    for (const words of [state, line]) if (words && !window.said.includes(words)) window.said.push(words);
  };
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  new MutationObserver(note).observe(document, all);
});
"""


@pytest.mark.parametrize("row", LIMITS.values(), ids=LIMITS)
def test_without(limited: BrowserContext, model: Model, dist: Path, answer_file: Path, row: Row) -> None:
    """A prompt is sent and answered, a reload in the middle loses nothing that could be kept, and it is said."""
    page = limited.pages[0] if limited.pages else limited.new_page()
    if row.slowdown > 1:
        session = limited.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": row.slowdown})
    options = ["--upstream", model.url, "--store", "memory:", "--dist", str(dist)]
    with serve(*options, "--allow-host", "app.test") as app:
        chat = Chat(page, app.url.replace("127.0.0.1", row.host or "127.0.0.1"))
        an_answer(chat, row, model, answer_file)


def an_answer(chat: Chat, row: Row, model: Model, answer_file: Path) -> None:
    model.gate.allow(40)
    chat.open().send("Tell me").until_seq(20)
    said(chat.page, row)
    expect(chat.answer.locator("[data-part=status]")).to_contain_text(
        "saved to" if row.kept else "not saved in this browser"
    )
    if row.kept:
        chat.reload()
        assert len(words(chat.until_painted())) > 2
        chat.until_ready()
    model.gate.open()
    chat.until_state("complete")
    found = score(answer_file.read_text(), chat.text())
    assert (found.lost, found.repeated, found.in_order) == ([], [], True)
    assert "failed" not in chat.page.evaluate("window.said")
    assert chat.foreign == []


def said(page: Page, row: Row) -> None:
    expect(page.locator("[data-part=shell]")).to_have_text(row.foot)
    if not row.notice:
        errors = [line for line in page.evaluate("window.said") if " " in line]
        assert errors == []
    else:  # it may have gone away by itself
        assert any(row.notice in line for line in page.evaluate("window.said"))


# A slow line


@pytest.fixture
def slow_line(upstream: Replay, dist: Path) -> Iterator[Proxy]:
    """Fast enough for a test: the first start takes some seconds instead of two minutes."""
    port = free_port()
    options = ["--upstream", upstream.url, "--store", "memory:", "--dist", str(dist)]
    with (
        Proxy(port) as proxy,
        serve(*options, "--port", str(port), "--allow-host", "127.0.0.1"),
    ):
        proxy.slow(400_000, 0.05)
        yield proxy


def test_on_a_slow_line_the_start_is_counted(page: Page, slow_line: Proxy) -> None:
    chat = Chat(page, slow_line.url)
    page.goto(slow_line.url)
    endpoint = page.locator("[data-part=endpoint]")
    counted = re.compile(r"^Loading Python: [\d.]+ of [\d.]+ MB$")
    expect(endpoint).to_have_text(counted, timeout=PATIENCE_MS)
    page.fill("textarea[name=prompt]", "Tell me")  # one can write already
    page.click("button[name=send]")
    chat.until_ready()
    expect(endpoint).to_have_text("Gateway")
    chat.until_state("complete")
    expect(page.locator("[data-part=shell]")).to_have_text(OFFLINE, timeout=PATIENCE_MS)
    chat.reload()
    chat.until_ready()
    expect(endpoint).not_to_contain_text("Loading")


def test_a_start_fails_only_when_nothing_comes_any_more(screen: Screen) -> None:
    screen.page.clock.install()
    screen.goto()
    screen.intent("network")
    expect(screen.part("endpoint")).to_be_empty()
    screen.page.clock.run_for(4000)
    expect(screen.part("endpoint")).to_have_text("Loading Python")
    for second in range(1, 6):
        screen.aside(type="engine", state="loading", done=second * 1_000_000, total=12_500_000)
        words = f"Loading Python: {second} of 12.5 MB"
        expect(screen.part("endpoint")).to_have_text(words)
        screen.page.clock.run_for(50_000)
        expect(screen.html).to_have_attribute("data-engine", "booting")
    screen.page.clock.run_for(11_000)
    expect(screen.html).to_have_attribute("data-engine", "failed")
    expect(screen.part("engine")).to_contain_text("no answer for 1 min")
    screen.post({"type": "hello"})  # after all
    expect(screen.html).to_have_attribute("data-engine", "ready")
    expect(screen.part("endpoint")).to_be_empty()
