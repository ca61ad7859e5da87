"""Blocks: what a line means, and the open blocks that take its text."""
