"""The rule for angle brackets: autolinks and raw HTML inside a leaf."""

from __future__ import annotations

import re
from collections.abc import Callable

from midstream.markdown.inline import html_tags
from midstream.markdown.inline.context import Context
from midstream.markdown.nodes import El, Shown
from midstream.markdown.policy import Policy

_URI = re.compile(r"<([A-Za-z][A-Za-z0-9.+-]{1,31}:[^\x00-\x20\x7f<>]*+)>")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAIL = re.compile(r"<([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]++@" + _LABEL + r"(?:\." + _LABEL + r")*+)>")
_TAG = re.compile(html_tags.OPEN + "|" + html_tags.CLOSING)
_BEGUN = re.compile(
    r"<(?:[A-Za-z][A-Za-z0-9.+-]{0,31}:[^\x00-\x20\x7f<>]*|[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]++@?[A-Za-z0-9.-]*"
    r"|/?|/[A-Za-z][A-Za-z0-9-]*\s*|"
    + html_tags.NAME
    + html_tags.ATTRIBUTES
    + r"(?:\s+(?:[A-Za-z_:][A-Za-z0-9_.:-]*(?:\s*=\s*(?:[^\s\"'=<>`]+|'[^']*|\"[^\"]*)?|\s+)?)?|\s*/)?)\Z"
)
_BREAK = re.compile(r"<br\s*/?>\Z", re.IGNORECASE)
_FILTERED = re.compile(
    r"<(?=/?(?:title|textarea|style|xmp|iframe|noembed|noframes|script|plaintext)(?:[\s/>]|\Z))",
    re.IGNORECASE,
)


def angle(cx: Context, i: int) -> int:
    """An autolink, raw HTML, or just a less-than sign."""
    found = _autolink(cx.text, i)
    if found:
        end, url = found
        shown = cx.text[i + 1 : end - 1]
        return cx.leaf(i, end, cx.anchor(url, "", [shown], shown))
    end = _inline_html(cx.text, i, cx.find)
    if end > 0:
        if cx.policy.raw_html:
            _anchor_tag(cx, i)
        return cx.leaf(i, end, _shown(cx.text[i:end], cx.policy))
    if not cx.final and may_begin(cx.text, i):
        return cx.wait(i)
    return i + 1


def _anchor_tag(cx: Context, i: int) -> None:
    """Inside a raw `<a …>` no bare link is made."""
    if cx.text.startswith(("<a ", "<A "), i):
        cx.unsettle(i)
        cx.in_anchor = True
    elif cx.text.startswith(("</a>", "</A>"), i):
        cx.in_anchor = False


def _autolink(text: str, i: int) -> tuple[int, str] | None:
    """(end, URL) of `<https://…>` or `<someone@…>` at i."""
    found = _URI.match(text, i)
    if found:
        return found.end(), found[1]
    found = _MAIL.match(text, i)
    return (found.end(), "mailto:" + found[1]) if found else None


def _inline_html(text: str, i: int, find: Callable[[str, int], int]) -> int:
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


def _shown(source: str, policy: Policy) -> Shown:
    """Raw HTML inside a leaf: text, but for line breaks, which models write into table cells.
    HTML that a specification prescribes to pass through is never part of a screen's patches."""
    if policy.raw_html:
        return El("#html", None, [filtered(source) if policy.tag_filter else source])
    return El("br") if _BREAK.match(source) else source


def filtered(source: str) -> str:
    """Raw HTML with the tags that GFM disallows made harmless."""
    return _FILTERED.sub("&lt;", source)
