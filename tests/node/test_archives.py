"""Archives of other programs: what holds the conversations is found in them, and nothing else is read."""

from __future__ import annotations

import base64
import zipfile

import pytest

from tests.support.archives import archive
from tests.support.node import in_node

LARGEST = 64 * 2**20
# The texts that were found; or the code of what is wrong.
READ = """async ([content, largest], web) => {
  const { TooLarge, conversationsIn } = await web('screen/composer/zip.js');
  const file = new File([Buffer.from(content, 'base64')], 'export.zip');
  try {
    const found = await conversationsIn(file, largest);
    return await Promise.all(found.map((blob) => blob.text()));
  } catch (error) {
    return error instanceof TooLarge ? 'too large' : error.problem?.code ?? String(error);
  }
}"""
# 22 bytes: one file, in a list that begins where the archive ends.
OUTSIDE = b"PK\5\6" + bytes([0, 0, 0, 0, 1, 0, 1, 0, 46, 0, 0, 0, 22, 0, 0, 0, 0, 0])


def read(content: bytes) -> object:
    return in_node(READ, [base64.b64encode(content).decode(), LARGEST])


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_the_conversations_of_an_archive(method: int) -> None:
    text = '[{"title": "Ebbe und Flut, 潮"}]'
    picture = ("dalle/file-1.png", b"\x89PNG" * 50_000)
    conversations = ("export/conversations.json", text.encode())
    made = archive(picture, conversations, method=method, comment=b"PK\x05\x06 no")
    assert read(made) == [text]


def test_an_archive_in_several_parts() -> None:
    second, first = ("conversations-001.json", b"[2]"), ("conversations-000.json", b"[1]")
    assert read(archive(second, first, ("user.json", b"{}"))) == ["[1]", "[2]"]


def test_an_archive_without_conversations() -> None:
    assert read(archive(("notes.txt", b"hello"), ("my-conversations.json", b"[]"))) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "archive_none"),
        (b"PK", "archive_none"),
        (b"no archive", "archive_none"),
        (b"not an archive" * 100, "archive_none"),
        (archive(("conversations.json", b"[1]" * 999))[:-30], "archive_none"),
        (OUTSIDE, "archive_damaged"),
    ],
)
def test_what_is_no_archive_is_said(content: bytes, code: str) -> None:
    assert read(content) == code


def test_a_small_archive_that_unpacks_to_very_much() -> None:
    assert read(archive(("conversations.json", b" " * (65 * 2**20)))) == "too large"
