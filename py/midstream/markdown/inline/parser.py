"""The inline driver: one pass over the unsettled tail of a leaf.

The grammar is CommonMark's with GFM's extensions; mistletoe's span tokens are what a construct
becomes. What is ours is the way through the text: from left to right once, each character
looked at a bounded number of times, and three answers that a streaming leaf needs besides the
constructs themselves:

- `end`: text from here on is held back, for what it is depends on what comes;
- elements with a mark: shown on trust (emphasis, code and links not closed yet);
- `settled`: nothing that may still come changes what stands before this offset. The driver of
  the leaf makes it a checkpoint and never parses that part again.

With `final` nothing is held and nothing trusted: the specification's answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from midstream.markdown import limits
from midstream.markdown.inline.brackets import Brackets
from midstream.markdown.inline.context import Bracket, Lookup
from midstream.markdown.inline.delimiters import WORD, kind
from midstream.markdown.inline.emphasis import trusted
from midstream.markdown.inline.spans import Span, build
from midstream.markdown.limits import Meter
from midstream.markdown.nodes import Shown
from midstream.markdown.policy import Policy


@lru_cache(maxsize=8)
def specials(policy: Policy) -> re.Pattern[str]:
    """Where something may begin; all else is plain text."""
    extra = r"|www\."
    if policy.bare_links:
        extra += r"|@|(?i:https?|ftp)://"
    money = "$" if policy.math else ""
    return re.compile(r"[\\`*_~\[\]<&\n" + money + r"]|!\[" + extra)


class Inline(Brackets):
    """One pass over `text`; read `nodes()`, `settled`, `end` and `missing` afterwards.

    The rules stand in the classes above this one, a file each: constructs, bare, emphasis, brackets.
    """

    def __init__(
        self,
        text: str,
        policy: Policy,
        lookup: Lookup,
        meter: Meter,
        *,
        final: bool,
        task: bool = False,
    ) -> None:
        super().__init__(text, policy, lookup, meter, final=final)
        self._scan(self._task() if task else 0)
        self._pair(None)
        if not final:
            self._trust()
        self.spans.sort(key=_by_start)

    def _scan(self, i: int) -> None:
        text, size, search = self.text, self.size, specials(self.policy).search
        rules = self._RULES
        while i < size:
            found = search(text, i)
            if found is None:
                break
            i = found.start()
            rule = rules.get(text[i])
            i = rule(self, i) if rule else self._bare(i, len(found[0]))
            if i < 0:
                return
        if not self.final and self.size and text[-1] == "!":
            self.end = self.size - 1

    def _trust(self) -> None:
        """Show what is open as if it closed where the text ends, for now."""
        opened: list[tuple[int, int, str, str]] = []
        run = self._stack.lowest(None)
        while run is not None:
            if run.opens:
                self._unsettle(run.start)
                opened.extend(trusted(run))
            run = run.after
        for image in self._brackets:
            if image.image and self.size - image.start <= 2 * limits.HOLD:
                self.end = min(self.end, image.start)
                break
        if self._brackets:
            bracket = self._brackets[0]
            self._unsettle(bracket.start)
            if self._is_link_text(bracket):
                opened.append((bracket.start, bracket.start + 1, "a", "["))
                opened.sort()
        for start, inner, tag, mark in opened[: limits.HEALED]:
            if inner >= self.end:
                self.end = min(self.end, start)
                break
            span = Span(start, self.end)
            span.a, span.b, span.tag, span.mark = inner, self.end, tag, mark
            self.spans.append(span)
        self.spans = [span for span in self.spans if span.start < self.end]

    def _is_link_text(self, bracket: Bracket) -> bool:
        start = bracket.start
        if bracket.image or self._dead or self.end - start > limits.HOLD:
            return False
        if self.text[start + 1 : start + 2] in ("", " ", "^", "]", "["):
            return False
        return not any(s.start < start < s.end for s in self.spans)

    def checkpoint(self) -> int:
        """The last offset before `settled`, outside every construct, that a parse may start again
        from knowing nothing of what stands before it; 0 when there is none."""
        limit = min(self.settled, self.end)
        last = at = 0
        for span in self.spans:
            if span.start >= limit:
                break
            if span.start >= at:
                last = self._boundary(at, span.start) or last
                if span.node == "\n":
                    last = span.start
                at = span.end
        return self._boundary(at, limit) or last

    def _boundary(self, start: int, stop: int) -> int:
        """The last place in the plain text[start:stop] where white space begins, or where a letter of
        a script that is written without it stands; 0 when there is none."""
        at = self.text.rfind(" ", start, stop)
        while at > start and self.text[at - 1] == " ":
            at -= 1
        if not self.text.isascii():
            for k in range(stop - 1, max(at, start, stop - 32), -1):
                if self.text[k] >= "\u2e80" and kind(self.text[k]) == WORD:
                    return k
        return max(at, 0)

    def nodes(self, start: int, end: int) -> list[Shown]:
        """What text[start:end] shows; start lies outside every construct, end too or at `end`."""
        return build(self.text, self.spans, start, end)

    _RULES: Mapping[str, Callable[[Brackets, int], int]] = {
        "\\": Brackets._escape,
        "`": Brackets._code,
        "*": Brackets._run,
        "_": Brackets._run,
        "~": Brackets._run,
        "[": Brackets._open_bracket,
        "!": Brackets._open_bracket,
        "]": Brackets._close_bracket,
        "<": Brackets._angle,
        "&": Brackets._entity,
        "\n": Brackets._newline,
        "$": Brackets._formula,
        "@": Brackets._mail,
    }


def _by_start(span: Span) -> int:
    return span.start
