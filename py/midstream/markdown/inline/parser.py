"""The inline parser: one pass over the unsettled tail of a leaf, rule by rule.

The grammar is CommonMark's with GFM's extensions. What is ours is the way through the text: from
left to right once, each character looked at a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from midstream.markdown import limits
from midstream.markdown.inline import (
    autolinks,
    brackets,
    code_spans,
    emphasis,
    escapes,
    formulas,
    raw_html,
)
from midstream.markdown.inline.context import Bracket, Context, Lookup
from midstream.markdown.inline.spans import Span
from midstream.markdown.limits import Meter
from midstream.markdown.policy import Policy

RULES: Mapping[str, Callable[[Context, int], int]] = {
    "\\": escapes.backslash,
    "\n": escapes.line_end,
    "&": escapes.entity,
    "`": code_spans.code_span,
    "$": formulas.formula,
    "<": raw_html.angle,
    "*": emphasis.run,
    "_": emphasis.run,
    "~": emphasis.run,
    "[": brackets.opening,
    "!": brackets.opening,
    "]": brackets.closing,
    "@": autolinks.mail,
    **dict.fromkeys("wfFhH", autolinks.url),
}
"""What may begin at a character that `specials` stops at."""


@lru_cache(maxsize=8)
def specials(policy: Policy) -> re.Pattern[str]:
    """Where something may begin; all else is plain text."""
    extra = r"|www\."
    if policy.bare_links:
        extra += r"|@|(?i:https?|ftp)://"
    money = "$" if policy.math else ""
    return re.compile(r"[\\`*_~\[\]<&\n" + money + r"]|!\[" + extra)


def parse(text: str, policy: Policy, lookup: Lookup, meter: Meter, *, final: bool, task: bool = False) -> Context:
    """One pass over `text`; with `task` it may begin with a task's box."""
    cx = Context(text, policy, lookup, meter, final=final)
    _scan(cx, brackets.task_box(cx) if task else 0)
    emphasis.pair(cx, None)
    if not final:
        _trust(cx)
    cx.spans.sort(key=_by_start)
    return cx


def _scan(cx: Context, i: int) -> None:
    text, size, search = cx.text, cx.size, specials(cx.policy).search
    while i < size:
        found = search(text, i)
        if found is None:
            break
        i = found.start()
        i = RULES[text[i]](cx, i)
        if i < 0:
            return
    if not cx.final and size and text[-1] == "!":
        cx.end = size - 1


def _trust(cx: Context) -> None:
    """Show what is open as if it closed where the text ends, for now."""
    opened: list[tuple[int, int, str, str]] = []
    run = cx.stack.lowest(None)
    while run is not None:
        if run.opens:
            cx.unsettle(run.start)
            opened.extend(emphasis.trusted(run))
        run = run.after
    for image in cx.brackets:
        if image.image and cx.size - image.start <= 2 * limits.HOLD:
            cx.end = min(cx.end, image.start)
            break
    if cx.brackets:
        bracket = cx.brackets[0]
        cx.unsettle(bracket.start)
        if _is_link_text(cx, bracket):
            opened.append((bracket.start, bracket.start + 1, "a", "["))
            opened.sort()
    for start, inner, tag, mark in opened[: limits.HEALED]:
        if inner >= cx.end:
            cx.end = min(cx.end, start)
            break
        cx.spans.append(Span.around(start, inner, cx.end, cx.end, tag, mark=mark))
    cx.spans = [span for span in cx.spans if span.start < cx.end]


def _is_link_text(cx: Context, bracket: Bracket) -> bool:
    start = bracket.start
    if bracket.image or cx.dead or cx.end - start > limits.HOLD:
        return False
    if cx.text[start + 1 : start + 2] in ("", " ", "^", "]", "["):
        return False
    return not any(s.start < start < s.end for s in cx.spans)


def _by_start(span: Span) -> int:
    return span.start
