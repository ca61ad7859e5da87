"""Scanners for the parts of links: destination, title, label, entities. Each is linear.

mistletoe's own scanners give the same answers but look at the rest of the text again for every
bracket (measured: n^2 on `[a](b` repeated), and cannot say that the text ends too early. Here an
end of text that leaves the question open is PARTIAL; None means that it is no such thing.
"""

from __future__ import annotations

import html
import re
from html.entities import html5

from midstream.markdown import limits

PARTIAL = "partial"

_PUNCTUATION = r"[!-/:-@\[-`{-~]"
_ESCAPED = re.compile(r"\\(" + _PUNCTUATION + r")|(&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|\w{1,32});)")
ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{0,31});")
ENTITY_BEGUN = re.compile(r"&(?:#(?:[0-9]{0,7}|[xX][0-9a-fA-F]{0,6})|[A-Za-z][A-Za-z0-9]{0,31})?\Z")
SPACE = re.compile(r"[ \t\n]*")
_ANGLE = re.compile(r"<((?:[^<>\n\\]|\\.)*+)(>?)")
_RUN = re.compile(r"(?:[^\x00-\x20\x7f()\\]|\\" + _PUNCTUATION + r"|\\(?![!-/:-@\[-`{-~]))+")
_TITLE = {
    '"': re.compile(r'"((?:[^"\\]|\\.)*+)("?)', re.DOTALL),
    "'": re.compile(r"'((?:[^'\\]|\\.)*+)('?)", re.DOTALL),
    "(": re.compile(r"\(((?:[^()\\]|\\.)*+)(\)?)", re.DOTALL),
}
LABEL = re.compile(rf"\[((?:[^\\\[\]]|\\.){{0,{limits.LABEL}}}+)(\]?)", re.DOTALL)

Scanned = tuple[int, str]
Target = tuple[int, str, str]


def entity(source: str) -> str | None:
    """What `&name;` stands for, or None: only names of HTML5 written with their semicolon count
    (the standard library's unescape would also take `&copy` out of `&copyright;`)."""
    if source.startswith("&#"):
        return html.unescape(source) if source != "&#0;" else "\ufffd"
    return html5.get(source[1:])


def key(label: str) -> str:
    """What a label is looked up by; empty for no label."""
    return " ".join(label.split()).casefold()


def note_key(label: str) -> str:
    """The key of a footnote's label among the link labels; no link label may be used like it, since
    under the policy that has footnotes a label with a caret is always a footnote's."""
    return "^" + key(label)


def unescape(s: str) -> str:
    """Backslash escapes and entities resolved, as in destinations, titles and info strings."""
    if "\\" not in s and "&" not in s:
        return s
    return _ESCAPED.sub(lambda m: m[1] or entity(m[2]) or m[2], s)


def destination(text: str, i: int, end: int) -> Scanned | str | None:
    """(position after it, destination as written) at text[i:end]."""
    if i < end and text[i] == "<":
        found = _ANGLE.match(text, i, end)
        assert found
        if found[2]:
            return found.end(), found[1]
        rest = found.end()
        return PARTIAL if rest == end or (rest == end - 1 and text[rest] == "\\") else None
    depth = 0
    start = i
    while True:
        run = _RUN.match(text, i, end)
        if run:
            i = run.end()
        if i == end or text[i] not in "()":
            break
        if text[i] == "(":
            depth += 1
            if depth > limits.PARENS:
                return None
        elif depth == 0:
            break
        else:
            depth -= 1
        i += 1
    if i == end:
        return PARTIAL if depth else (i, text[start:i])
    return (i, text[start:i]) if depth == 0 else None


def title(text: str, i: int, end: int) -> Scanned | str | None:
    """(position after it, title as written) at text[i:end], which must begin with its quote."""
    pattern = _TITLE.get(text[i])
    if pattern is None:
        return None
    found = pattern.match(text, i, end)
    assert found
    if found[2]:
        return found.end(), found[1]
    rest = found.end()
    return PARTIAL if rest == end or (rest == end - 1 and text[rest] == "\\") else None


def target(text: str, i: int, end: int) -> Target | str | None:
    """(position after it, destination, title) of the `(…)` part of a link, unescaped."""
    i = _skip(text, i + 1, end)
    if i == end:
        return PARTIAL
    where = destination(text, i, end)
    if not isinstance(where, tuple):
        return where
    i, written = where
    after = _skip(text, i, end)
    if after == end:
        return PARTIAL
    named = ""
    if text[after] != ")":
        if after == i:
            return None
        found = title(text, after, end)
        if not isinstance(found, tuple):
            return found
        after, named = found
        after = _skip(text, after, end)
        if after == end:
            return PARTIAL
        if text[after] != ")":
            return None
    return after + 1, unescape(written), unescape(named)


def _skip(text: str, i: int, end: int) -> int:
    found = SPACE.match(text, i, end)
    return found.end() if found else i
