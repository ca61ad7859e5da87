"""Rules for links that are written without any mark: URLs and mail addresses in the text (GFM's
extended autolinks).

A URL that may still go on is shown as a link without a target, on trust.
"""

from __future__ import annotations

import re

from midstream.markdown.inline.context import Context
from midstream.markdown.inline.links import PARTIAL
from midstream.markdown.nodes import El, Shown

# A `]` without its `[` ends a URL, whether a bracket is open around it or not: what a URL is must not
# depend on text before a checkpoint.
_BARE = re.compile(r"(?:\[[^\s<\[\]]*+\]|[^\s<\]])*+")
_HOST = re.compile(r"[^\s<>/?#:\x00-\x20!\"$%&'()*+,;=@\[\\\]^`{|}~]+", re.ASCII)
_TRAILING_ENTITY = re.compile(r"&[A-Za-z0-9]+;\Z")
_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_")
_DOMAIN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


def url(cx: Context, i: int) -> int:
    """A URL that begins with its scheme or with `www.`."""
    text = cx.text
    www = text[i] == "w"
    prefix = 4 if www else text.index("/", i) + 2 - i
    if cx.in_anchor:
        return i + prefix
    before = text[i - 1] if i else " "
    if before.isalnum() or (www and before not in " \t\n*_~("):
        return i + 1
    found = _url(text, i, 0 if www else prefix, cx.size)
    if found is None:
        if not cx.final and text.find(" ", i) < 0 and text.find("\n", i) < 0:
            cx.unsettle(i)
            cx.open_url = True
        return i + prefix
    stop, run = found
    shown = text[i:stop]
    node = cx.anchor("http://" + shown if www else shown, "", [shown], shown)
    if run == cx.size and not cx.final:
        return _growing_url(cx, i, stop, node)
    cx.leaf(i, stop, node)
    cx.spans[-1].bare = True
    return stop


def _growing_url(cx: Context, i: int, stop: int, node: Shown) -> int:
    """A URL that may go on: a link whose target is not known yet."""
    cx.unsettle(i)
    cx.open_url = True
    if isinstance(node, El):
        node = El("a", None, node.children, mark="")
    cx.leaf(i, stop, node)
    cx.spans[-1].bare = True
    cx.end = stop
    return -1


def mail(cx: Context, i: int) -> int:
    """A mail address around its `@`."""
    if cx.in_anchor:
        return i + 1
    top = cx.stack.top
    end = cx.size
    if top is not None and top.char == "_" and top.opens:
        # In `_someone@example.org_` the last `_` is not part of the address.
        stop = _mail_end(cx.text, i, end)
        end = stop if cx.final or (stop < end and cx.text[end - 1] != "_") else end
    found = _mail(cx.text, cx.floor, i, end)
    if found == PARTIAL and end < cx.size:
        found = _mail(cx.text[:end] + " ", cx.floor, i, end + 1)
    if found == PARTIAL and not cx.final:
        return cx.wait(i)
    if found == PARTIAL:
        found = _mail(cx.text + " .", cx.floor, i, cx.size + 2)
    if not isinstance(found, tuple):
        return i + 1
    start, stop = found
    target = "mailto:" + cx.text[start:stop]
    if start - 7 >= cx.floor and cx.text[start - 7 : start] == "mailto:":
        start -= 7
    shown = cx.text[start:stop]
    cx.leaf(start, stop, cx.anchor(target, "", [shown], shown))
    cx.spans[-1].bare = True
    return stop


def _url(text: str, i: int, prefix: int, end: int) -> tuple[int, int] | None:
    """(end of the link, end of the text it was taken from) for a URL at text[i:end].

    `prefix` is the length of its scheme (with `://`), or 0 for `www.`.
    """
    run = _BARE.match(text, i, end)
    assert run
    host = _HOST.match(text, i + prefix, end)
    if host is None or not _is_domain(host[0], dotted=not prefix):
        return None
    stop = _without_trailing(text, host.end(), run.end())
    return stop, run.end()


def _is_domain(host: str, dotted: bool) -> bool:
    parts = host.rstrip(".").split(".")
    if dotted and (len(parts) < 2 or not parts[1]):
        return False
    return not any("_" in part for part in parts[-2:]) and bool(parts[0])


def _without_trailing(text: str, least: int, stop: int) -> int:
    """Take off punctuation that belongs to the sentence rather than to the URL."""
    segment = text[least:stop]
    spare = segment.count(")") - segment.count("(")
    while stop > 0:
        last = text[stop - 1]
        if last == ")":
            if spare <= 0:
                break
            spare -= 1
            stop -= 1
        elif last in "?!.,:*_~'\"":
            stop -= 1
        elif last == ";":
            known = _TRAILING_ENTITY.search(text, max(least, stop - 40), stop)
            stop = known.start() if known else stop - 1
        else:
            break
    return stop


def _mail(text: str, floor: int, at: int, end: int) -> tuple[int, int] | str | None:
    """(start, end) of the mail address around the `@` at `at`, not reaching below `floor`."""
    start = at
    while start > floor and text[start - 1] in _LOCAL:
        start -= 1
    if start == at:
        return None
    domain = _DOMAIN.match(text, at + 1, end)
    if domain is None:
        return PARTIAL if at + 1 == end else None
    stop = domain.end()
    if stop >= end - 1 and (stop == end or text[stop] == "."):
        return PARTIAL
    if "." not in domain[0] or domain[0][-1] in "-_":
        return None
    return start, stop


def _mail_end(text: str, at: int, end: int) -> int:
    """Where the domain behind the `@` ends when underscores that follow it are not part of it."""
    domain = _DOMAIN.match(text, at + 1, end)
    if domain is None:
        return end
    return at + 1 + len(domain[0].rstrip("_"))
