"""Rules for square brackets: links, images, references to footnotes, boxes of tasks.

A link's text is shown as a link while its target is being written; the target itself, and an image
as a whole, are held back.
"""

from __future__ import annotations

import re

from midstream.markdown import limits
from midstream.markdown.inline import emphasis, links
from midstream.markdown.inline.context import Bracket, Context
from midstream.markdown.inline.spans import Span
from midstream.markdown.nodes import El, Shown
from midstream.markdown.policy import escape_url, gate

_NOTE = re.compile(r"\[\^([^\s\[\]\\^]{1,99})\]")
_NOTE_BEGUN = re.compile(r"\[\^[^\s\[\]\\^]{0,99}\Z")
_TASK = re.compile(r"\[([ xX])\](?=[ \t\n]+[^ \t\n])")
_TASK_BEGUN = re.compile(r"\[(?:[ xX]\]?)?[ \t\n]*\Z")


def task_box(cx: Context) -> int:
    """`[ ]` or `[x]` at the beginning of an item; returns where the pass begins."""
    found = _TASK.match(cx.text)
    if found:
        attrs = {"type": "checkbox", "disabled": ""}
        if found[1] != " ":
            attrs["checked"] = ""
        return cx.leaf(0, found.end(), El("input", attrs))
    if not cx.final and _TASK_BEGUN.match(cx.text):
        cx.hold(0)
        return cx.size
    return 0


def opening(cx: Context, i: int) -> int:
    """`[` or `![`: what it is, its `]` says."""
    image = cx.text[i] == "!"
    end = i + 2 if image else i + 1
    if not image and cx.policy.notes and cx.text.startswith("^", end):
        after = _note(cx, i)
        if after:
            return after
    if end == cx.size and not cx.final:
        return cx.hold(i)
    if cx.brackets:
        cx.brackets[-1].after = True
    cx.brackets.append(Bracket(i, image, cx.stack.top, len(cx.spans)))
    cx.floor = end
    return end


def _note(cx: Context, i: int) -> int:
    """A reference to a footnote; 0 when it is none (yet)."""
    found = _NOTE.match(cx.text, i)
    if found is None:
        begun = not cx.final and _NOTE_BEGUN.match(cx.text, i)
        return cx.wait(i) if begun else 0
    label = links.note_key(found[1])
    if cx.lookup(label) is None:
        cx.missing.append(label)
        return 0
    return cx.leaf(i, found.end(), El("sup", {"data-note": found[1]}, [found[1]]))


def closing(cx: Context, i: int) -> int:
    """`]`: a link or an image ends here, if a target follows."""
    cx.floor = i + 1
    if not cx.brackets:
        return i + 1
    bracket = cx.brackets[-1]
    if not bracket.image and len(cx.brackets) <= cx.dead:
        _pop(cx)
        return i + 1
    found = _target(cx, bracket, i)
    if found == links.PARTIAL:
        cx.unsettle(bracket.start)
        if bracket.image and cx.size - bracket.start <= 2 * limits.HOLD:
            return cx.hold(bracket.start)
        if cx.size - i <= 2 * limits.HOLD:
            return cx.hold(i)
        found = None
    _pop(cx)
    if not isinstance(found, tuple):
        return i + 1
    return _link(cx, bracket, i, *found)


def _pop(cx: Context) -> None:
    cx.brackets.pop()
    cx.dead = min(cx.dead, len(cx.brackets))


def _target(cx: Context, bracket: Bracket, i: int) -> links.Target | str | None:
    """What follows the `]` at i: (end, destination, title)."""
    text, after = cx.text, i + 1
    if after == cx.size and not cx.final:
        return links.PARTIAL
    if text.startswith("(", after):
        found = links.target(text, after, cx.size)
        cx.meter.spend(8)
        if isinstance(found, tuple) or (found == links.PARTIAL and not cx.final):
            return found
    label = text[bracket.start + (2 if bracket.image else 1) : i]
    end = after
    usable = not bracket.after
    if text.startswith("[", after):
        second = links.LABEL.match(text, after)
        assert second
        cx.meter.spend(second.end() - after)
        if not second[2] and not cx.final and _open_label(cx, second.end()):
            return links.PARTIAL
        if second[2]:
            if second[1]:
                label, usable = second[1], True
            end = second.end()
    if not usable or len(label) > limits.LABEL:
        return None
    return _defined(cx, label, end)


def _open_label(cx: Context, end: int) -> bool:
    """Whether a label that was read up to `end` may go on."""
    return end == cx.size or (end == cx.size - 1 and cx.text[end] == "\\")


def _defined(cx: Context, label: str, end: int) -> links.Target | None:
    cx.meter.spend(len(label))
    key = links.key(label)
    if not key:
        return None
    known = cx.lookup(key)
    if known is None:
        cx.missing.append(key)
        return None
    return end, known[0], known[1]


def _link(cx: Context, bracket: Bracket, i: int, end: int, url: str, title: str) -> int:
    """Make the element; what was inside is already in `spans`."""
    emphasis.pair(cx, bracket.below)
    cx.stack.cut(bracket.below)
    node = _image(cx, url, title) if bracket.image else cx.anchor(url, title, [], "")
    tag, attrs = (node.tag, node.attrs) if isinstance(node, El) else ("", {})
    if not bracket.image:
        cx.spans[bracket.spans :] = [s for s in cx.spans[bracket.spans :] if not s.bare]
        cx.dead = len(cx.brackets)
    inner = bracket.start + (2 if bracket.image else 1)
    cx.spans.append(Span.around(bracket.start, inner, i, end, tag, attrs))
    cx.floor = end
    return end


def _image(cx: Context, url: str, title: str) -> Shown:
    if cx.policy.raw_html:
        return El("img", {"src": escape_url(url), **({"title": title} if title else {})})
    href = gate(url)
    if href is None or href[:7].lower() == "mailto:":
        return El("")
    return El("button", {"data-src": href})
