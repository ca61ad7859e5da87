"""A file to import: our own, or the export of another program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from midstream.engine.transfer import archive_schema, chatgpt, openwebui
from midstream.engine.transfer.archive_schema import ArchivedConversation, Unusable
from midstream.errors import UsageError
from midstream.problems import problem

FILE_CHARACTERS = 64 * 2**20
SAMPLE = 3  # conversations by which the program of a file is known


def decode(file: str) -> Any:
    """The contents of a file. Raises UsageError."""
    if len(file) > FILE_CHARACTERS:
        raise UsageError(problem("import_too_large"))
    try:
        return json.loads(file)
    except (ValueError, RecursionError) as error:
        raise UsageError(problem("import_unknown")) from error


def conversations(data: Any) -> Iterator[ArchivedConversation | Unusable]:
    """Each conversation of the file, or why it cannot be used. Raises UsageError, before the first
    one, when it is no such file."""
    used: set[str] = set()
    for number, raw in enumerate(_listing(data), 1):
        try:
            own = _in_our_form(raw)
            conversation = archive_schema.conversation(own, used)
            # An empty conversation of another program is of no use.
            if conversation.messages or own is raw:
                yield conversation
        except Unusable as error:
            yield Unusable(problem("in_conversation", parts=[error.problem], number=number))


def _listing(data: Any) -> list[Any]:
    entries = data if isinstance(data, list) else [data]
    if entries and all(chatgpt.is_one(one) or openwebui.is_one(one) for one in entries[:SAMPLE]):
        return entries
    return archive_schema.listing(data)


def _in_our_form(raw: Any) -> Any:
    if chatgpt.is_one(raw):
        return chatgpt.conversation(raw)
    if openwebui.is_one(raw):
        return openwebui.conversation(raw)
    return raw
