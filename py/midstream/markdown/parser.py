"""The parser: pieces of text in, ops out. Read from here.

    feed ─▶ lines ─▶ parse ──────────▶ take ───────────▶ leaf ────────────▶ emit ─▶ ops
            (here)   blocks/           blocks/           blocks/            emitter.py
                     line_parser.py    document.py       paragraphs.py,
                     what a line       opens and seals   tables.py …
                     means             blocks            └▶ inline/parser.py: emphasis, links …

A line is read as soon as nothing that may follow on it can change its meaning to the block
structure; until then it is held (at most that one line). From then on its pieces go straight to
the leaf. The leaf is shown once per `feed`, so a large piece costs one parse per leaf.

The same pieces give the same ops. The same text, however cut, gives the same tree in the end.
"""

from __future__ import annotations

from midstream.markdown.blocks.document import Document
from midstream.markdown.blocks.line_parser import parse
from midstream.markdown.blocks.lines import Line, Undecided
from midstream.markdown.policy import policy as named_policy
from midstream.patch import Op

VERSION = 1
"""One more for every change by which the same pieces of text yield other ops."""

_RETRY = 64
"""A held line is read again at every piece up to this length, then only as it grows by an eighth."""


class Parser:
    """A document that is being written. Parsers share nothing; any number may live at once."""

    version = VERSION

    def __init__(self, policy: str = "safe") -> None:
        self._document = Document(named_policy(policy))
        self._policy = self._document.out.policy
        self._held: list[str] = []
        self._length = 0
        self._retry = 0
        self._inside = False
        """The current line has been read; its pieces go to the leaf."""
        self._carry = ""
        """The end of the last piece, when it is half of something: CR LF, a surrogate pair."""
        self._finished = False

    @property
    def work(self) -> int:
        """Work units so far, for tests of growth."""
        return self._document.out.meter.work

    def feed(self, text: str) -> list[Op]:
        """Take a piece of text of any length; returns the ops that bring a screen up to date."""
        if self._finished:
            raise RuntimeError("feed after finish: a finished document takes no more text")
        text = self._clean(text)
        document = self._document
        document.out.meter.work += len(text)
        document.out.definitions.earn(len(text))
        start = 0
        while (end := text.find("\n", start)) >= 0:
            self._whole(text[start:end])
            start = end + 1
        if start < len(text):
            self._part(text[start:])
        return document.show()

    def finish(self) -> list[Op]:
        """The text has ended: nothing is held back or trusted any more."""
        if self._finished:
            return []
        carried, self._carry = self._carry, ""
        if carried == "\r":
            self._whole("")
        elif carried:
            self._part("\ufffd")
        if self._held or self._inside:
            self._whole("")
        self._finished = True
        return self._document.finish()

    def _clean(self, text: str) -> str:
        """One kind of line end, no NUL, no half of a surrogate pair."""
        if self._carry:
            text, self._carry = self._carry + text, ""
        if text and (text[-1] == "\r" or "\ud800" <= text[-1] <= "\udbff"):
            text, self._carry = text[:-1], text[-1]
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if "\0" in text:
            text = text.replace("\0", "\ufffd")
        if not text.isascii():
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return text

    def _whole(self, text: str) -> None:
        """The current line ends with this text."""
        document = self._document
        if self._inside:
            if text and document.leaf is not None:
                document.leaf.more(text)
            self._inside = False
            document.end_line()
            return
        self._held.append(text)
        line = "".join(self._held)
        self._held.clear()
        self._length = self._retry = 0
        document.out.meter.work += len(line)
        plan = parse(Line(line, whole=True), document.containers, document.leaf, self._policy)
        if document.take(plan):
            document.end_line()

    def _part(self, text: str) -> None:
        """The current line goes on with this text."""
        document = self._document
        if self._inside:
            if document.leaf is not None:
                document.leaf.more(text)
            return
        self._held.append(text)
        self._length += len(text)
        if self._length < self._retry:
            return
        line = "".join(self._held)
        document.out.meter.work += len(line)
        try:
            plan = parse(Line(line, whole=False), document.containers, document.leaf, self._policy)
        except Undecided:
            self._held = [line]
            self._retry = self._length * 9 // 8 if self._length > _RETRY else 0
            return
        self._held.clear()
        self._length = self._retry = 0
        self._inside = True
        document.take(plan)
