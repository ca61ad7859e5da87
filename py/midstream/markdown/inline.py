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
from bisect import bisect_left
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from mistletoe import span_token

from midstream.markdown import caps, formulas, links, tags
from midstream.markdown.caps import Meter
from midstream.markdown.delimiters import Delimiter, Stack
from midstream.markdown.nodes import El, Shown
from midstream.markdown.policy import Policy, escape_url, gate
from midstream.markdown.spans import Span, build

Lookup = Callable[[str], tuple[str, str] | None]
_TAGS = {"*": "em", "_": "em", "**": "strong", "__": "strong", "~": "del", "~~": "del"}
_TICKS = re.compile("`+")
_NOTE = re.compile(r"\[\^([^\s\[\]\\^]{1,99})\]")
_NOTE_BEGUN = re.compile(r"\[\^[^\s\[\]\\^]{0,99}\Z")
_TASK = re.compile(r"\[([ xX])\](?=[ \t\n]+[^ \t\n])")
_TASK_BEGUN = re.compile(r"\[(?:[ xX]\]?)?[ \t\n]*\Z")


@lru_cache(maxsize=8)
def specials(policy: Policy) -> re.Pattern[str]:
    """Where something may begin; all else is plain text."""
    extra = r"|@|(?i:https?|ftp)://|www\." if policy.bare_links else ""
    money = "$" if policy.math else ""
    return re.compile(r"[\\`*_~\[\]<&\n" + money + r"]|!\[" + extra)


class Bracket:
    """A `[` or `![` that waits for its `]`."""

    __slots__ = ("after", "below", "image", "spans", "start")

    def __init__(self, start: int, image: bool, below: Delimiter | None, spans: int) -> None:
        self.start = start
        self.image = image
        self.below = below
        self.spans = spans
        self.after = False
        """Whether another bracket was opened inside: then its text is no label."""


class _Code:
    """The match object that mistletoe's InlineCode wants: group 1 the backticks, 2 the rest."""

    __slots__ = ("group",)

    def __init__(self, *groups: str) -> None:
        self.group = ("", *groups).__getitem__


def _code(ticks: str, content: str) -> str:
    """What a code span shows, according to mistletoe."""
    token: Any = span_token.InlineCode(_Code(ticks, content))  # type: ignore[no-untyped-call]
    shown: str = token.children[0].content
    return shown


