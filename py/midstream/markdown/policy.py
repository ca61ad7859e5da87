"""What a document may become: the screen's closed vocabulary, or what a specification prescribes.

`safe` is what people see. The other policies exist to be held against specifications and are
never sent to a screen. `spec` is CommonMark with those GFM extensions that contradict no
CommonMark example (of bare links only `www.`); `gfm` adds bare URLs and mail addresses and the tag
filter, which do; `marked` is `gfm` as the library marked renders it, without the filter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from midstream.errors import UsageError


@dataclass(frozen=True, slots=True)
class Policy:
    """Switches of the parser; one object per named policy, shared and never changed."""

    name: str
    raw_html: bool = False
    bare_links: bool = True
    """Bare URLs with a scheme and mail addresses; bare `www.` links are always made."""
    tag_filter: bool = False
    notes: bool = False
    math: bool = False


POLICIES = {
    "safe": Policy("safe", notes=True, math=True),
    "spec": Policy("spec", raw_html=True, bare_links=False),
    "gfm": Policy("gfm", raw_html=True, tag_filter=True),
    "marked": Policy("marked", raw_html=True),
}


def policy(name: str) -> Policy:
    """The policy of that name; UsageError when there is none."""
    try:
        return POLICIES[name]
    except KeyError:
        known = ", ".join(POLICIES)
        raise UsageError(f"Unknown Markdown policy {name!r}; known are {known}.") from None


# What browsers' URL parsers drop before they look at the scheme: it must not hide one.
_DROPPED = re.compile(r"[\t\n\r]|\A[\x00-\x20]+|[\x00-\x20]+\Z")
_ABSOLUTE = re.compile(r"(?:https?://[^/?#\\\s]|mailto:.)", re.IGNORECASE)


def escape_url(url: str) -> str:
    """Percent-encode what a URL may not hold; what is encoded already stays as it is."""
    if url.isascii() and _PLAIN_URL.match(url):
        return url
    safe = url.encode("utf-8", "replace").decode("utf-8")
    return _ESCAPE.sub(lambda m: quote(m[0], safe=_URL_SAFE), safe)


_URL_SAFE = "!#$&'()*+,-./:;=?@_~"
_PLAIN_URL = re.compile(r"[A-Za-z0-9!#$&'()*+,\-./:;=?@_~]*\Z")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|[^%]+")


def gate(url: str) -> str | None:
    """The URL as the screen may have it: http, https or mailto, absolute; else None."""
    url = _DROPPED.sub("", url)
    return escape_url(url) if _ABSOLUTE.match(url) else None
