"""Characters that nobody sees, in texts that leave the app: replaced as the screen does it (web/shared/invisible.js has
the rules with their reasons)."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

MARK = "\ufffd"
# The quick look; a flag is taken as a whole.
_SUSPECT = re.compile(
    "(\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f?)"
    "|[\u115f\u1160\u180e\u200b-\u200d\u202a-\u202e\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e01ef]"
)
_TURNS = re.compile("[\u00ad\u061c\u200e\u200f\u2066-\u2069]")
_FENCE = re.compile(r"^ {0,3}(?:`{3,}|~{3,})", re.MULTILINE)

_WITHOUT_SPACES = ("THAI ", "LAO ", "KHMER ", "MYANMAR ")
_HAN = ("CJK ", "IDEOGRAPHIC ", "HANGZHOU ", "KANGXI ")
_WITH_FORMS = (*_HAN, "MYANMAR ", "PHAGS-PA ")
_EMOJI_LETTERS = "\u2139"  # the only letters that are emoji


def visible(text: str, *, code: bool = False) -> str:
    """A mark for each unit of UTF-16 of a hidden character."""
    if text.isascii():
        return text
    text = _SUSPECT.sub(_marked, text)
    return _TURNS.sub(MARK, text) if code else text


def visible_source(markdown: str) -> str:
    """The same for Markdown: its code fences begin and end code."""
    if markdown.isascii():
        return markdown
    places = [0, *(found.start() for found in _FENCE.finditer(markdown)), len(markdown)]
    parts = pairwise(places)
    return "".join(visible(markdown[start:end], code=n % 2 == 1) for n, (start, end) in enumerate(parts))


def _marked(found: re.Match[str]) -> str:
    hidden, at = found[0], found.start()
    before = found.string[at - 1] if at else ""
    if found[1] or not _is_hidden(hidden, before):
        return hidden
    return MARK * (2 if hidden > "\uffff" else 1)


def _is_hidden(character: str, before: str) -> bool:
    kind = unicodedata.category(before) if before else ""
    if character == "\u200b":
        return not _is_of(before, _WITHOUT_SPACES)
    if character in "\u200c\u200d":
        return " " <= before <= "~"
    if character >= "\U000e0100":
        return not _is_of(before, _HAN)
    if not "\ufe00" <= character <= "\ufe0f":
        return True
    if "\ufe00" <= before <= "\ufe0f" or before == MARK:
        return True
    if character >= "\ufe0e":
        return ((kind[:1] in "LMZ" and kind != "") or before == "\n") and before not in _EMOJI_LETTERS
    return ((kind[:1] in "LMNZ" and kind != "") or before == "\n") and not _is_of(before, _WITH_FORMS)


def _is_of(character: str, scripts: tuple[str, ...]) -> bool:
    return character != "" and unicodedata.name(character, "").startswith(scripts)
