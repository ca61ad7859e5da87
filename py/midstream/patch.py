"""Patches: what the engine tells the screen about a growing document.

An op is a JSON array of small ints and strings. Ids name elements, 0 is the content root; the parser gives them out
in order, 1, 2, 3 ..., and never reuses one. A screen that applies the ops of patches 1, 2, 3 ... has exactly the
engine's tree. Ops are stored as they are; on the wire a patch is packed (`pack`).

    [0, parent, tag, id]      open     append a new element `tag` as last child of `parent`
    [1, id, s]                text     append s to the trailing text node of `id` (made when there is none)
    [2, id, name, value]      attr     set an attribute; a null value removes it
    [3, id, n]                trunc    take n UTF-16 code units off the trailing text node; an empty one goes
    [4, id, s]                unwrap   replace the element by text s + its children, adjacent texts merge
    [5, id, tag]              retag    same element, same children, other name
    [6, id, k]                drop     drop the children from child-node index k on
    [7, id]                   close    sealed: neither it nor anything inside it changes again

`Tree` is the reference applier; the screen's is written against it. `SAFE` is the closed vocabulary of the screen,
`validate` holds ops against it and is the last gate before the wire. What the safe policy adds to plain HTML names:
a blocked image is `button[data-src]` whose text is the alternative text; `a` without href is a link whose target is
still being written, or was refused; `code[data-math=inline|block]` holds TeX as its text; `sup[data-note]` refers to
the footnote `aside[data-note]` of the same label; `ul|ol[data-tight]` hides the margins of the `p` inside its items.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from midstream.errors import MidstreamError

Op = list[int | str | None]
Packed = list[int | str | None]

OPEN, TEXT, ATTR, TRUNC, UNWRAP, RETAG, DROP, CLOSE = range(8)
ROOT = 0


class Shape(NamedTuple):
    """What an op of one code looks like."""

    name: str
    fields: str
    """A letter per field after the code: i = id or count (int >= 0), t = tag, n = name of an attribute, s = string,
    v = string or null."""

    @property
    def length(self) -> int:
        """Entries of the op's array, its code included."""
        return 1 + len(self.fields)

    @property
    def packed(self) -> int:
        """Entries in a packed patch, its code included: an open is without its own id there."""
        return self.length - (self.name == "open")


OPS: Mapping[object, Shape] = {
    OPEN: Shape("open", "iti"),
    TEXT: Shape("text", "is"),
    ATTR: Shape("attr", "inv"),
    TRUNC: Shape("trunc", "ii"),
    UNWRAP: Shape("unwrap", "is"),
    RETAG: Shape("retag", "it"),
    DROP: Shape("drop", "ii"),
    CLOSE: Shape("close", "i"),
}
"""All ops by their code: the only table of them. The screen's is made from it."""


class PatchError(MidstreamError):
    """An op that is malformed, outside the vocabulary, or does not fit the tree."""


