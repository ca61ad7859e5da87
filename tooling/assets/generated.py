"""The tables that Python and the screen share, as a JavaScript module: `python -m tooling.assets.generated`.

The module lies in `web/` like any other, for readers, tsc and tests; tests/unit/tooling/test_generated.py
fails when it is not what the tables of Python give. Needs midstream on the path of Python.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

from midstream import names, patch
from midstream.engine.highlight import lexing
from tooling.places import HERE

FILE = Path("web/shared/constants.js")
HEAD = """\
// Tables that Python and the screen share. Written by tooling/assets/generated.py from the modules of midstream
// that are named here: change those and run `python -m tooling.assets.generated`.
"""
# Name in JavaScript, the words on it, type, value.
TABLES: tuple[tuple[str, str, str, object], ...] = (
    (
        "PACKED_FIELDS",
        "patch.OPS: the number of fields of a packed op after its code, by code.",
        "number[]",
        [patch.OPS[code].packed - 1 for code in range(len(patch.OPS))],
    ),
    (
        "TAGS",
        "patch.SAFE: the tags of an answer and the attributes that each may carry.",
        "Record<string, string[]>",
        {tag: sorted(names) for tag, names in patch.SAFE.items()},
    ),
    (
        "VALUES",
        "patch.VALUES: the form of an attribute's value; the others are free text.",
        "Record<string, string>",
        {name: form.pattern.removesuffix(r"\Z") for name, form in patch.VALUES.items()},
    ),
    ("SCHEMES", "patch.SCHEMES: of addresses.", "string[]", [f"{name}:" for name in patch.SCHEMES]),
    (
        "COLOUR_KINDS",
        "lexing.KINDS: the kinds of coloured code, by their numbers.",
        "string[]",
        lexing.KINDS,
    ),
    (
        "LOOPBACK",
        "names.LOOPBACK_IN_URLS: hosts of this machine.",
        "string[]",
        names.LOOPBACK_IN_URLS,
    ),
)


def module() -> str:
    """The text of the module."""
    tables = (
        f"\n/** {words} @type {{{kind}}} */\nexport const {name} = {_literal(value)};\n"
        for name, words, kind, value in TABLES
    )
    return HEAD + "".join(tables)


def _literal(value: object) -> str:
    """JSON in lines of one length, with a key and its value in the same line."""
    text = json.dumps(value, separators=(", ", ":\N{NO-BREAK SPACE}"))
    lines = textwrap.wrap(text[1:-1], 124, break_long_words=False, break_on_hyphens=False)
    joined = text if len(lines) == 1 else "\n  ".join([text[0], *lines]) + f"\n{text[-1]}"
    return joined.replace("\N{NO-BREAK SPACE}", " ")


if __name__ == "__main__":
    (HERE.root / FILE).write_text(module(), encoding="utf-8")
