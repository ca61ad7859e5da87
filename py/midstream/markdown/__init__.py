"""Streaming Markdown: text in pieces goes in, patches of a growing tree come out.

    parser = Parser()
    for piece in answer:
        screen.apply(parser.feed(piece))
    screen.apply(parser.finish())

`ARCHITECTURE.md` of the project has the map; to read the code begin at `parser.py`.
"""

from midstream.markdown.parser import VERSION, Parser

__all__ = ["VERSION", "Parser"]