_NONE: frozenset[str] = frozenset()
SAFE: dict[str, frozenset[str]] = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6", "p", "blockquote", "li", "pre", "hr"), _NONE),
    **dict.fromkeys(("table", "thead", "tbody", "tr", "em", "strong", "del", "br"), _NONE),
    "ul": frozenset({"data-tight"}),
    "ol": frozenset({"start", "data-tight"}),
    "th": frozenset({"align"}),
    "td": frozenset({"align"}),
    "code": frozenset({"data-language", "data-math"}),
    "a": frozenset({"href", "title"}),
    "button": frozenset({"data-src"}),
    "input": frozenset({"type", "checked", "disabled"}),
    "sup": frozenset({"data-note"}),
    "aside": frozenset({"data-note"}),
}
SCHEMES = ("http", "https", "mailto")
_WEB = re.compile(r"https?://[^/?#\\\s][^\s\x00-\x1f\x7f]*\Z", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://[^/?#\\\s]|mailto:)[^\s\x00-\x1f\x7f]*\Z", re.IGNORECASE)
VALUES: dict[str, re.Pattern[str]] = {
    "href": _LINK,
    "data-src": _WEB,
    "align": re.compile(r"(?:left|center|right)\Z"),
    "start": re.compile(r"[0-9]{1,9}\Z"),
    "data-math": re.compile(r"(?:inline|block)\Z"),
    "type": re.compile(r"checkbox\Z"),
    "checked": re.compile(r"\Z"),
    "disabled": re.compile(r"\Z"),
    "data-tight": re.compile(r"\Z"),
}


def open_(parent: int, tag: str, id: int) -> Op:
    """Append a new element `tag` with the new id as last child of `parent`."""
    return [OPEN, parent, tag, id]


def text(id: int, s: str) -> Op:
    """Append s to the trailing text node of element `id`."""
    return [TEXT, id, s]


def attr(id: int, name: str, value: str | None) -> Op:
    """Set (or, with None, remove) an attribute of element `id`."""
    return [ATTR, id, name, value]


def trunc(id: int, n: int) -> Op:
    """Take n UTF-16 code units off the trailing text node of element `id`."""
    return [TRUNC, id, n]


def unwrap(id: int, s: str) -> Op:
    """Replace element `id` by text s followed by its children."""
    return [UNWRAP, id, s]


def retag(id: int, tag: str) -> Op:
    """Give element `id` another tag."""
    return [RETAG, id, tag]


def drop(id: int, k: int) -> Op:
    """Drop the child nodes of element `id` from index k on."""
    return [DROP, id, k]


def close(id: int) -> Op:
    """Seal element `id`."""
    return [CLOSE, id]


def units(s: str) -> int:
    """Length of s as the page counts it: in UTF-16 code units."""
    return len(s) if s.isascii() else len(s) + sum(c > "\uffff" for c in s)


def validate(ops: object, vocabulary: dict[str, frozenset[str]] = SAFE) -> list[Op]:
    """The ops, if every one is well formed and inside the vocabulary; else PatchError naming the first that is not.

    Attribute names are checked against the union of the vocabulary here, since an op does not repeat its
    element's tag; `Tree` and the screen check them against the element.
    """
    if not isinstance(ops, list):
        raise PatchError("a patch's ops must be an array")
    attributes = frozenset().union(*vocabulary.values())
    for op in ops:
        problem = _problem(op, vocabulary, attributes)
        if problem:
            raise PatchError(f"op {op!r}: {problem}")
    return ops


def _problem(op: object, vocabulary: dict[str, frozenset[str]], attributes: frozenset[str]) -> str:
    if not isinstance(op, list) or not op or type(op[0]) is not int or op[0] not in OPS:
        return "unknown kind of op"
    shape = OPS[op[0]]
    if len(op) != shape.length:
        return f"needs {shape.length - 1} fields"
    for kind, value in zip(shape.fields, op[1:], strict=True):
        if kind == "i" and (type(value) is not int or value < 0):
            return "an id or count must be an int >= 0"
        if kind in "tns" and not isinstance(value, str):
            return "a field must be a string"
        if kind == "v" and not isinstance(value, str | None):
            return "an attribute's value must be a string or null"
        if kind == "t" and value not in vocabulary:
            return f"tag {value!r} is outside the vocabulary"
        if kind == "n" and value not in attributes:
            return f"attribute {value!r} is outside the vocabulary"
    return value_problem(op[2], op[3]) if op[0] == ATTR else ""


def value_problem(name: str, value: str | None) -> str:
    """Why this value may not stand in this attribute, or an empty string."""
    pattern = VALUES.get(name)
    if value is None or pattern is None or pattern.match(value):
        return ""
    return f"value {value[:60]!r} is not allowed in {name}"


class Node:
    """An element of the tree: `children` holds Nodes and strings, never two strings in a row."""

    __slots__ = ("attrs", "children", "id", "parent", "sealed", "tag")

    def __init__(self, id: int, tag: str, parent: Node | None) -> None:
        self.id = id
        self.tag = tag
        self.parent = parent
        self.attrs: dict[str, str] = {}
        self.children: list[Node | str] = []
        self.sealed = False

    def append(self, s: str) -> None:
        """Append text, joining it to trailing text."""
        if not s:
            return
        if self.children and isinstance(self.children[-1], str):
            self.children[-1] += s
        else:
            self.children.append(s)


class Tree:
    """The document that a run of ops describes.

    With `strict` (the default) an op that names an unknown id, touches a sealed element, or sets an attribute its
    element may not have raises PatchError: the reference for what a screen may rely on.
    """

    def __init__(self, vocabulary: dict[str, frozenset[str]] | None = SAFE) -> None:
        self.vocabulary = vocabulary
        self.root = Node(ROOT, "#root", None)
        self.nodes: dict[int, Node] = {ROOT: self.root}

    def apply(self, ops: Iterable[Sequence[int | str | None]]) -> Tree:
        """Apply ops in order; returns self."""
        for op in ops:
            try:
                self._apply(op)
            except (LookupError, TypeError) as error:
                raise PatchError(f"op {op!r} does not fit the tree: {error}") from error
        return self

    def _apply(self, op: Sequence[int | str | None]) -> None:
        match op:
            case [0, int(parent), str(tag), int(id)]:
                self._open(self._live(parent), tag, id)
            case [1, int(id), str(s)]:
                self._live(id).append(s)
            case [2, int(id), str(name), None | str() as value]:
                self._attr(self._live(id), name, value)
            case [3, int(id), int(n)]:
                self._trunc(self._live(id), n)
            case [4, int(id), str(s)]:
                self._unwrap(self._live(id), s)
            case [5, int(id), str(tag)]:
                self._live(id).tag = self._known(tag)
            case [6, int(id), int(k)]:
                self._drop(self._live(id), k)
            case [7, int(id)]:
                self._live(id).sealed = True
            case _:
                raise PatchError(f"op {op!r}: unknown kind of op")

    def _live(self, id: int) -> Node:
        node: Node | None = self.nodes[id]
        found = self.nodes[id]
        while node is not None:
            if node.sealed:
                raise PatchError(f"element {id} is sealed (by {node.id})")
            node = node.parent
        return found

    def _known(self, tag: str) -> str:
        if self.vocabulary is not None and tag not in self.vocabulary:
            raise PatchError(f"tag {tag!r} is outside the vocabulary")
        return tag

    def _open(self, parent: Node, tag: str, id: int) -> None:
        if id in self.nodes:
            raise PatchError(f"id {id} is already in use")
        node = Node(id, self._known(tag), parent)
        self.nodes[id] = node
        parent.children.append(node)

    def _attr(self, node: Node, name: str, value: str | None) -> None:
        if self.vocabulary is not None:
            if name not in self.vocabulary[node.tag]:
                raise PatchError(f"{node.tag} may not have {name!r}")
            if problem := value_problem(name, value):
                raise PatchError(problem)
        if value is None:
            node.attrs.pop(name, None)
        else:
            node.attrs[name] = value

    def _trunc(self, node: Node, n: int) -> None:
        last = node.children[-1]
        if not isinstance(last, str):
            raise PatchError(f"element {node.id} has no trailing text")
        data = last.encode("utf-16-le", "surrogatepass")
        if 2 * n > len(data):
            raise PatchError(f"element {node.id}: trailing text is shorter than {n}")
        rest = data[: len(data) - 2 * n].decode("utf-16-le", "surrogatepass")
        if rest:
            node.children[-1] = rest
        else:
            node.children.pop()

    def _unwrap(self, node: Node, s: str) -> None:
        parent = node.parent
        if parent is None:
            raise PatchError("the root cannot be unwrapped")
        at = next(k for k, child in enumerate(parent.children) if child is node)
        before, after = parent.children[:at], parent.children[at + 1 :]
        parent.children = before
        for child in [s, *node.children, *after]:
            if isinstance(child, str):
                parent.append(child)
            else:
                child.parent = parent
                parent.children.append(child)
        del self.nodes[node.id]

    def _drop(self, node: Node, k: int) -> None:
        gone = node.children[k:]
        del node.children[k:]
        while gone:
            child = gone.pop()
            if isinstance(child, Node):
                if child.sealed:
                    raise PatchError(f"element {child.id} is sealed and cannot be dropped")
                del self.nodes[child.id]
                gone.extend(child.children)


def merge(ops: Iterable[Op]) -> list[Op]:
    """The same effect in fewer ops: texts that follow each other on one element join, and a trunc takes back
    what the text before it has just appended. The input's ops are not changed."""
    merged: list[Op] = []
    for op in ops:
        last = merged[-1] if merged else None
        if last is None or last[0] != TEXT or last[1] != op[1] or op[0] not in (TEXT, TRUNC):
            merged.append(op)
        elif op[0] == TEXT:
            merged[-1] = [TEXT, op[1], f"{last[2]}{op[2]}"]
        else:
            merged.pop()
            merged.extend(_shortened(last, op))
    return merged


def opened(ops: Iterable[Op]) -> int:
    """How many elements the ops open: the id of the newest one, when the ops are all there were so far."""
    return sum(op[0] == OPEN for op in ops)


def pack(ops: Iterable[Op], newest: int) -> Packed:
    """The ops in one flat array, about a third shorter: an id is the distance back from the newest element (0),
    and an open names no id of its own, since ids are given in order. `newest` is the last id before these ops."""
    packed: Packed = []
    for op in ops:
        kind, id = op[0], op[1]
        assert isinstance(id, int)
        packed += [kind, newest - id, *op[2 : OPS[kind].packed]]
        if kind == OPEN:
            newest += 1
            if op[3] != newest:
                raise PatchError(f"element {op[3]} follows element {newest - 1}: ids go up by one")
    return packed


def unpack(packed: Packed, newest: int) -> list[Op]:
    """What `pack` was given. Raises PatchError when the array cannot be cut into ops."""
    ops: list[Op] = []
    at = 0
    while at < len(packed):
        kind = packed[at]
        shape = OPS.get(kind)
        end = at + shape.packed if shape else len(packed) + 1
        if end > len(packed):
            raise PatchError(f"a packed op is cut short at {at}")
        back, *rest = packed[at + 1 : end]
        if type(back) is not int:
            raise PatchError(f"a packed op has no id at {at}")
        id = newest - back
        if kind == OPEN:
            newest += 1
            rest.append(newest)
        ops.append([kind, id, *rest])
        at = end
    return ops


def _shortened(last: Op, cut: Op) -> list[Op]:
    """text then trunc on the same element, as at most one op."""
    id, s, n = last[1], last[2], cut[2]
    assert isinstance(id, int) and isinstance(s, str) and isinstance(n, int)
    length = units(s)
    if n > length:
        return [trunc(id, n - length)]
    if n == length:
        return []
    kept = s.encode("utf-16-le", "surrogatepass")[: 2 * (length - n)]
    return [text(id, kept.decode("utf-16-le", "surrogatepass"))]
