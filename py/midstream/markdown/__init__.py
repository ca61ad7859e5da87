"""Streaming Markdown: text in pieces goes in, patches of a growing tree come out.

    parser = Parser()
    for piece in answer:
        screen.apply(parser.feed(piece))
    screen.apply(parser.finish())

`ARCHITECTURE.md` of the project has the map; to read the code begin at `parser.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from midstream.markdown.parser import VERSION, Parser

if TYPE_CHECKING:
    from mistletoe.block_token import Document

    from midstream.patch import Tree

__all__ = ["VERSION", "Parser", "to_mistletoe"]


def to_mistletoe(tree: Tree, renderer: Any = None) -> Document:
    """The tree that a parser's ops built, for any renderer of mistletoe:

        with MarkdownRenderer() as renderer:
            text = renderer.render(to_mistletoe(tree, renderer))

    Given the renderer, the document uses the tokens that only some of them take: raw HTML, formulas,
    blank lines (which `MarkdownRenderer` needs between paragraphs). Else it has text in their place.
    """
    # Only here: an engine that draws answers needs no mistletoe.
    from midstream.markdown import mistletoe_blocks

    return mistletoe_blocks.document(tree, renderer)
