"""Errors of SQLite and of the system, in words for a person."""

from __future__ import annotations

_KNOWN = {
    "database or disk is full": "its disk is full",
    "no space left on device": "its disk is full",
    "disk quota exceeded": "its disk is full",
    "file too large": "its disk is full",
    "attempt to write a readonly database": "it is read-only",
    "read-only file system": "it is read-only",
    "unable to open database file": "it cannot be opened",
    "file is not a database": "it is not a run log",
    "disk I/O error": "its disk is full or failing",
    "a damaged batch in the log": "a part of it is damaged",
    "database is locked": "another program holds it",
}


def words_of(error: BaseException) -> str:
    """Always some, perhaps the system's own."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "a part of its path is not a folder"
    return known_words(error) or _text_of(error)


def known_words(error: BaseException) -> str:
    """Words that name no file and may be told to everybody; "" when there are none for it."""
    return _KNOWN.get(_text_of(error), "")


def _text_of(error: BaseException) -> str:
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
