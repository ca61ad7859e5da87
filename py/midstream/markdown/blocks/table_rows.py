"""Rows of tables: delimiter rows, cells, alignment.

GFM as marked and cmark-gfm agree on it: a delimiter row needs a pipe or a colon, the header row
must have as many cells, body rows are padded and cut to that. mistletoe checks no counts and ends
a table at a row without pipes.
"""

from __future__ import annotations

import re

from midstream.markdown import limits

_DELIMITER = re.compile(r"[ \t]*(:?)-+(:?)[ \t]*\Z")
_MAY_BE = re.compile(r"[|:\- \t]+$")
PIPE = re.compile(r"\\.|\|")
_ALIGNS = {("", ""): "", (":", ""): "left", ("", ":"): "right", (":", ":"): "center"}


def may_be_delimiters(text: str) -> bool:
    """Whether the text holds nothing that a delimiter row may not."""
    return _MAY_BE.match(text) is not None


def delimiters(text: str) -> list[str] | None:
    """The alignment per column of a delimiter row ("" for none), or None."""
    text = text.strip(" \t")
    if "|" not in text and ":" not in text:
        return None
    text = text.removeprefix("|")
    text = text.removesuffix("|")
    aligns = []
    for cell in text.split("|"):
        found = _DELIMITER.match(cell)
        if found is None:
            return None
        aligns.append(_ALIGNS[found[1], found[2]])
    return aligns if len(aligns) <= limits.COLUMNS else None


def cells(row: str) -> list[str]:
    """The raw cells of a row: split at pipes without a backslash, outer pipes taken off."""
    row = row.strip(" \t")
    out, start = [], 0
    for found in PIPE.finditer(row):
        if found[0] == "|":
            out.append(row[start : found.start()])
            start = found.end()
    if start < len(row) or not out:
        out.append(row[start:])
    return out[1:] if row.startswith("|") else out


def columns(row: str) -> int:
    """How many cells a header row has."""
    return len(cells(row))


def content(cell: str) -> str:
    """The Markdown of a raw cell."""
    return cell.strip(" \t").replace("\\|", "|") if "\\" in cell else cell.strip(" \t")
