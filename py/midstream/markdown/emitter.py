"""The emitter: turns what a leaf shows now, against what it showed before, into few ops.

Ops are computed from the two lists, so the screen always ends at exactly the new one, whatever
was shown on trust before. The usual differences cost one op: text that grew (`text`), emphasis
that never closed (`unwrap`), a link whose target became known (`attr`). Anything else is cut off
from the first difference on (`drop`) and sent again.
"""

from __future__ import annotations

from midstream import patch
from midstream.markdown.nodes import El, Shown, joined, same
from midstream.patch import Op


class Emitter:
    """Collects ops and gives out ids."""

    __slots__ = ("last_id", "ops")

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.last_id = patch.ROOT

    def take(self) -> list[Op]:
        """The ops so far, merged; the emitter is empty again."""
        ops, self.ops = self.ops, []
        return patch.merge(ops) if len(ops) > 1 else ops

    def open(self, parent: int, tag: str, attrs: dict[str, str] | None = None) -> int:
        """Open an element, returning its id."""
        self.last_id += 1
        self.ops.append(patch.open_(parent, tag, self.last_id))
        for name, value in (attrs or {}).items():
            self.ops.append(patch.attr(self.last_id, name, value))
        return self.last_id

    def text(self, id: int, s: str) -> None:
        """Append text."""
        if s:
            self.ops.append(patch.text(id, s))

    def append(self, parent: int, nodes: list[Shown]) -> None:
        """Append nodes with all they hold."""
        for node in nodes:
            if isinstance(node, str):
                self.text(parent, node)
            else:
                node.id = self.open(parent, node.tag, node.attrs)
                self.append(node.id, node.children)

    def update(self, parent: int, old: list[Shown], new: list[Shown], base: int = 0, lead: bool = False) -> list[Shown]:
        """Make the children `old` of `parent` into `new`; returns `new` with ids.

        The first `base` child nodes of the parent are settled and not in the lists; with `lead`
        the last of them is a text that a string at the start of either list continues.
        """
        i = 0
        while True:
            while i < len(old) and i < len(new) and same(old[i], new[i]):
                new[i] = old[i]
                i += 1
            if i == len(old):
                break
            was, now = old[i], new[i] if i < len(new) else ""
            if isinstance(was, El) and isinstance(now, El) and was.tag == now.tag:
                self._change(was, now)
                new[i] = was
                i += 1
                continue
            retracted = self._retract(old, i, now)
            if retracted is not None:
                old = retracted
                continue
            i = self._cut(parent, old, new, i, base, lead)
            break
        self.append(parent, new[i:])
        return new

    def _change(self, was: El, now: El) -> None:
        """Same element, other attributes or children."""
        for name in was.attrs.keys() - now.attrs.keys():
            self.ops.append(patch.attr(was.id, name, None))
        for name, value in now.attrs.items():
            if was.attrs.get(name) != value:
                self.ops.append(patch.attr(was.id, name, value))
        was.attrs, was.mark = now.attrs, now.mark
        was.children = self.update(was.id, was.children, now.children)

    def _retract(self, old: list[Shown], i: int, now: Shown) -> list[Shown] | None:
        """Take back an element shown on trust, if what stands there now begins with its mark."""
        if not isinstance(now, str):
            return None
        text = old[i]
        k = i
        if isinstance(text, str):
            k = i + 1
        else:
            text = ""
        if k >= len(old):
            return None
        trusted = old[k]
        if isinstance(trusted, str) or trusted.mark is None:
            return None
        if not now.startswith(text + trusted.mark):
            return None
        self.ops.append(patch.unwrap(trusted.id, trusted.mark))
        return [
            *old[:i],
            *joined([*old[i:k], trusted.mark, *trusted.children, *old[k + 1 :]]),
        ]

    def _cut(self, parent: int, old: list[Shown], new: list[Shown], i: int, base: int, lead: bool) -> int:
        """Remove `old` from its first difference on; returns how many of `new` stand."""
        offset = base - (1 if lead and isinstance(old[0], str) else 0)
        was, now = old[i], new[i] if i < len(new) else ""
        edited = isinstance(was, str) and (isinstance(now, str) or (i == 0 and lead))
        first = i + 1 if edited else i
        if first < len(old):
            self.ops.append(patch.drop(parent, offset + first))
        if not edited:
            return i
        assert isinstance(was, str)
        target = now if isinstance(now, str) else ""
        kept = _common(was, target)
        if kept < len(was):
            self.ops.append(patch.trunc(parent, patch.units(was[kept:])))
        self.text(parent, target[kept:])
        return i + 1 if isinstance(now, str) and i < len(new) else i


def _common(a: str, b: str) -> int:
    """Length of the common beginning."""
    if b.startswith(a):
        return len(a)
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[:middle] == b[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
