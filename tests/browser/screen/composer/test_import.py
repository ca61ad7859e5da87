"""Archives of other programs: what holds the conversations is found in them, and nothing else is read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import FilePayload, expect

from tests.browser.screen_support import Screen

Choose = Callable[[bytes], None]


def archive(
    *files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b""
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, content in files:
            made.writestr(name, content)
        made.comment = comment
    return out.getvalue()


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


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_the_conversations_of_an_archive(screen: Screen, choose: Choose, method: int) -> None:
    text = '[{"title": "Ebbe und Flut, 潮"}]'
    picture = ("dalle/file-1.png", b"\x89PNG" * 50_000)
    choose(
        archive(
            picture,
            ("export/conversations.json", text.encode()),
            method=method,
            comment=b"PK\x05\x06 no",
        )
    )
    assert screen.intent("import") == {"type": "import", "text": text}


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
    expect(screen.part("notice")).to_contain_text(
        "There is no conversations.json in the archive export.zip."
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"not an archive" * 100, archive(("conversations.json", b"[1]" * 999))[:-30]],
)
def test_what_is_no_archive_is_said(screen: Screen, choose: Choose, content: bytes) -> None:
    choose(content)
    expect(screen.part("notice")).to_contain_text("The archive could not be read")


def test_damage_inside_is_said(screen: Screen, choose: Choose) -> None:
    content = bytearray(archive(("conversations.json", bytes(range(256)) * 40)))
    content[60:200] = b"\xff" * 140
    choose(bytes(content))
    expect(screen.part("notice")).to_contain_text("The archive could not be read")


def test_a_small_archive_that_unpacks_to_very_much(screen: Screen, choose: Choose) -> None:
    choose(archive(("conversations.json", b" " * (65 * 2**20))))
    expect(screen.part("notice")).to_contain_text("larger than 64 MB")
    assert "import" not in screen.intents()
