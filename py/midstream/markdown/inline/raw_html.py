"""Angle brackets: autolinks, raw HTML inside a leaf, and the seven kinds of HTML block.

The patterns of tags are mistletoe's; what it gets wrong against CommonMark 0.31 (comments,
declarations, autolinks over line ends) stands here.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mistletoe import span_token

from midstream.markdown.nodes import El, Shown
from midstream.markdown.policy import Policy

_URI = re.compile(r"<([A-Za-z][A-Za-z0-9.+-]{1,31}:[^\x00-\x20\x7f<>]*+)>")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAIL = re.compile(r"<([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]++@" + _LABEL + r"(?:\." + _LABEL + r")*+)>")
_OPEN = span_token._open_tag.removeprefix(r"(?<!\\)")
_CLOSING = span_token._closing_tag.removeprefix(r"(?<!\\)")
_TAG = re.compile(_OPEN + "|" + _CLOSING)
_ATTRS = span_token._attrs
_BEGUN = re.compile(
    r"<(?:[A-Za-z][A-Za-z0-9.+-]{0,31}:[^\x00-\x20\x7f<>]*|[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]++@?[A-Za-z0-9.-]*"
    r"|/?|/[A-Za-z][A-Za-z0-9-]*\s*|"
    + span_token._tag
    + _ATTRS
    + r"(?:\s+(?:[A-Za-z_:][A-Za-z0-9_.:-]*(?:\s*=\s*(?:[^\s\"'=<>`]+|'[^']*|\"[^\"]*)?|\s+)?)?|\s*/)?)\Z"
)
_BREAK = re.compile(r"<br\s*/?>\Z", re.IGNORECASE)
_FILTERED = re.compile(
    r"<(?=/?(?:title|textarea|style|xmp|iframe|noembed|noframes|script|plaintext)(?:[\s/>]|\Z))",
    re.IGNORECASE,
)


def autolink(text: str, i: int) -> tuple[int, str] | None:
    """(end, URL) of `<https://…>` or `<someone@…>` at i."""
    found = _URI.match(text, i)
    if found:
        return found.end(), found[1]
    found = _MAIL.match(text, i)
    return (found.end(), "mailto:" + found[1]) if found else None


def inline_html(text: str, i: int, find: Callable[[str, int], int]) -> int:
    """Where the tag, comment, instruction, declaration or CDATA at i ends; -1 if none is there."""
    if text.startswith(("<!", "<?"), i):
        for opening, closing, least in _LITERALS:
            if text.startswith(opening, i):
                if opening == "<!" and not text[i + 2 : i + 3].isalpha():
                    return -1
                at = find(closing, i + least)
                return at + len(closing) if at >= 0 else -1
    found = _TAG.match(text, i)
    return found.end() if found else -1


# Opening, closing, and how far behind the opening the closing may begin at the earliest.
_LITERALS = (("<!--", "-->", 2), ("<![CDATA[", "]]>", 9), ("<?", "?>", 2), ("<!", ">", 2))


def may_begin(text: str, i: int) -> bool:
    """Whether text[i:] may be the beginning of an autolink or of raw HTML."""
    if text.startswith(("<!-", "<![", "<?"), i):
        return True
    rest = text[i : i + 3]
    if rest.startswith("<!"):
        return len(rest) == 2 or rest[2].isalpha()
    return _BEGUN.match(text, i) is not None


def shown(source: str, policy: Policy) -> Shown:
    """Raw HTML inside a leaf: text, but for line breaks, which models write into table cells."""
    if policy.raw_html:
        return raw(source, policy)
    return El("br") if _BREAK.match(source) else source


def raw(source: str, policy: Policy) -> Shown:
    """HTML that a specification prescribes to pass through; never part of a screen's patches."""
    return El("#html", None, [filtered(source) if policy.tag_filter else source])


def filtered(source: str) -> str:
    """Raw HTML with the tags that GFM disallows made harmless."""
    return _FILTERED.sub("&lt;", source)


# --- HTML blocks ---------------------------------------------------------------------------------

_LITERAL_END = re.compile(r"</(?:script|pre|textarea|style)>", re.IGNORECASE)
_BLOCKS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (re.compile(r"<!--"), re.compile(r"-->")),
    (re.compile(r"<\?"), re.compile(r"\?>")),
    (re.compile(r"<![A-Za-z]"), re.compile(r">")),
    (re.compile(r"<!\[CDATA\["), re.compile(r"\]\]>")),
)
_NAMES = "|".join(sorted({*span_token._tags, "search"} - {"source"}))
_LITERAL = re.compile(r"<(?:script|pre|textarea|style)(?:[\s>]|$)", re.IGNORECASE)
_NAMED = re.compile(rf"</?(?:{_NAMES})(?:\s|/?>|$)", re.IGNORECASE)
_LONE = re.compile(rf"(?:{_OPEN}|{_CLOSING})[ \t]*$")
_NAME_BEGUN = re.compile(r"<(?:!-?|!\[[A-Z]{0,5}|/?(?:[A-Za-z][A-Za-z0-9]{0,12})?/?)\Z")
BLANK = re.compile(r"[ \t]*\Z")


class Undecided(Exception):
    """The line must go on before it can be said what it is."""


def block(text: str, i: int, *, whole: bool, interrupts: bool) -> re.Pattern[str] | None:
    """The condition that ends the HTML block that begins at text[i:], BLANK for a blank line; None
    when none begins there. With `interrupts` (a paragraph is open) a lone tag begins none."""
    for begin, end in _BLOCKS:
        if begin.match(text, i):
            return end
    for pattern, end in ((_LITERAL, _LITERAL_END), (_NAMED, BLANK)):
        found = pattern.match(text, i)
        if found and not whole and found.end() == len(text) and text[-1].isalnum():
            raise Undecided
        if found:
            return end
    if whole:
        return BLANK if not interrupts and _LONE.match(text, i) else None
    if _NAME_BEGUN.match(text, i):
        raise Undecided
    if not interrupts and (may_begin(text, i) or _LONE.match(text, i)):
        raise Undecided
    return None
