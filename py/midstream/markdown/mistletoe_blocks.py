"""A streamed document as mistletoe's tokens, for its renderers (LaTeX, Markdown, HTML, …).

Tokens are made without parsing, by what mistletoe documents of them: their classes, `children` and
attributes. What it has no token for is written as Markdown writes it: boxes of tasks, footnotes and
formulas are text. Like mistletoe's own, the walk recurses; the parser's bounds on depth hold.
"""

from __future__ import annotations

import re
from typing import Any

from mistletoe import block_token as block
from mistletoe.block_token import Document
from mistletoe.markdown_renderer import BlankLine

from midstream.markdown.mistletoe_spans import Content, Spans, Token, plain, raw, token_of
from midstream.patch import Node, Tree

_ALIGNS = {"left": None, "center": 0, "right": 1}


def document(tree: Tree, renderer: Any = None) -> Document:
    """The tree as a Document; see `midstream.markdown.to_mistletoe`."""
    known = frozenset(renderer.render_map if renderer else ())
    made: Document = token_of(Document, _Blocks(known).all(tree.root.children), footnotes={})
    return made


class _Blocks:
    """Makes the tokens; `known` are the names of those that the renderer takes."""

    def __init__(self, known: frozenset[str]) -> None:
        self.known = known
        self.blank_lines = "BlankLine" in known
        self.spans = Spans(known)

    def all(self, nodes: Content, *, tight: bool = False) -> list[Token]:
        """Tokens of blocks, with blank lines between them where the renderer takes those."""
        made: list[Token] = []
        for node in nodes:
            found = self.block(node, made) if isinstance(node, Node) else []
            if made and found and not tight and self.blank_lines:
                made.append(token_of(BlankLine, []))
            made += found
        return made

    def block(self, node: Node, before: list[Token]) -> list[Token]:
        """The tokens of one block; `before` are those of its siblings so far."""
        match node.tag:
            case "ul" | "ol":
                return [self.list_of(node, before)]
            case "blockquote":
                inside = self.all(node.children)
                if not inside and self.blank_lines:
                    inside = [token_of(BlankLine, [])]
                return [token_of(block.Quote, inside)]
            case "pre":
                return [self.code(node)]
            case "hr":
                return [token_of(block.ThematicBreak, line="***")]
            case "table":
                return [self.table(node)]
            case "aside":
                return self.note(node)
            case "#html" if "HtmlBlock" in self.known:
                return [token_of(block.HtmlBlock, [raw(plain(node.children))])]
            case "#html":
                return [token_of(block.Paragraph, [raw(plain(node.children))])]
            case "p":
                return [token_of(block.Paragraph, self.spans.all(node.children))]
        return [self.heading(node)]

    def heading(self, node: Node) -> Token:
        """A heading; one of several lines can only be a setext heading."""
        level, children = int(node.tag[1]), self.spans.all(node.children)
        if "\n" in plain(node.children):
            underline = "===" if level == 1 else "---"
            return token_of(block.SetextHeading, children, level=level, underline=underline)
        return token_of(block.Heading, children, level=level, closing_sequence="")

    def list_of(self, node: Node, before: list[Token]) -> Token:
        """A list; its marks differ from those of a list right before it."""
        loose, marks = "data-tight" not in node.attrs, "-."
        if before and isinstance(before[-1], block.List):
            first: Token = next(iter(before[-1].children or ()))
            marks = "+)" if first.leader[-1] in marks else marks
        start = int(node.attrs.get("start", 1)) if node.tag == "ol" else None
        items: list[Token] = []
        for number, item in enumerate(node.children, start or 0):
            if items and loose and self.blank_lines:
                items[-1].children = [*items[-1].children, token_of(BlankLine, [])]
            leader = marks[0] if start is None else f"{number}{marks[1]}"
            items.append(self.item(item, leader, len(leader) + 1, loose))
        return token_of(block.List, items, loose=loose, start=start)

    def item(self, node: Node | str, leader: str, width: int, loose: bool = True) -> Token:
        """An item, its content indented by `width`."""
        assert isinstance(node, Node)
        inside = self.all(node.children, tight=not loose)
        about = {"leader": leader, "prepend": width, "indentation": 0, "loose": loose}
        return token_of(block.ListItem, inside, **about)

    def code(self, node: Node) -> Token:
        """A code block; how it was written is not kept, so it is a fence."""
        code = node.children[0]
        assert isinstance(code, Node)
        text, language = plain(code.children), code.attrs.get("data-language", "")
        mark = "~" if "`" in language else "`"
        runs = re.findall(f"{mark}{{3,}}", text)
        return token_of(
            block.CodeFence,
            [raw(text)],
            language=language,
            delimiter=mark * max([3, *(len(run) + 1 for run in runs)]),
            info_string=re.sub(r"[\\&]", r"\\\g<0>", language),
            indentation=0,
        )

    def table(self, node: Node) -> Token:
        """A table: the header row, then the rows of its body."""
        rows = [row for part in node.children if isinstance(part, Node) for row in part.children]
        header, *body = [self.row(row) for row in rows if isinstance(row, Node)]
        return token_of(block.Table, body, header=header, column_align=header.row_align)

    def row(self, node: Node) -> Token:
        """One row."""
        cells, self.spans.in_cell = [], True
        for cell in node.children:
            assert isinstance(cell, Node)
            align = _ALIGNS[cell.attrs.get("align", "left")]
            cells.append(token_of(block.TableCell, self.spans.all(cell.children), align=align))
        self.spans.in_cell = False
        return token_of(block.TableRow, cells, row_align=[cell.align for cell in cells])

    def note(self, node: Node) -> list[Token]:
        """A footnote: in Markdown an item with its label as the mark, else the label stands before
        its first paragraph."""
        label = f"[^{node.attrs['data-note']}]: "
        if self.blank_lines:
            return [self.item(node, label, 4)]
        inside = self.all(node.children)
        if not inside or not isinstance(inside[0], block.Paragraph):
            inside.insert(0, token_of(block.Paragraph, []))
        inside[0].children = [raw(label), *inside[0].children]
        return inside