class Inline:
    """One pass over `text`; read `nodes()`, `settled`, `end` and `missing` afterwards."""

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
        self.final = final
        self.text = text if final else text.rstrip(" \t\n")
        self.size = self.end = self.settled = len(self.text)
        self.policy = policy
        self.lookup = lookup
        self.meter = meter
        self.spans: list[Span] = []
        self.missing: list[str] = []
        """Labels that were looked up in vain: a later definition may change this leaf."""
        self.open_url = False
        self._stack = Stack()
        self._brackets: list[Bracket] = []
        self._dead = 0
        """So many of the brackets, the oldest, have a link inside: they cannot be links."""
        self._floor = 0
        self._in_anchor = False
        self._ticks: dict[int, list[int]] | None = None
        self._nowhere: dict[str, int] = {}
        meter.spend(self.size + 16)
        self._scan(self._task() if task else 0)
        self._pair(None)
        if not final:
            self._trust()
        self.spans.sort(key=_by_start)

    # --- the walk --------------------------------------------------------------------------------

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

    def _hold(self, i: int) -> int:
        """Show nothing from i on: what it is depends on what comes."""
        self.end = i
        self._unsettle(i)
        return -1

    def _unsettle(self, i: int) -> None:
        if i < self.settled:
            self.settled = i

    def _leaf(self, start: int, end: int, node: Shown) -> int:
        self.spans.append(Span(start, end, node))
        self._floor = end
        return end

    def _wait(self, i: int, limit: int = caps.HOLD) -> int:
        """An unfinished construct from i to the end: hold it while it is short, else go on after
        its first character as plain text, unsettled."""
        self._unsettle(i)
        if self.size - i <= limit:
            return self._hold(i)
        self._floor = i + 1
        return i + 1

    # --- constructs without content --------------------------------------------------------------

    def _escape(self, i: int) -> int:
        text = self.text
        if i + 1 == self.size:
            return i + 1 if self.final else self._hold(i)
        c = text[i + 1]
        if c == "\n":
            return self._line_break(i, i + 2, hard=True)
        if self.policy.math and c in "([":
            return self._formula(i)
        if span_token.EscapeSequence.pattern.match(text, i):
            return self._leaf(i, i + 2, c)
        return i + 1

    def _newline(self, i: int) -> int:
        start = i
        while start > self._floor and self.text[start - 1] == " ":
            start -= 1
        return self._line_break(start, i + 1, hard=i - start >= 2)

    def _line_break(self, start: int, end: int, *, hard: bool) -> int:
        if hard:
            self._leaf(start, end - 1, El("br"))
            start = end - 1
        return self._leaf(start, end, "\n")

    def _entity(self, i: int) -> int:
        found = links.ENTITY.match(self.text, i)
        if found:
            meant = links.entity(found[0])
            return self._leaf(i, found.end(), meant) if meant else i + 1
        if not self.final and links.ENTITY_BEGUN.match(self.text, i):
            return self._hold(i)
        return i + 1

    def _code(self, i: int) -> int:
        run = _TICKS.match(self.text, i)
        assert run
        length, inner = run.end() - i, run.end()
        close = self._closing_ticks(length, inner)
        if close < 0:
            self._unsettle(i)
            return inner if self.final else self._trusted_code(i, inner)
        shown = _code(self.text[i:inner], self.text[inner:close])
        return self._leaf(i, close + length, El("code", None, [shown]))

    def _closing_ticks(self, length: int, i: int) -> int:
        if self._ticks is None:
            self._ticks = {}
            for run in _TICKS.finditer(self.text):
                self._ticks.setdefault(len(run[0]), []).append(run.start())
            self.meter.spend(self.size)
        starts = self._ticks.get(length, ())
        at = bisect_left(starts, i)
        return starts[at] if at < len(starts) else -1

    def _trusted_code(self, i: int, inner: int) -> int:
        """A code span that is still open is shown as one; backticks at the end are held back."""
        end = self.size
        while end > inner and self.text[end - 1] == "`":
            end -= 1
        if end <= inner:
            return self._hold(i)
        content = self.text[inner:end].replace("\n", " ")
        node = El("code", None, [content.removeprefix(" ") or " "], mark=self.text[i:inner])
        self._leaf(i, end, node)
        self.end = end
        return -1

    def _angle(self, i: int) -> int:
        """An autolink, raw HTML, or just a less-than sign."""
        found = tags.autolink(self.text, i)
        if found:
            end, url = found
            shown = self.text[i + 1 : end - 1]
            self._leaf(i, end, self._anchor(url, "", [shown], shown))
            return end
        end = tags.inline_html(self.text, i, self._find)
        if end > 0:
            if self.policy.raw_html:
                self._anchor_tag(i, end)
            return self._leaf(i, end, tags.shown(self.text[i:end], self.policy))
        if not self.final and tags.may_begin(self.text, i):
            return self._wait(i)
        return i + 1

    def _anchor_tag(self, i: int, end: int) -> None:
        """Inside a raw `<a …>` no bare link is made."""
        if self.text.startswith(("<a ", "<A "), i):
            self._unsettle(i)
            self._in_anchor = True
        elif self.text.startswith(("</a>", "</A>"), i):
            self._in_anchor = False

    def _find(self, needle: str, i: int) -> int:
        """str.find that does not look twice where it has found nothing."""
        if i >= self._nowhere.get(needle, self.size + 1):
            return -1
        at = self.text.find(needle, i)
        self.meter.spend((at if at >= 0 else self.size) - i)
        if at < 0:
            self._nowhere[needle] = i
        return at

    # --- bare links, formulas, tasks -------------------------------------------------------------

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

    def _formula(self, i: int) -> int:
        found = formulas.inline(self.text, i, self.size, self._find)
        if found is None:
            if self.text[i] == "\\":
                return self._leaf(i, i + 2, self.text[i + 1])
            return i + 1
        end, display, tex = found
        if end > 0 and (self.final or end < self.size or self.text[i : i + 2] in formulas.PAIRED):
            kind = "block" if display else "inline"
            return self._leaf(i, end, El("code", {"data-math": kind}, [tex]))
        if self.final:
            return self._leaf(i, i + 2, self.text[i + 1]) if self.text[i] == "\\" else i + 1
        return self._wait(i, formulas.patience(self.text, i))

    def _task(self) -> int:
        found = _TASK.match(self.text)
        if found:
            attrs = {"type": "checkbox", "disabled": ""}
            if found[1] != " ":
                attrs["checked"] = ""
            return self._leaf(0, found.end(), El("input", attrs))
        if not self.final and _TASK_BEGUN.match(self.text):
            self._hold(0)
            return self.size
        return 0

    # --- emphasis --------------------------------------------------------------------------------

    def _run(self, i: int) -> int:
        text, end = self.text, i + 1
        c = text[i]
        while end < self.size and text[end] == c:
            end += 1
        if end == self.size and not self.final:
            return self._hold(i)
        if c == "~" and end - i > 2:
            return end
        before, after = i - 1, end
        run = Delimiter(c, i, end)
        run.stands(self._around(before), self._around(after))
        if c != "~" and "~" in (self._around(before), self._around(after)):
            while before >= 0 and text[before] == "~":
                before -= 1
            while after < self.size and text[after] == "~":
                after += 1
            if after == self.size and not self.final:
                return self._hold(i)
            run.stands(self._around(before), self._around(after))
        if run.opens or run.closes:
            self._stack.push(run)
            self._floor = end
        return end

    def _around(self, i: int) -> str:
        return self.text[i] if 0 <= i < self.size else "\n"

    def _pair(self, bottom: Delimiter | None) -> None:
        """Turn what is above `bottom` on the stack into elements."""
        for start, end, marks in self._stack.pair(bottom):
            span = Span(start, end)
            span.a, span.b = start + len(marks), end - len(marks)
            span.tag = _TAGS[marks]
            self.spans.append(span)

    def _trust(self) -> None:
        """Show what is open as if it closed where the text ends, for now."""
        opened: list[tuple[int, int, str, str]] = []
        run = self._stack.lowest(None)
        while run is not None:
            if run.opens:
                self._unsettle(run.start)
                opened.extend(_trusted(run))
            run = run.after
        if self._brackets:
            bracket = self._brackets[0]
            self._unsettle(bracket.start)
            if self._is_link_text(bracket):
                opened.append((bracket.start, bracket.start + 1, "a", "["))
                opened.sort()
        for start, inner, tag, mark in opened[: caps.HEALED]:
            if inner >= self.end:
                self.end = min(self.end, start)
                break
            span = Span(start, self.end)
            span.a, span.b, span.tag, span.mark = inner, self.end, tag, mark
            self.spans.append(span)
        self.spans = [span for span in self.spans if span.start < self.end]

    def _is_link_text(self, bracket: Bracket) -> bool:
        start = bracket.start
        if bracket.image or self._dead or self.end - start > caps.HOLD:
            return False
        if self.text[start + 1 : start + 2] in ("", " ", "^", "]", "["):
            return False
        return not any(s.start < start < s.end for s in self.spans)

    # --- links and images ------------------------------------------------------------------------

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
        label = "^" + links.key(found[1])
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
            if bracket.image and self.size - bracket.start <= 2 * caps.HOLD:
                return self._hold(bracket.start)
            if self.size - i <= 2 * caps.HOLD:
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
            if not second[2] and second.end() == self.size and not self.final:
                return links.PARTIAL
            if second[2]:
                if second[1]:
                    label, usable = second[1], True
                end = second.end()
        if not usable or len(label) > caps.LABEL:
            return None
        return self._defined(label, end)

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

    def _anchor(self, url: str, title: str, children: list[Shown], text: str) -> Shown:
        """A link, or under the safe policy an `a` without target for what may not be one."""
        attrs: dict[str, str] = {}
        if self.policy.name != "safe":
            attrs["href"] = escape_url(url)
        elif (href := gate(url)) is not None:
            attrs["href"] = href
        elif text:
            return text
        if title and attrs:
            attrs["title"] = title
        return El("a" if attrs else "", attrs, children)

    def _image(self, url: str, title: str) -> Shown:
        if self.policy.raw_html:
            return El("img", {"src": escape_url(url), **({"title": title} if title else {})})
        href = gate(url)
        if href is None or href[:7].lower() == "mailto:":
            return El("")
        return El("button", {"data-src": href})

    # --- the result ------------------------------------------------------------------------------

    def checkpoint(self) -> int:
        """The last offset before `settled` where white space begins outside every construct;
        0 when there is none."""
        limit = min(self.settled, self.end)
        for start, stop in reversed(self._gaps(limit)):
            at = self.text.rfind(" ", start, stop)
            while at > start and self.text[at - 1] == " ":
                at -= 1
            if at > start:
                return at
        return 0

    def _gaps(self, limit: int) -> list[tuple[int, int]]:
        """The stretches of plain text below `limit` that lie outside every construct."""
        gaps, at = [], 0
        for span in self.spans:
            if span.start >= limit:
                break
            if span.start >= at:
                if span.start > at:
                    gaps.append((at, span.start))
                at = span.end
        if at < limit:
            gaps.append((at, limit))
        return gaps

    def nodes(self, start: int, end: int) -> list[Shown]:
        """What text[start:end] shows; start lies outside every construct, end too or at `end`."""
        return build(self.text, self.spans, start, end)

    _RULES: Mapping[str, Callable[[Inline, int], int]] = {
        "\\": _escape,
        "`": _code,
        "*": _run,
        "_": _run,
        "~": _run,
        "[": _open_bracket,
        "!": _open_bracket,
        "]": _close_bracket,
        "<": _angle,
        "&": _entity,
        "\n": _newline,
        "$": _formula,
        "@": _mail,
    }


def _by_start(span: Span) -> int:
    return span.start


def _trusted(run: Delimiter) -> list[tuple[int, int, str, str]]:
    """(start, inner start, tag, mark) of the elements an open run most likely begins."""
    c, length = run.char, run.end - run.start
    if length > 3 or (length == 1 and run.word):
        return []
    if length == 3:
        middle = run.start + 1
        return [(run.start, middle, "em", c), (middle, run.end, "strong", c * 2)]
    return [(run.start, run.end, _TAGS[c * length], c * length)]
