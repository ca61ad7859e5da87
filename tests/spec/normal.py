"""HTML made comparable: attributes sorted, entities resolved, void tags alike, white space collapsed
outside `pre` (or taken out altogether)."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

_VOID = {"br", "hr", "img", "input"}
_BLOCK = r"(?:p|h[1-6]|blockquote|ul|ol|li|pre|hr|table|thead|tbody|tr|th|td|div|details|summary|aside)"


class _Normal(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.pre = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        shown = "".join(f' {k}="{escape(v or "")}"' for k, v in sorted(attrs))
        self.out.append(f"<{tag}{shown}>")
        self.pre += tag == "pre"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self.out.append(f"</{tag}>")
        self.pre -= tag == "pre"

    def handle_data(self, data: str) -> None:
        self.out.append(escape(data if self.pre else re.sub(r"\s+", " ", data)))

    def handle_comment(self, data: str) -> None:
        self.out.append(f"<!--{data}-->")


def normal(html: str, *, spaces: bool = True) -> str:
    """The comparable form; without `spaces` all white space is gone."""
    parser = _Normal()
    parser.feed(html)
    parser.close()
    text = "".join(parser.out)
    if not spaces:
        return re.sub(r"\s+", "", text)
    return re.sub(rf"\s*(</?{_BLOCK}(?: [^>]*)?>)\s*", r"\1", text).strip()
