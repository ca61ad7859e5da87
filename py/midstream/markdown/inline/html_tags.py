"""Tags as CommonMark 0.31 defines them, and the names that begin an HTML block.

The patterns and the names are those of mistletoe's span tokens (Copyright 2017 Mi Yu, MIT licence:
the conditions of this project's LICENSE are its own, too), put right against CommonMark 0.31.
"""

from __future__ import annotations

NAME = r"[A-Za-z][A-Za-z0-9-]*"
ATTRIBUTES = (
    r"(?:\s+[A-Za-z_:][A-Za-z0-9_.:-]*"
    r'(?:\s*=\s*(?:[^\s"\'=<>`]+|\'[^\']*?\'|"[^\"]*?"))?)*'
)
OPEN = "<" + NAME + ATTRIBUTES + r"\s*/?>"
CLOSING = "</" + NAME + r"\s*>"

BLOCK_NAMES = [
    "address", "article", "aside", "base", "basefont", "blockquote", "body", "caption", "center",
    "col", "colgroup", "dd", "details", "dialog", "dir", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "frame", "frameset", "h1", "h2", "h3", "h4", "h5",
    "h6", "head", "header", "hr", "html", "iframe", "legend", "li", "link", "main", "menu",
    "menuitem", "meta", "nav", "noframes", "ol", "optgroup", "option", "p", "param", "search",
    "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "title", "tr", "track",
    "ul",
]  # fmt: skip
