"""A file to import: our own, or the export of another program.

Each conversation is decoded when it has its turn: as objects, a file takes several times its size.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from midstream import json_text
from midstream.engine.transfer import archive_schema, chatgpt, openwebui
from midstream.engine.transfer.archive_schema import ArchivedConversation, Unusable
from midstream.errors import UsageError
from midstream.json_text import LEVELS, TooDeep, brackets
from midstream.problems import problem

FILE_CHARACTERS = 64 * 2**20
SAMPLE = 3  # conversations by which the program of a file is known
SLICE = 5000  # brackets that are looked at before others get their turn

_OUR_LIST = re.compile(r'(?<!\\)"conversations"\s{0,99}:\s{0,99}\Z')


@dataclass(slots=True)
class Undecoded:
    """The text of one conversation."""

    file: str
    start: int
    end: int

    def decode(self) -> Any:
        """Raises Unusable."""
        try:
            return json.loads(self.file[self.start : self.end])
        except ValueError as error:
            raise Unusable(problem("unusable_json")) from error


async def decode(file: str) -> Any:
    """The contents of a file, in which the conversations of a list are Undecoded; others get their turn meanwhile.
    Raises UsageError."""
    if len(file) > FILE_CHARACTERS:
        raise UsageError(problem("import_too_large"))
    try:
        objects = await _objects(file)
        data = json_text.decode(_without(file, objects))
    except TooDeep as error:
        raise UsageError(problem("import_deep", limit=LEVELS)) from error
    except ValueError as error:
        raise UsageError(problem("import_unknown")) from error
    listed = data.get("conversations") if isinstance(data, dict) else data
    if isinstance(listed, list):
        left = iter(objects)
        listed[:] = [next(left, one) if isinstance(one, dict) else one for one in listed]
    return data


async def _objects(file: str) -> list[Undecoded]:
    """The objects in the list that is the file, or in the list `conversations` of the object that it is."""
    found: list[Undecoded] = []
    inside, start = 0, -1  # the level in that list, and where an object of it begins
    for number, (bracket, at, level) in enumerate(brackets(file)):
        if bracket == "[" and (level == 1 or (level == 2 and _OUR_LIST.search(file, max(0, at - 250), at))):
            inside, found = level, []  # of two lists of a name the last one counts
        elif bracket == "]" and level == inside:
            inside = 0
        elif inside and bracket == "{" and level == inside + 1:
            start = at
        elif bracket == "}" and level == inside + 1 and start >= 0:
            found.append(Undecoded(file, start, at + 1))
            start = -1
        if number % SLICE == SLICE - 1:
            await asyncio.sleep(0)
    return found


def _without(file: str, objects: list[Undecoded]) -> str:
    """The file with "{}" in place of these."""
    ends = [0, *(one.end for one in objects)]
    starts = [*(one.start for one in objects), len(file)]
    return "{}".join(file[end:start] for end, start in zip(ends, starts, strict=True))


def conversations(data: Any) -> Iterator[ArchivedConversation | Unusable]:
    """Each conversation of the file, or why it cannot be used. Raises UsageError, before the first
    one, when it is no such file."""
    used: set[str] = set()
    for number, listed in enumerate(_listing(data), 1):
        try:
            raw = _decoded(listed)
            own = _in_our_form(raw)
            conversation = archive_schema.conversation(own, used)
            # An empty conversation of another program is of no use.
            if conversation.messages or own is raw:
                yield conversation
        except Unusable as error:
            yield Unusable(problem("in_conversation", parts=[error.problem], number=number))


def _decoded(listed: Any) -> Any:
    return listed.decode() if isinstance(listed, Undecoded) else listed


def _listing(data: Any) -> list[Any]:
    entries = data if isinstance(data, list) else [data]
    if entries and all(_is_foreign(one) for one in entries[:SAMPLE]):
        return entries
    return archive_schema.listing(data)


def _is_foreign(listed: Any) -> bool:
    try:
        raw = _decoded(listed)
    except Unusable:
        return False
    return chatgpt.is_one(raw) or openwebui.is_one(raw)


def _in_our_form(raw: Any) -> Any:
    if chatgpt.is_one(raw):
        return chatgpt.conversation(raw)
    if openwebui.is_one(raw):
        return openwebui.conversation(raw)
    return raw
