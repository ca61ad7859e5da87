"""Whole conversations in the real app: what is done with one in a tab holds in all, over reloads, and in storage."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, expect

from midstream.engine.conversation_intents import UNDO_S
from tests.browser.app.test_storage import DUMP
from tests.browser.chat import Chat, words
from tests.browser.home import Home
from tests.browser.start.test_boot import python_worker
from tests.support.processes import Replay, Serve, replay
from tests.unit.engine.transfer.test_export_tree import CHATGPT


@pytest.fixture(scope="module")
def quick(answer_file: Path) -> Iterator[Replay]:
    """Nothing here is about an answer that is still being written."""
    with replay(answer_file, rate=2000, chunk=24) as running:
        yield running


@pytest.fixture
def context(home: Home) -> BrowserContext:
    return home.context


@pytest.fixture
def app(quick: Replay, home: Home) -> Iterator[Serve]:
    """A gateway that has no other conversations."""
    with home.serve("--upstream", quick.url, "--store", "memory:") as running:
        yield running


def opened(context: BrowserContext, app: Serve) -> Chat:
    return Chat(context.new_page(), app.url).open()


def menu(page: Page, name: str, choice: str) -> None:
    page.get_by_role("link", name=name).hover()
    page.get_by_role("button", name=f"{name}: more").click()
    page.get_by_role("menuitem", name=choice).click()


def named(chat: Chat, name: str) -> Chat:
    """A whole answer in a conversation of that name."""
    chat.send("Tell me.").until_ended()
    menu(chat.page, "Tell me.", "Rename")
    field = chat.page.get_by_role("textbox", name="Name of the conversation")
    field.fill(name)
    field.press("Enter")
    return chat


def link(chat: Chat, name: str) -> Locator:
    return chat.page.get_by_role("navigation").get_by_role("link", name=name)


def heading(chat: Chat, name: str) -> Locator:
    return chat.page.locator(f"nav section:has(a span:text-is('{name}')) h2")


def test_names_and_pins_hold_everywhere(context: BrowserContext, app: Serve) -> None:
    first = named(opened(context, app), "Tides")
    expect(first.page.locator("[data-part=title]")).to_have_text("Tides")
    second = opened(context, app)
    menu(second.page, "Tides", "Pin")
    expect(heading(first, "Tides")).to_have_text("Pinned")
    first.reload()
    expect(heading(first, "Tides")).to_have_text("Pinned")  # painted, before the engine is there
    first.until_ready()
    expect(heading(first, "Tides")).to_have_text("Pinned")
    first.send("More.").until_ended()
    expect(heading(first, "Tides")).to_have_text("Pinned")  # the answer's end has left it
    first.assert_clean()


def undo(chat: Chat) -> Locator:
    line = chat.page.locator("[data-part=undo]")
    expect(line).to_contain_text("“Tides” was deleted.")
    return line.get_by_role("button", name="Undo")


def test_deleted_reloaded_and_taken_back_word_for_word(context: BrowserContext, app: Serve) -> None:
    chat = named(opened(context, app), "Tides")
    text = words(chat.text())
    menu(chat.page, "Tides", "Delete")
    undo(chat)
    chat.reload()  # the new page offers it for as long again
    expect(chat.page.locator("article")).to_have_count(0)
    undo(chat).click()
    link(chat, "Tides").click()
    chat.until_state("complete")
    assert words(chat.text()) == text
    chat.assert_clean()


def test_deleted_in_one_tab_and_taken_back_in_another(context: BrowserContext, app: Serve) -> None:
    chat, other = named(opened(context, app), "Tides"), opened(context, app)
    expect(link(other, "Tides")).to_be_visible()
    menu(chat.page, "Tides", "Delete")
    expect(link(chat, "Tides")).to_have_count(0)
    undo(other).click()
    for each in (chat, other):
        expect(link(each, "Tides")).to_be_visible()
        expect(each.page.locator("[data-part=undo]")).to_be_hidden()
    chat.assert_clean()


# Of the timers that Python sets, the one that a deletion waits for comes when the test calls `pass`.
HOLD = f"""() => {{
  const set = setTimeout;
  globalThis.setTimeout = (work, ms, ...rest) => {{
    if (ms !== {UNDO_S * 1000}) return set(work, ms, ...rest);
    globalThis.pass = work;
    return 0;
  }};
}}"""


def test_then_nothing_of_it_is_stored(context: BrowserContext, app: Serve) -> None:
    chat = named(opened(context, app), "Tides")
    python = python_worker(chat.page)
    python.evaluate(HOLD)
    menu(chat.page, "Tides", "Delete")
    undo(chat)
    python.evaluate("pass()")
    expect(chat.page.locator("[data-part=undo]")).to_be_hidden()
    found = chat.page.evaluate(DUMP)
    assert found["messages"] == found["journal"] == []
    assert [one["title"] for one in found["conversations"]] == [""]  # the mark, for the gateway's list
    chat.reload()
    chat.until_ready()
    expect(chat.page.locator("nav [data-conversation]")).to_have_count(0)
    chat.assert_clean()


def test_every_word_is_found_and_opened(context: BrowserContext, app: Serve) -> None:
    chat = named(opened(context, app), "Tides")
    chat.page.click("button[name=new]")
    field = chat.page.get_by_role("searchbox")
    field.fill("W117 w118")  # in the middle of the answer
    result = chat.page.get_by_role("group", name="Search results").get_by_role("link")
    expect(result).to_have_count(1)
    expect(result.locator("mark")).to_have_text(["w117", "w118"])
    result.click()
    chat.until("() => CSS.highlights.has('found')")
    found = "[...CSS.highlights.get('found')].map(range => range.toString())"
    assert chat.page.evaluate(found) == ["w117", "w118"]
    expect(chat.content).to_be_in_viewport()
    chat.assert_clean()


def test_an_export_of_another_program_is_read(context: BrowserContext, app: Serve, tmp_path: Path) -> None:
    chat = opened(context, app)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", json.dumps(CHATGPT))
    file: FilePayload = {
        "name": "export.zip",
        "mimeType": "application/zip",
        "buffer": packed.getvalue(),
    }
    chat.page.set_input_files("input[name=file]", files=[file])
    expect(chat.page.locator("[data-part=notice]")).to_contain_text("1 conversation was added")
    link(chat, "Tides").click()
    expect(chat.page.locator("article")).to_have_count(4)
    expect(chat.page.locator("article").nth(1)).to_contain_text("The moon pulls.")
    expect(chat.page.locator("article").nth(3).locator("[data-part=status]")).to_contain_text("Interrupted")
    chat.page.get_by_role("button", name="Previous version").click()
    expect(chat.page.locator("article")).to_have_count(2)
    expect(chat.page.locator("article").nth(1)).to_contain_text("An older answer.")
    chat.assert_clean()


def test_the_saved_page_shows_the_same_and_asks_nobody(context: BrowserContext, app: Serve, tmp_path: Path) -> None:
    chat = named(opened(context, app), "Tides")
    with chat.page.expect_download() as download:
        menu(chat.page, "Tides", "Save as a web page")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == "tides.html"
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    expect(page.get_by_role("heading", level=1).first).to_have_text("Tides")
    assert words(page.locator(".assistant").inner_text()) == words(chat.text())
    assert asked == [file.as_uri()]
