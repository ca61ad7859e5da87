"""dist/ on hosts that know nothing of the app, below a path: the demo from start to end, without a network too."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright

from tests.browser.chat import Chat
from tests.browser.conftest import QUICK
from tests.browser.shell.dumb_host import Host, Knowing, Packing, Plain, hosted
from tests.support.patience import PATIENCE_MS

# Every name leads nowhere but this machine's own, whatever a page or a worker asks for.
BLOCKED = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
FIRST_VISIT = 5_000_000  # bytes of bodies


def offline_ready(page: Page) -> None:
    page.wait_for_selector("html[data-shell=offline-ready]", state="attached")


@pytest.mark.parametrize("kind", [Host, Knowing, Plain])
def test_the_demo_works_from_start_to_end(page: Page, dist: Path, kind: type[Host]) -> None:
    with hosted(kind, dist, {}) as url:
        chat = Chat(page, url.rstrip("/"))  # hosts lead to the slash
        page.goto(chat.url)
        chat.until_ready()
        assert page.url.startswith(url)
        chat.send("Show me").until_seq(20)
        chat.reload()
        chat.until_painted()
        chat.until_ready().until_ended()
        shown = chat.text()
        offline_ready(page)
        chat.reload()  # now all of it through the service worker
        chat.until_ready()
        assert chat.text() == shown
        offline_ready(page)
    chat.reload()
    chat.until_ready()
    assert chat.text() == shown
    assert chat.state() == "complete"
    assert chat.foreign == []
    refused = [text for text in chat.problems if "Security Policy" in text or "MIME" in text]
    assert refused == []


def test_a_first_visit_gets_each_file_once(page: Page, dist: Path) -> None:
    sent: dict[str, list[int]] = {}
    with hosted(Packing, dist, sent) as url:
        Chat(page, url).open()
        offline_ready(page)
    # The list of endpoints is asked for anew each time, and browsers keep the documents of frames apart.
    for name in ("config.json", "engine.html"):
        del sent[name]
    assert {path: sizes for path, sizes in sent.items() if len(sizes) > 1} == {}
    assert sum(map(sum, sent.values())) < FIRST_VISIT, sorted(sent.items(), key=lambda item: item[1])[-8:]


def test_a_cold_start_without_any_network(
    playwright: Playwright, chromium_path: str | None, dist: Path, tmp_path: Path
) -> None:
    """The browser is closed, the host gone, and every name blocked: all there is comes from the profile."""

    def started() -> BrowserContext:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=chromium_path, args=[*QUICK, BLOCKED]
        )
        context.set_default_timeout(PATIENCE_MS)
        return context

    with hosted(Packing, dist, {}) as url:
        context = started()
        chat = Chat(context.pages[0], url).open()
        chat.send("Something to keep").until_ended()
        shown = chat.text()
        offline_ready(chat.page)
        context.close()

    context = started()
    chat = Chat(context.pages[0], url)
    chat.page.goto(url)
    chat.until_painted()
    chat.until_ready()
    assert chat.text() == shown
    assert chat.foreign == []
    offline_ready(chat.page)
    chat.send("And without any network")  # the demo needs none
    chat.page.wait_for_selector("article[data-author=assistant][data-state=complete] >> nth=1")
    context.close()


def test_a_fill_that_was_cut_off_goes_on_where_it_was(
    playwright: Playwright, chromium_path: str | None, dist: Path, tmp_path: Path
) -> None:
    """The host lacks the largest file at first, and the browser is closed meanwhile."""
    lacking = tmp_path / "dist"
    lacking.mkdir()
    for path in dist.rglob("*"):
        inside = lacking / path.relative_to(dist)
        if path.is_dir():
            inside.mkdir()
        elif not path.name.startswith("pyodide.asm.wasm"):
            inside.symlink_to(path)
    sent: dict[str, list[int]] = {}

    def started() -> Page:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=chromium_path, args=QUICK
        )
        context.set_default_timeout(PATIENCE_MS)
        return context.pages[0]

    with hosted(Packing, lacking, sent) as url:
        page = started()
        page.goto(url)
        page.get_by_text("some files could not be downloaded").wait_for(state="attached")
        page.context.close()
        wasm = "engine/pyodide/pyodide.asm.wasm"
        (lacking / wasm).symlink_to(dist / wasm)
        sent.clear()
        page = started()
        Chat(page, url).open()
        offline_ready(page)
        page.context.close()
    assert set(sent) - {"config.json", "sw.js"} == {wasm}
