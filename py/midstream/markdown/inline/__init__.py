"""Inline content: emphasis, links, code and the like inside one leaf of the block tree."""
