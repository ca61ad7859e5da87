"""Text from outside, made fit to be stored and shown."""

from __future__ import annotations

TITLE_CHARACTERS = 60  # of a title that is made of a prompt


def whole_characters(text: str) -> str:
    """Half surrogate pairs joined, or replaced: JSON may hold them, no store or page can."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def title_of(text: str, limit: int = TITLE_CHARACTERS) -> str:
    """The text in one line of at most `limit` characters, with "…" where it was cut."""
    title = " ".join(text.split())
    return title if len(title) <= limit else title[: limit - 1].rstrip() + "…"
