"""Rules for links that are written without any mark: URLs and mail addresses in the text.

A URL that may still go on is shown as a link without a target, on trust.
"""

from __future__ import annotations

from midstream.markdown.inline import links
from midstream.markdown.inline.escapes import Constructs
from midstream.markdown.nodes import El, Shown


class BareLinks(Constructs):
    """GFM's extended autolinks."""

    def _bare(self, i: int, prefix: int) -> int:
        text = self.text
        if self._in_anchor:
            return i + prefix
        before = text[i - 1] if i else " "
        www = not text[i : i + prefix].endswith("/")
        if before.isalnum() or (www and before not in " \t\n*_~("):
            return i + 1
        found = links.bare(text, i, 0 if www else prefix, self.size)
        if found is None:
            if not self.final and text.find(" ", i) < 0 and text.find("\n", i) < 0:
                self._unsettle(i)
                self.open_url = True
            return i + prefix
        stop, run = found
        shown = text[i:stop]
        node = self._anchor("http://" + shown if www else shown, "", [shown], shown)
        if run == self.size and not self.final:
            return self._open_url(i, stop, node)
        self._leaf(i, stop, node)
        self.spans[-1].bare = True
        return stop

    def _open_url(self, i: int, stop: int, node: Shown) -> int:
        """A URL that may go on: a link whose target is not known yet."""
        self._unsettle(i)
        self.open_url = True
        if isinstance(node, El):
            node = El("a", None, node.children, mark="")
        self._leaf(i, stop, node)
        self.spans[-1].bare = True
        self.end = stop
        return -1

    def _mail(self, i: int) -> int:
        if self._in_anchor:
            return i + 1
        top = self._stack.top
        end = self.size
        if top is not None and top.char == "_" and top.opens:
            # In `_someone@example.org_` the last `_` is not part of the address.
            stop = links.mail_end(self.text, i, end)
            end = stop if self.final or (stop < end and self.text[end - 1] != "_") else end
        found = links.mail(self.text, self._floor, i, end)
        if found == links.PARTIAL and end < self.size:
            found = links.mail(self.text[:end] + " ", self._floor, i, end + 1)
        if found == links.PARTIAL and not self.final:
            return self._wait(i)
        if found == links.PARTIAL:
            found = links.mail(self.text + " .", self._floor, i, self.size + 2)
        if not isinstance(found, tuple):
            return i + 1
        start, stop = found
        url = "mailto:" + self.text[start:stop]
        if start - 7 >= self._floor and self.text[start - 7 : start] == "mailto:":
            start -= 7
        shown = self.text[start:stop]
        self._leaf(start, stop, self._anchor(url, "", [shown], shown))
        self.spans[-1].bare = True
        return stop
