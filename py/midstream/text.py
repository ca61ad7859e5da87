"""Text from outside, made fit to be stored and shown."""

from __future__ import annotations

import re

_HALVES = re.compile("([\ud800-\udbff])([\udc00-\udfff])|[\ud800-\udfff]")
TITLE_CHARACTERS = 60  # of a title that is made of a prompt
_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")


def whole_characters(text: str) -> str:
    """Half surrogate pairs joined, or replaced: JSON may hold them, no store or page can."""
    try:
        text.encode()
    except UnicodeEncodeError:  # not by an error handler of a codec, which looks at all of the text for each half
        return _HALVES.sub(_whole, text)
    return text


def _whole(found: re.Match[str]) -> str:
    high, low = found.groups()
    return chr(0x10000 + (ord(high) - 0xD800) * 0x400 + ord(low) - 0xDC00) if high else "\ufffd"


def prompt_of(text: str) -> str:
    """A prompt without the blank lines before it and the white space after it; "" when there is
    nothing else. The first line keeps its indentation: it may be Python or YAML.

    web/shared/invisible.js does the same; tests/unit/twins/prompts.json tests both.
    """
    return _BLANK_LINES.sub("", text.rstrip(), count=1)


def title_of(text: str, limit: int = TITLE_CHARACTERS) -> str:
    """The text in one line of at most `limit` characters, with "…" where it was cut."""
    title = " ".join(text.split())
    return title if len(title) <= limit else title[: limit - 1].rstrip() + "…"
