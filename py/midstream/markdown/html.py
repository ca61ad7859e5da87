"""The tree as HTML: for snapshots, export, the command line and conformance tests.

Under the safe policy the tree is printed as it stands on the screen. Under the others the paragraphs
of tight lists are unwrapped and line ends stand where the CommonMark specification prints them.
"""

from __future__ import annotations

from html import escape

from midstream.patch import Node, Tree

_VOID = {"br", "hr", "img", "input"}
_BLOCKS = {
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "pre", "hr", "table",
    "thead", "tbody", "tr", "th", "td", "aside", "#block",
}  # fmt: skip
_OUTER = {"blockquote", "ul", "ol", "table", "thead", "tbody", "tr", "aside"}


def render(tree: Tree, policy: str = "safe") -> str:
    """The document as HTML under a policy's conventions, ending with a line end unless empty."""
    printer = _Printer(exact=policy != "safe")
    printer.print(tree.root)
    return "".join(printer.out)


class _Printer:
    def __init__(self, *, exact: bool) -> None:
        self.exact = exact
        self.out: list[str] = []

    def line(self) -> None:
        """Begin a new line, unless at the beginning of one."""
        if self.out and not self.out[-1].endswith("\n"):
            self.out.append("\n")

    def print(self, root: Node) -> None:
        """Print what the root holds, with an own stack: trees may be deep."""
        stack: list[Node | str | tuple[str]] = list(root.children[::-1])
        while stack:
            item = stack.pop()
            if isinstance(item, tuple):
                self.end(item[0])
            elif isinstance(item, str):
                self.out.append(_text(item))
            elif item.tag == "#html":
                self.raw(item)
            else:
                stack.extend(self.begin(item))

    def begin(self, node: Node) -> list[Node | str | tuple[str]]:
        """Print a start tag; returns what comes next, last first."""
        tag = node.tag
        if tag == "p" and self.exact and _tight(node):
            if node.parent is not None and node.parent.children[0] is not node:
                self.line()
            return [*self._after_tight(node), *node.children[::-1]]
        if tag in _BLOCKS:
            self.line()
        attrs = "".join(f' {k}="{escape(v)}"' for k, v in self.attributes(node))
        self.out.append(f"<{tag}{attrs} />" if tag in _VOID and self.exact else f"<{tag}{attrs}>")
        if tag in _VOID:
            if tag == "hr":
                self.out.append("\n")
            return []
        if tag in _OUTER:
            self.line()
        return [(tag,), *node.children[::-1]]

    def _after_tight(self, node: Node) -> list[Node | str | tuple[str]]:
        parent = node.parent
        last = parent is None or parent.children[-1] is node
        return [] if last else [("",)]

    def attributes(self, node: Node) -> list[tuple[str, str]]:
        """The attributes as the policy prints them."""
        if not self.exact:
            return list(node.attrs.items())
        if node.tag == "code" and "data-language" in node.attrs:
            return [("class", "language-" + node.attrs["data-language"])]
        if node.tag == "img":
            return [(k, node.attrs[k]) for k in ("src", "alt", "title") if k in node.attrs]
        return [(k, v) for k, v in node.attrs.items() if k != "data-tight"]

    def end(self, tag: str) -> None:
        """Print an end tag."""
        if not tag:
            self.line()
            return
        if tag in _OUTER:
            self.line()
        self.out.append(f"</{tag}>")
        if tag in _BLOCKS and tag != "code":
            self.out.append("\n")

    def raw(self, node: Node) -> None:
        """HTML that a specification passes through."""
        block = node.parent is None or node.parent.tag in ("#root", "blockquote", "li", "aside")
        if block:
            self.line()
        self.out.extend(child for child in node.children if isinstance(child, str))
        if block:
            self.out.append("\n")


def _tight(node: Node) -> bool:
    item = node.parent
    if item is None or item.tag != "li" or item.parent is None:
        return False
    return "data-tight" in item.parent.attrs


def _text(s: str) -> str:
    return escape(s, quote=False).replace('"', "&quot;")
