"""Versions in the real app, with a gateway: over reloads, tabs, devices and files, and while one is being written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect

from tests.browser.chat import Chat, words
from tests.browser.conftest import numbered_answer
from tests.browser.home import Home
from tests.support.gate import Gate, Model
from tests.support.processes import Replay, Serve, replay

ALL = words(numbered_answer())


@pytest.fixture(scope="module")
def quick(answer_file: Path) -> Iterator[Replay]:
    with replay(answer_file, rate=1000, chunk=12) as running:
        yield running


@pytest.fixture
def model(quick: Replay) -> Iterator[Model]:
    """One that can be held in the middle of an answer; open at first."""
    with ExitStack() as exit:
        model = Model(quick, exit)
        model.gate.open()
        yield model


@pytest.fixture
def context(home: Home) -> BrowserContext:
    return home.context


@pytest.fixture
def app(model: Model, home: Home) -> Iterator[Serve]:
    with home.serve("--upstream", model.url, "--store", "memory:") as running:
        yield running


@pytest.fixture
def chat(context: BrowserContext, app: Serve) -> Iterator[Chat]:
    """One whole answer."""
    chat = Chat(context.new_page(), app.url).open()
    chat.send("Of tides").until_ended()
    yield chat
    chat.assert_clean()


@pytest.fixture
def gate(model: Model) -> Gate:
    return model.gate


def questions(chat: Chat) -> Locator:
    return chat.page.locator("article[data-author=user] [data-part=content]")


def edit(chat: Chat, text: str) -> Chat:
    chat.page.locator("article[data-author=user] button[name=edit]").first.click()
    field = chat.page.get_by_role("textbox", name="Your message, edited")
    field.fill(text)
    field.press("Enter")
    expect(questions(chat)).to_have_text([text])
    return chat


def step(chat: Chat, name: str, author: str = "user") -> None:
    chat.page.locator(f"article[data-author={author}] button[name={name}]").first.click()


def whole(chat: Chat) -> None:
    chat.until_ended()
    expect(chat.answer).to_have_attribute("data-state", "complete")
    assert words(chat.text()) == ALL


def test_an_edited_question_and_back_over_reloads(chat: Chat) -> None:
    chat.send("And then?")
    expect(questions(chat)).to_have_count(2)
    chat.until("() => document.querySelectorAll('article[data-state=complete]').length === 4")
    edit(chat, "Of the moon")
    whole(chat)
    expect(chat.page.get_by_text("2 of 2", exact=True)).to_be_visible()
    step(chat, "previous")
    expect(questions(chat)).to_have_text(["Of tides", "And then?"])
    chat.reload()
    expect(questions(chat)).to_have_text(["Of tides", "And then?"])
    expect(chat.page.get_by_text("1 of 2", exact=True)).to_be_visible()
    chat.until_ready()
    expect(chat.page.locator("article")).to_have_count(4)
    step(chat, "next")
    expect(questions(chat)).to_have_text(["Of the moon"])
    whole(chat)


def test_a_reload_in_the_middle_of_an_edited_question(chat: Chat, gate: Gate) -> None:
    gate.allow(40)
    edit(chat, "Of the moon")
    chat.until_seq(30)
    before = words(chat.text())
    chat.reload()
    painted = words(chat.until_painted())
    assert painted[: len(before)] == before
    expect(questions(chat)).to_have_text(["Of the moon"])
    chat.until_ready()
    gate.open()
    whole(chat)


def test_an_answer_that_is_not_shown_is_written_on(chat: Chat, gate: Gate) -> None:
    gate.allow(40)
    chat.page.click("button[name=regenerate]")
    chat.until_seq(30)
    step(chat, "previous", "assistant")
    whole(chat)
    chat.page.locator("nav [data-conversation][data-dot=active]").wait_for(state="attached")
    # It can be stopped where it is shown, and only there.
    expect(chat.page.locator("button[name=send]")).to_be_visible()
    gate.allow(80)
    step(chat, "next", "assistant")
    chat.until_seq(70)
    expect(chat.page.locator("button[name=stop]")).to_be_visible()
    step(chat, "previous", "assistant")
    expect(chat.page.get_by_text("1 of 2", exact=True)).to_be_visible()
    chat.reload()  # it goes on over a reload, too
    chat.until_ready()
    gate.open()
    chat.page.locator("nav [data-conversation][data-dot=active]").wait_for(state="detached")
    step(chat, "next", "assistant")
    whole(chat)


def test_stop_and_continue_in_a_version(chat: Chat, gate: Gate) -> None:
    gate.allow(40)
    chat.page.click("button[name=regenerate]")
    chat.until_seq(30)
    step(chat, "previous", "assistant")
    step(chat, "next", "assistant")
    chat.page.click("button[name=stop]")
    chat.until_state("stopped")
    gate.open()
    chat.page.click("button[name=continue]")
    chat.until_state("complete")
    expect(chat.page.get_by_text("2 of 2", exact=True)).to_be_visible()
    step(chat, "previous", "assistant")
    whole(chat)


def test_a_hit_in_a_version_that_is_not_shown(chat: Chat) -> None:
    edit(chat, "Of the moon")
    whole(chat)
    chat.page.click("button[name=new]")
    chat.page.get_by_role("searchbox").fill("tides")
    chat.page.get_by_role("group", name="Search results").get_by_role("link").click()
    expect(questions(chat)).to_have_text(["Of tides"])
    chat.until("() => CSS.highlights.has('found')")
    expect(chat.page.get_by_text("1 of 2", exact=True)).to_be_visible()


def test_a_file_holds_all_versions(chat: Chat, browser: Browser, app: Serve, tmp_path: Path) -> None:
    edit(chat, "Of the moon")
    whole(chat)
    step(chat, "previous")
    expect(questions(chat)).to_have_text(["Of tides"])
    with chat.page.expect_download() as download:
        chat.page.click("button[name=export]")
    file = tmp_path / "everything.json"
    download.value.save_as(file)
    with browser.new_context() as context:
        other = Chat(context.new_page(), app.url).open()
        other.page.set_input_files("input[name=file]", files=[file])
        other.page.locator("nav a", has_text="Of tides").click()
        expect(questions(other)).to_have_text(["Of tides"])
        step(other, "next")
        expect(questions(other)).to_have_text(["Of the moon"])
        whole(other)


def test_another_device_has_the_same_versions(chat: Chat, browser: Browser, gate: Gate) -> None:
    edit(chat, "Of the moon")
    whole(chat)
    step(chat, "previous")
    expect(questions(chat)).to_have_text(["Of tides"])
    gate.allow(40)
    chat.send("And then?")
    chat.until_seq(30)
    with browser.new_context() as context:
        other = Chat(context.new_page(), chat.url)
        other.page.goto(chat.page.url)
        expect(questions(other)).to_have_text(["Of tides", "And then?"])
        gate.open()
        other.until("() => document.querySelectorAll('article[data-state=complete]').length === 4")
        step(other, "next")
        expect(questions(other)).to_have_text(["Of the moon"])
        whole(other)
        other.assert_clean()


def test_another_tab_follows(chat: Chat, context: BrowserContext) -> None:
    other = Chat(context.new_page(), chat.url)
    other.page.goto(chat.page.url)
    other.until_ready()
    edit(chat, "Of the moon")
    expect(questions(other)).to_have_text(["Of the moon"])
    whole(other)
    step(other, "previous")
    expect(questions(chat)).to_have_text(["Of tides"])
    whole(chat)
    other.assert_clean()


def test_two_tabs_ask_at_once(chat: Chat, context: BrowserContext, app: Serve, gate: Gate) -> None:
    """The second prompt waits behind the first answer, and both tabs show one line of three answers."""
    other = Chat(context.new_page(), app.url).open()
    tabs = {"Of the moon": chat, "Of the sun": other}
    gate.allow(40)
    for text, tab in tabs.items():
        expect(tab.page.locator("article")).to_have_count(2)
        tab.page.fill("textarea[name=prompt]", text)
    for tab in tabs.values():
        tab.page.click("button[name=send]")
    for tab in tabs.values():
        expect(tab.page.locator("article")).to_have_count(6)
    gate.open()
    for tab in tabs.values():
        answers = tab.page.locator("article[data-author=assistant]")
        expect(answers.and_(tab.page.locator("[data-state=complete]"))).to_have_count(3)
        labels = [answers.nth(place).get_attribute("aria-label") for place in range(3)]
        assert labels == ["Answer 1", "Answer 2", "Answer 3"]
    assert questions(chat).all_inner_texts() == questions(other).all_inner_texts()
    assert sorted(questions(chat).all_inner_texts()) == ["Of the moon", "Of the sun", "Of tides"]
