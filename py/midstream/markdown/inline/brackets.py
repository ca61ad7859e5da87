"""Rules for square brackets: links, images, references to footnotes.

A link's text is shown as a link while its target is being written; the target itself, and an image
as a whole, are held back.
"""

from __future__ import annotations

import re

from midstream.markdown import limits
from midstream.markdown.inline import links
from midstream.markdown.inline.context import Bracket
from midstream.markdown.inline.emphasis import Emphasis
from midstream.markdown.inline.spans import Span
from midstream.markdown.nodes import El, Shown
from midstream.markdown.policy import escape_url, gate

_NOTE = re.compile(r"\[\^([^\s\[\]\\^]{1,99})\]")
_NOTE_BEGUN = re.compile(r"\[\^[^\s\[\]\\^]{0,99}\Z")


class Brackets(Emphasis):
    """The bracket stack."""

    _dead = 0
    """So many of the open brackets, the oldest, have a link inside: they cannot be links."""

    def _open_bracket(self, i: int) -> int:
        image = self.text[i] == "!"
        end = i + 2 if image else i + 1
        if not image and self.policy.notes and self.text.startswith("^", end):
            after = self._note(i)
            if after:
                return after
        if end == self.size and not self.final:
            return self._hold(i)
        if self._brackets:
            self._brackets[-1].after = True
        self._brackets.append(Bracket(i, image, self._stack.top, len(self.spans)))
        self._floor = end
        return end

    def _note(self, i: int) -> int:
        """A reference to a footnote; 0 when it is none (yet)."""
        found = _NOTE.match(self.text, i)
        if found is None:
            begun = not self.final and _NOTE_BEGUN.match(self.text, i)
            return self._wait(i) if begun else 0
        label = links.note_key(found[1])
        if self.lookup(label) is None:
            self.missing.append(label)
            return 0
        return self._leaf(i, found.end(), El("sup", {"data-note": found[1]}, [found[1]]))

    def _close_bracket(self, i: int) -> int:
        self._floor = i + 1
        if not self._brackets:
            return i + 1
        bracket = self._brackets[-1]
        if not bracket.image and len(self._brackets) <= self._dead:
            self._pop()
            return i + 1
        found = self._target(bracket, i)
        if found == links.PARTIAL:
            self._unsettle(bracket.start)
            if bracket.image and self.size - bracket.start <= 2 * limits.HOLD:
                return self._hold(bracket.start)
            if self.size - i <= 2 * limits.HOLD:
                return self._hold(i)
            found = None
        self._pop()
        if not isinstance(found, tuple):
            return i + 1
        return self._link(bracket, i, *found)

    def _pop(self) -> None:
        self._brackets.pop()
        self._dead = min(self._dead, len(self._brackets))

    def _target(self, bracket: Bracket, i: int) -> links.Target | str | None:
        """What follows the `]` at i: (end, destination, title)."""
        text, after = self.text, i + 1
        if after == self.size and not self.final:
            return links.PARTIAL
        if text.startswith("(", after):
            found = links.target(text, after, self.size)
            self.meter.spend(8)
            if isinstance(found, tuple) or (found == links.PARTIAL and not self.final):
                return found
        label = text[bracket.start + (2 if bracket.image else 1) : i]
        end = after
        usable = not bracket.after
        if text.startswith("[", after):
            second = links.LABEL.match(text, after)
            assert second
            self.meter.spend(second.end() - after)
            if not second[2] and not self.final and self._open_label(second.end()):
                return links.PARTIAL
            if second[2]:
                if second[1]:
                    label, usable = second[1], True
                end = second.end()
        if not usable or len(label) > limits.LABEL:
            return None
        return self._defined(label, end)

    def _open_label(self, end: int) -> bool:
        """Whether a label that was read up to `end` may go on."""
        return end == self.size or (end == self.size - 1 and self.text[end] == "\\")

    def _defined(self, label: str, end: int) -> links.Target | None:
        self.meter.spend(len(label))
        key = links.key(label)
        if not key:
            return None
        known = self.lookup(key)
        if known is None:
            self.missing.append(key)
            return None
        return end, known[0], known[1]

    def _link(self, bracket: Bracket, i: int, end: int, url: str, title: str) -> int:
        """Make the element; what was inside is already in `spans`."""
        self._pair(bracket.below)
        self._stack.cut(bracket.below)
        span = Span(bracket.start, end)
        span.a, span.b = bracket.start + (2 if bracket.image else 1), i
        node = self._image(url, title) if bracket.image else self._anchor(url, title, [], "")
        span.tag, span.attrs = (node.tag, node.attrs) if isinstance(node, El) else ("", {})
        if not bracket.image:
            self.spans[bracket.spans :] = [s for s in self.spans[bracket.spans :] if not s.bare]
            self._dead = len(self._brackets)
        self.spans.append(span)
        self._floor = end
        return end

    def _image(self, url: str, title: str) -> Shown:
        if self.policy.raw_html:
            return El("img", {"src": escape_url(url), **({"title": title} if title else {})})
        href = gate(url)
        if href is None or href[:7].lower() == "mailto:":
            return El("")
        return El("button", {"data-src": href})
