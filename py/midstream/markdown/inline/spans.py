"""Constructs found in a text, and the tree that they make of it.

The spans of one text are properly nested, which the way they are found guarantees. `build` walks
them in order with its own stack: no recursion, and beyond the depth cap the source is the text.
"""

from __future__ import annotations

from collections.abc import Iterable

from midstream.markdown import limits
from midstream.markdown.nodes import El, Shown, plain


class Span:
    """A construct at text[start:end]. A leaf has its node; another holds what is at text[a:b]."""

    __slots__ = ("a", "attrs", "b", "bare", "end", "mark", "node", "start", "tag")

    def __init__(self, start: int, end: int, node: Shown | None = None) -> None:
        self.start = start
        self.end = end
        self.node = node
        self.tag = ""
        self.a = self.b = -1
        self.attrs: dict[str, str] = {}
        self.mark: str | None = None
        self.bare = False
        """A link made of a bare URL: it gives way to a link around it."""

    @classmethod
    def around(
        cls,
        start: int,
        a: int,
        b: int,
        end: int,
        tag: str,
        attrs: dict[str, str] | None = None,
        mark: str | None = None,
    ) -> Span:
        """A construct at text[start:end] that holds what is at text[a:b]."""
        span = cls(start, end)
        span.a, span.b, span.tag, span.mark = a, b, tag, mark
        span.attrs = attrs or {}
        return span


def build(text: str, spans: Iterable[Span], start: int, end: int) -> list[Shown]:
    """What text[start:end] shows, given its spans in the order of their starts."""
    out: list[Shown] = []
    level = out
    stack: list[tuple[Span, list[Shown]]] = []
    at = start
    for span in spans:
        if span.start < at:
            continue
        if span.start >= end:
            break
        while stack and stack[-1][0].b <= span.start:
            at, level = _close(text, stack, level, at)
        if span.start < at or (span.node is None and len(stack) >= limits.INLINE_DEPTH):
            continue
        _add(level, text[at : span.start])
        if span.node is not None:
            _add(level, span.node)
            at = span.end
        else:
            stack.append((span, level))
            level, at = [], span.a
    while stack:
        at, level = _close(text, stack, level, at)
    _add(out, text[at:end])
    return out


def _close(text: str, stack: list[tuple[Span, list[Shown]]], children: list[Shown], at: int) -> tuple[int, list[Shown]]:
    """Finish the innermost span; returns where the text goes on, and the list it goes on in."""
    span, level = stack.pop()
    _add(children, text[at : span.b])
    if span.tag == "img":
        _add(level, El("img", {**span.attrs, "alt": plain(children)}))
    elif span.tag == "button":
        _add(level, El("button", span.attrs, [plain(children)]))
    elif span.tag:
        _add(level, El(span.tag, span.attrs, children, span.mark))
    else:
        for child in children:
            _add(level, child)
    return span.end, level


def _add(nodes: list[Shown], node: Shown) -> None:
    if not isinstance(node, str):
        nodes.append(node)
    elif nodes and isinstance(nodes[-1], str):
        nodes[-1] += node
    elif node:
        nodes.append(node)
