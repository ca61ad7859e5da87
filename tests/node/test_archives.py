"""Archives of other programs: what holds the conversations is found in them, and nothing else is read."""

from __future__ import annotations

import base64
import random
import zipfile

import pytest

from tests.support.archives import archive
from tests.support.node import in_node

LARGEST = 64 * 2**20
# The texts that were found, or of a long one that it was read; or the code of what is wrong.
READ = """async ([content, largest], web) => {
  const { TooLarge, conversationsIn } = await web('screen/composer/zip.js');
  const file = new File([Buffer.from(content, 'base64')], 'export.zip');
  try {
    const found = [];
    for await (const blob of conversationsIn(file, largest)) found.push(blob.size > 1000 ? 'read' : await blob.text());
    return found;
  } catch (error) {
    return error instanceof TooLarge ? 'too large' : error.problem?.code ?? String(error);
  }
}"""
# 22 bytes: one file, in a list that begins where the archive ends.
OUTSIDE = b"PK\5\6" + bytes([0, 0, 0, 0, 1, 0, 1, 0, 46, 0, 0, 0, 22, 0, 0, 0, 0, 0])


def read(content: bytes, largest: int = LARGEST) -> object:
    return in_node(READ, [base64.b64encode(content).decode(), largest])


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


def test_all_files_together_have_a_limit() -> None:
    """Twice that of one file. The list may lie about their sizes."""
    third = random.Random(1).randbytes(1000) * 800  # packed little enough to be believed
    files = [(f"conversations-{n}.json", third) for n in range(3)]
    made = bytearray(archive(*files, method=zipfile.ZIP_STORED))
    assert read(bytes(made), len(third)) == "too large"
    assert read(bytes(made), 2 * len(third)) == ["read"] * 3
    packed = archive(*[(name, third * 2) for name, _ in files])
    assert read(lying(packed, size=1), 2 * len(third)) == "too large"


def test_files_that_share_their_data_are_damage() -> None:
    """20 names for one piece of 60 MB took 7 GB."""
    made = archive(("conversations-0.json", b"[1]" * 99), ("conversations-1.json", b"[1]" * 99))
    assert read(lying(made, at=0)) == "archive_damaged"


def test_more_files_than_anybody_exports() -> None:
    assert read(archive(*[(f"conversations-{n}.json", b"[]") for n in range(201)])) == "archive_many"


def test_no_conversation_is_packed_a_thousand_fold() -> None:
    assert read(archive(("conversations.json", b" " * (8 * 2**20)))) == "archive_ratio"


def lying(content: bytes, **fields: int) -> bytes:
    """The archive with these numbers in each entry of its list."""
    made, found = bytearray(content), content.find(b"PK\x01\x02")
    while found >= 0:
        for field, value in fields.items():
            place = found + {"size": 24, "at": 42}[field]
            made[place : place + 4] = value.to_bytes(4, "little")
        found = content.find(b"PK\x01\x02", found + 4)
    return bytes(made)
