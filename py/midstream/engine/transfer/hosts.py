"""Where a link of a saved page leads, said as the screen says it (web/shared/apply.js, `showHost`)."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urlsplit

from midstream.patch import Node

_PLAIN = re.compile(r"[!-~]*")  # characters without look-alikes


def plain_address(address: str) -> tuple[str, str]:
    """The address without a user name, and its host in the form that a browser asks for; of a mail the address."""
    parts = _split(address)
    if parts is None or not parts.netloc:
        return address, address.partition(":")[2]
    netloc = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=netloc).geturl(), _asked_for(netloc)


def names(text: str, host: str) -> bool:
    """Whether the text of a link says truly where it leads."""
    text = text.strip()
    parts = _split(text if "://" in text else f"https://{text}")
    same = parts is not None and "@" not in parts.netloc and _asked_for(parts.netloc) == host
    return text == host or (same and _PLAIN.fullmatch(text) is not None)


def text_of(node: Node) -> str:
    return "".join(child if isinstance(child, str) else text_of(child) for child in node.children)


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:
        return None


def _asked_for(netloc: str) -> str:
    host, colon, port = unquote(netloc).lower().partition(":")
    try:
        return host.encode("idna").decode() + colon + port
    except UnicodeError:  # no browser would follow it either
        return netloc
