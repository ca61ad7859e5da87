"""What waits to be sent, and what a person keeps for themselves: queued prompts, the states in the list, files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from midstream.engine.ports.host import Message
from tests.browser.screen_support import STORE_JS, Ops, Screen, answer, asked, saved_rows


def queued(message: str, place: int, of: int) -> dict[str, Any]:
    return answer("queued", message, queue=[place, of])


@pytest.fixture
def waiting(screen: Screen) -> Screen:
    """Two prompts wait to be sent."""
    screen.goto().ready()
    screen.conversation(
        asked("First", "u1", "queued"),
        queued("a1", 1, 2),
        asked("Second", "u2", "queued"),
        queued("a2", 2, 2),
    )
    expect(screen.line("a2")).to_have_text("Waiting to send (2 of 2)")
    return screen


@pytest.fixture
def prompt(waiting: Screen) -> Locator:
    return waiting.page.get_by_role("textbox", name="Your message")


def test_what_waits_does_not_block_the_composer(waiting: Screen, prompt: Locator) -> None:
    expect(waiting.line("a1")).to_have_text("Waiting to send (1 of 2)")
    expect(waiting.article("u1")).to_have_attribute("data-state", "queued")
    expect(waiting.line("u1")).to_be_empty()
    expect(waiting.page.get_by_role("button", name="Stop")).to_be_hidden()
    prompt.fill("Third")
    prompt.press("Enter")
    assert waiting.intent("send")["text"] == "Third"


def test_what_waits_hides_nothing(waiting: Screen) -> None:
    for turn in (asked("Third", "u3", "queued"), queued("a3", 3, 3)):
        waiting.post({"type": "turn", "conversation": "c1", "turn": turn})
    expect(waiting.content("u3")).to_be_in_viewport()
    expect(waiting.content("u1")).to_be_in_viewport()


def test_a_queued_prompt_is_removed(waiting: Screen) -> None:
    waiting.article("a1").get_by_role("button", name="Remove").click()
    assert waiting.intent("remove") == {"type": "remove", "message": "a1"}
    waiting.post({"type": "removed", "conversation": "c9", "messages": ["u2", "a2"]})  # not shown
    waiting.post({"type": "removed", "conversation": "c1", "messages": ["u1", "a1"]})
    expect(waiting.article("a1")).to_have_count(0)
    expect(waiting.page.locator("article")).to_have_count(2)
    waiting.status("queued", "a2", queue=[1, 1])
    expect(waiting.line("a2")).to_have_text("Waiting to send")


def test_a_queued_prompt_is_edited(waiting: Screen, prompt: Locator) -> None:
    prompt.fill("being typed")
    waiting.article("a2").get_by_role("button", name="Edit").click()
    assert waiting.intent("edit") == {"type": "edit", "message": "a2"}
    waiting.post({"type": "removed", "conversation": "c1", "messages": ["u2", "a2"]})
    waiting.post({"type": "draft", "conversation": "c1", "text": "Second"})
    expect(prompt).to_have_value("Second\n\nbeing typed")  # no word of the person is lost
    expect(prompt).to_be_focused()
    expect(waiting.page.locator("article")).to_have_count(2)


@pytest.mark.parametrize("draft_first", [True, False])
def test_an_emptied_conversation_gives_its_draft_to_a_new_one(
    waiting: Screen, prompt: Locator, draft_first: bool
) -> None:
    removed: Message = {
        "type": "removed",
        "conversation": "c1",
        "messages": ["u1", "a1", "u2", "a2"],
    }
    draft: Message = {"type": "draft", "conversation": "c1", "text": "First"}
    waiting.post(*([draft, removed] if draft_first else [removed, draft]))
    expect(waiting.part("empty")).to_be_visible()
    assert waiting.intent("new") == {"type": "new"}
    expect(prompt).to_have_value("First")
    assert waiting.page.url.endswith("?c=new")
    waiting.page.reload()
    expect(prompt).to_have_value("First")


def test_a_removed_prompt_is_not_sent_again(waiting: Screen, prompt: Locator) -> None:
    prompt.fill("Third")
    prompt.press("Enter")
    message = waiting.intent("send")["message"]
    waiting.post({"type": "removed", "conversation": "c1", "messages": [message]})
    expect(waiting.article(message)).to_have_count(0)
    waiting.page.reload()
    waiting.intent("network")
    assert "send" not in waiting.intents()


def test_a_draft_of_another_conversation_waits_there(waiting: Screen, prompt: Locator) -> None:
    waiting.post({"type": "draft", "conversation": "c2", "text": "Elsewhere"})
    items = [{"id": "c2", "title": "Two", "state": "complete", "updated": 1}]
    waiting.post({"type": "conversations", "items": items})
    expect(prompt).to_have_value("")
    waiting.page.get_by_role("link", name="Two").click()
    expect(prompt).to_have_value("Elsewhere")


LISTED = [
    ("streaming", "active", "Answering", ""),
    ("queued", "waiting", "Waiting to send", ""),
    ("interrupted", "interrupted", "Interrupted", ""),
    ("finished", "finished", "", "Finished while you were away"),
    ("complete", "", "", ""),
    ("server", "active", "Answering", "On the server"),
]


def test_the_list_says_what_goes_on_where(screen: Screen) -> None:
    screen.goto().ready()
    items = [{"id": state, "title": f"{state}?", "state": state} for state, *_ in LISTED]
    items[-1] |= {"state": "streaming", "server": True}  # type: ignore[dict-item]
    screen.post({"type": "conversations", "items": items})
    for state, dot, hint, note in LISTED:
        link = screen.page.get_by_role("link", name=f"{state}?")
        expect(link).to_have_attribute("data-dot", dot)
        assert (link.get_attribute("title") or "") == hint
        expect(link).to_have_text(f"{state}?{note}")
        expect(link).to_have_accessible_description(hint)
    screen.page.get_by_role("link", name="server?").click()
    expect(screen.page.get_by_role("heading", level=1)).to_have_text("server?")  # not its note


def test_what_finished_unseen_is_read_from_its_start(screen: Screen) -> None:
    screen.goto("icons/icon.svg")
    long = Ops().of(*[("p", f"Paragraph {n}.") for n in range(120)])
    screen.page.evaluate(STORE_JS, saved_rows(long, state="complete"))
    screen.goto("?c=other").ready()
    items = [{"id": "c1", "title": "Tides", "state": "finished", "updated": 1}]
    screen.post({"type": "conversations", "items": items})
    screen.page.get_by_role("link", name="Tides").click()
    expect(screen.content("u1")).to_be_in_viewport()
    expect(screen.content().locator("p").last).not_to_be_in_viewport()


def test_everything_is_saved_to_a_file(screen: Screen) -> None:
    screen.goto().ready()
    screen.page.get_by_role("button", name="Download all data").click()
    assert screen.intent("export") == {"type": "export"}
    with screen.page.expect_download() as download:
        screen.post({"type": "download", "name": "all.json", "mime": "application/json", "text": "{}"})
    assert download.value.suggested_filename == "all.json"


def test_a_file_is_loaded(screen: Screen, tmp_path: Path) -> None:
    text = json.dumps({"format": "midstream", "title": "Ebbe und Flut, 潮"}, ensure_ascii=False)
    file = tmp_path / "all.json"
    file.write_text(text, encoding="utf-8")
    screen.goto().ready()
    for _ in range(2):  # the same file twice
        with screen.page.expect_file_chooser() as chooser:
            screen.page.get_by_role("button", name="Import").click()
        chooser.value.set_files(file)
        assert screen.intent("import") == {"type": "import", "text": text}
    screen.post({"type": "notice", "code": "imported", "level": "info", "detail": "2"})
    expect(screen.part("notice")).to_contain_text("2 conversations were added.")
    screen.post({"type": "notice", "code": "imported", "level": "info", "detail": "1"})
    expect(screen.part("notice")).to_contain_text("1 conversation was added.")


def test_a_file_that_is_too_large_is_refused(screen: Screen, tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    with file.open("wb") as large:
        large.truncate(64 * 2**20 + 1)
    screen.goto().ready()
    screen.page.locator("input[name=file]").set_input_files(file)
    expect(screen.part("notice")).to_contain_text("larger than 64 MB")
    assert "import" not in screen.intents()


def test_without_an_engine_files_are_not_promised(screen: Screen) -> None:
    screen.goto()
    screen.intent("network")
    screen.aside(type="engine", state="failed", detail="x")
    expect(screen.html).to_have_attribute("data-engine", "failed")
    screen.page.get_by_role("button", name="Download all data").click()
    expect(screen.part("notice")).to_contain_text("needs the engine")
    assert "export" not in screen.intents()
