"""The English catalogue of the page, of two sources: `web/i18n/en.json` has the texts that only the
screen uses, `midstream.problem_texts` the sentences that the gateway and the command line use too.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path

from tooling.places import Places
from tooling.trouble import Trouble

Entry = str | dict[str, str]  # a text, or its forms by the names of plural rules


def write(places: Places, web: Path) -> None:
    """Completes the catalogue in `web`, which is a copy of `web/`. Raises Trouble."""
    text = json.dumps(english(places), indent=2, ensure_ascii=False)
    (web / "i18n/en.json").write_text(f"{text}\n", encoding="utf-8")


def english(places: Places) -> dict[str, Entry]:
    """Each text by its key. Raises Trouble when both sources have one."""
    own: dict[str, Entry] = json.loads((places.root / "web/i18n/en.json").read_bytes())
    problems = _problems(places)
    if twice := own.keys() & problems.keys():
        raise Trouble(f"i18n/en.json repeats what problem_texts.py has: {', '.join(sorted(twice))}")
    return own | problems


def _problems(places: Places) -> dict[str, Entry]:
    module = runpy.run_path(str(places.root / "py/midstream/problem_texts.py"))
    return {
        f"problem.{code}": _with_step(sentence, next_step) for code, (sentence, next_step) in module["ENGLISH"].items()
    }


def _with_step(sentence: str | tuple[str, ...], next_step: str) -> Entry:
    if isinstance(sentence, str):
        return f"{sentence} {next_step}".strip()
    forms = (f"{form} {next_step}".strip() for form in sentence)
    return dict(zip(("one", "other"), forms, strict=True))
