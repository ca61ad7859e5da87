"""What a leaf shows: strings and elements, never two strings in a row.

An `El` whose `mark` is not None is shown on trust: its construct is not closed yet. The mark is
the literal that stands there if it never closes, so that one `unwrap` takes the trust back.
"""

from __future__ import annotations

from collections.abc import Iterable


class El:
    """An element inside a leaf; `id` is -1 until it has been sent."""

    __slots__ = ("attrs", "children", "id", "mark", "tag")

    def __init__(
        self,
        tag: str,
        attrs: dict[str, str] | None = None,
        children: list[Shown] | None = None,
        mark: str | None = None,
    ) -> None:
        self.tag = tag
        self.attrs = attrs or {}
        self.children: list[Shown] = children if children is not None else []
        self.mark = mark
        self.id = -1

    def __repr__(self) -> str:
        return f"<{self.tag} {self.attrs} {self.children}>"


Shown = El | str


def same(a: Shown, b: Shown) -> bool:
    """Whether two shown things look and behave alike (depth is capped, so recursion is)."""
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return (
        a.tag == b.tag
        and a.attrs == b.attrs
        and a.mark == b.mark
        and len(a.children) == len(b.children)
        and all(map(same, a.children, b.children))
    )


def joined(nodes: Iterable[Shown]) -> list[Shown]:
    """The nodes with neighbouring strings joined and empty ones gone."""
    out: list[Shown] = []
    for node in nodes:
        if isinstance(node, str) and out and isinstance(out[-1], str):
            out[-1] += node
        elif node != "":
            out.append(node)
    return out


def plain(nodes: Iterable[Shown]) -> str:
    """The text of the nodes, as an image's alternative text wants it."""
    out: list[str] = []
    stack = list(nodes)[::-1]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            out.append(node)
        elif node.tag == "img":
            out.append(node.attrs.get("alt", ""))
        else:
            stack.extend(node.children[::-1])
    return "".join(out)
