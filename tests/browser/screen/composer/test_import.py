"""Archives of other programs, as a person chooses them; all that may be in one: tests/node/test_archives.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import FilePayload, expect

from tests.browser.screen_support import Screen
from tests.support.archives import archive

Choose = Callable[[bytes], None]


@pytest.fixture
def choose(screen: Screen) -> Choose:
    screen.goto().ready()

    def chosen(content: bytes) -> None:
        with screen.page.expect_file_chooser() as chooser:
            screen.page.get_by_role("button", name="Import").click()
        file: FilePayload = {
            "name": "export.zip",
            "mimeType": "application/zip",
            "buffer": content,
        }
        chooser.value.set_files(files=[file])

    return chosen


def test_an_archive_in_several_parts(screen: Screen, choose: Choose) -> None:
    choose(
        archive(
            ("conversations-001.json", b"[2]"),
            ("conversations-000.json", b"[1]"),
            ("user.json", b"{}"),
        )
    )
    assert [screen.intent("import")["text"] for _ in range(2)] == ["[1]", "[2]"]


def test_an_archive_without_conversations(screen: Screen, choose: Choose) -> None:
    choose(archive(("notes.txt", b"hello"), ("my-conversations.json", b"[]")))
    expect(screen.part("notice")).to_contain_text("There is no conversations.json in the archive export.zip.")


def test_damage_inside_is_said(screen: Screen, choose: Choose) -> None:
    content = bytearray(archive(("conversations.json", bytes(range(256)) * 40)))
    content[60:200] = b"\xff" * 140
    choose(bytes(content))
    expect(screen.part("notice")).to_contain_text("The archive could not be read")


def test_a_small_archive_that_unpacks_to_very_much(screen: Screen, choose: Choose) -> None:
    choose(archive(("conversations.json", b" " * (65 * 2**20))))
    expect(screen.part("notice")).to_contain_text("larger than 64 MB")
    assert "import" not in screen.intents()
