"""Inline content as mistletoe's span tokens; see `mistletoe_blocks.py`."""

from __future__ import annotations

import re
from typing import Any

from mistletoe import block_token
from mistletoe import span_token as span
from mistletoe.latex_token import Math

from midstream.patch import Node

Content = list[Node | str]
Token = Any
"""Of mistletoe, which is not typed."""

_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9.+-]{1,31}:|[^\s<>@:]+@)[^\s<>]*\Z")
# What means something in text, where a line begins, and inside of a link (else a `[` means nothing
# without its `]`, and `\[` would begin a formula).
_ALWAYS = r"""[\\`*\]<~$|@] | &(?=[\#A-Za-z]) | (?<![^\W_])_ | _(?![^\W_]) | (?<![^\s\#])\#
    | !\Z | :(?=//) | (?<=www)\."""
_SPECIAL = re.compile(_ALWAYS, re.VERBOSE)
_AT_START = re.compile(_ALWAYS + r" | ^[-+=>:] | ^\d{1,9}[.)](?!\S)", re.VERBOSE)
_IN_LINK = re.compile(_ALWAYS + r" | \[", re.VERBOSE)


def token_of(kind: type[Any], children: list[Token] | None = None, **attributes: Any) -> Token:
    """A token, made without the parsing that its constructor does."""
    token: Token = object.__new__(kind)
    for name, value in attributes.items():
        setattr(token, name, value)
    if issubclass(kind, block_token.BlockToken):
        token.line_number = None  # of the source, which is not kept
    if children is not None:
        token.children = children
    return token


def raw(text: str) -> Token:
    """Text as it stands."""
    return token_of(span.RawText, content=text)


def plain(nodes: Content) -> str:
    """The text of the nodes alone."""
    return "".join(node if isinstance(node, str) else plain(node.children) for node in nodes)


class Spans:
    """Makes the tokens; `known` are the names of those that the renderer takes."""

    def __init__(self, known: frozenset[str]) -> None:
        self.known = known
        self.in_cell = False
        self.in_link = False

    def all(self, nodes: Content, outer: str = "") -> list[Token]:
        """Tokens of inline content; `outer` is the mark of the emphasis around it."""
        made: list[Token] = []
        for before, node, after in zip(["", *nodes], nodes, [*nodes[1:], ""], strict=False):
            if isinstance(node, str):
                hard = bool(made) and isinstance(made[-1], span.LineBreak)
                made += self.text(node.removeprefix("\n") if hard else node, len(made) < 2)
            elif node.tag == "br":
                made.append(self.line_break(isinstance(after, str) and after.startswith("\n")))
            elif node.tag in ("em", "strong"):
                made.append(self.emphasis(node, _mark(outer, before, after)))
            else:
                made += self.other(node, outer)
        return made

    def emphasis(self, node: Node, mark: str) -> Token:
        """Emphasis or strong emphasis, `***both***` as the parser reads it."""
        if node.tag == "strong":
            return token_of(span.Strong, self.all(node.children, mark), delimiter=mark)
        match node.children:
            case [Node(tag="strong")]:
                outer = ""
            case _:
                outer = mark
        return token_of(span.Emphasis, self.all(node.children, outer), delimiter=mark)

    def line_break(self, ends_line: bool) -> Token:
        """A hard break; one that was written as a tag stays one, if the renderer takes it."""
        if not ends_line and "HtmlSpan" in self.known:
            return token_of(span.HtmlSpan, content="<br>")
        return token_of(span.LineBreak, content="\\", soft=False)

    def text(self, text: str, starts: bool) -> list[Token]:
        """Text with soft line breaks, what would mean something in Markdown escaped."""
        made: list[Token] = []
        for number, line in enumerate(text.split("\n")):
            if number:
                made.append(token_of(span.LineBreak, content="", soft=True))
            special = _IN_LINK if self.in_link else _AT_START if number or starts else _SPECIAL
            at = 0
            for found in special.finditer(line):
                end = found.end()
                if line[end - 1] == "|" and self.in_cell:
                    continue  # the renderer escapes it
                made += [
                    raw(line[at : end - 1]),
                    token_of(span.EscapeSequence, [raw(line[end - 1])]),
                ]
                at = end
            made.append(raw(line[at:]))
        return [token for token in made if not isinstance(token, span.RawText) or token.content]

    def other(self, node: Node, outer: str) -> list[Token]:
        """The tokens of one inline element."""
        match node.tag:
            case "del":
                return [token_of(span.Strikethrough, self.all(node.children, outer))]
            case "a":
                return self.link(node, outer)
            case "img" | "button":
                return [self.image(node)]
            case "code":
                return [self.code_span(plain(node.children), node.attrs.get("data-math"))]
            case "input":
                return [raw("[x]" if "checked" in node.attrs else "[ ]")]
            case "sup":
                return [raw(f"[^{node.attrs['data-note']}]")]
            case "#html" if "HtmlSpan" in self.known:
                return [token_of(span.HtmlSpan, content=plain(node.children))]
        return [raw(plain(node.children))]

    def link(self, node: Node, outer: str) -> list[Token]:
        """A link; one without a target is its text."""
        target, title = node.attrs.get("href"), node.attrs.get("title", "")
        if target is None:
            return self.all(node.children, outer)
        text = node.children[0] if len(node.children) == 1 else None
        if isinstance(text, str) and _ADDRESS.match(text) and target.removeprefix("mailto:") == text:
            return [token_of(span.AutoLink, [raw(text)], target=text, mailto=target != text)]
        self.in_link = True  # no link holds another
        children = self.all(node.children, outer)
        self.in_link = False
        return [token_of(span.Link, children, target=target, **_rest(target, title))]

    def image(self, node: Node) -> Token:
        """An image, also one that the screen shows as a button."""
        source = node.attrs.get("src") or node.attrs.get("data-src", "")
        alt = node.attrs.get("alt", plain(node.children))
        self.in_link, before = True, self.in_link
        children = self.text(alt, starts=False)
        self.in_link = before
        return token_of(span.Image, children, src=source, **_rest(source, node.attrs.get("title", "")))

    def code_span(self, text: str, math: str | None) -> Token:
        """Code, or a formula for renderers that know those."""
        if math:
            mark = "$" if math == "inline" else "$$"
            source = mark + text + mark
            return token_of(Math, content=source) if "Math" in self.known else raw(source)
        runs = {len(run) for run in re.findall("`+", text)}
        ticks = next(n for n in range(1, len(text) + 2) if n not in runs) * "`"
        ends = text[:1] + text[-1:]
        padded = "`" in ends or (ends == "  " and not text.isspace())
        return token_of(span.InlineCode, [raw(text)], delimiter=ticks, padding=" " * padded)


def _mark(outer: str, before: Node | str, after: Node | str) -> str:
    """What emphasis is written with: not with what stands next to it, unless that is a word."""
    in_word = any(isinstance(n, str) and n[k:][:1].isalnum() for n, k in ((before, -1), (after, 0)))
    beside = isinstance(before, Node) and before.tag in ("em", "strong")
    return "_" if not in_word and beside != (outer == "*") else "*"


def _rest(target: str, title: str) -> dict[str, Any]:
    """What else links and images say of their target, for the renderer of Markdown."""
    quote = next((mark for mark in "\"'" if mark not in title), "(")
    angle = not target or re.search(r"[()<>\s]", target)
    kind = "angle_uri" if angle else "uri"
    return {"title": title, "dest_type": kind, "title_delimiter": quote, "label": None}
