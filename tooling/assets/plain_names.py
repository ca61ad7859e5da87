"""Modules that many hosts would serve with a type that browsers refuse get names that all hosts know.

A module script must come as JavaScript. `.js` does everywhere; `.mjs` is missing in the tables of many a
static host, Python's own older ones among them, and there is nothing that the page could do about it.
"""

from __future__ import annotations

from pathlib import Path

FOREIGN = ".mjs"
# Files that may name one of the modules. Not PyScript's own files: the names in there are of other files.
TEXT = (".js", ".mjs", ".json", ".html", ".py")
UNTOUCHED = ("pyscript", "wheels", "i18n")


def give(target: Path) -> None:
    """Renames every `*.mjs` below `target` to `*.js`, in the texts that name it too."""
    renamed = [path.rename(path.with_suffix(".js")) for path in sorted(target.rglob(f"*{FOREIGN}"))]
    names = {f"{path.stem}{FOREIGN}": path.name for path in renamed}
    for path in sorted(target.rglob("*")):
        if path.suffix in TEXT and path.relative_to(target).parts[0] not in UNTOUCHED:
            _replace(path, names)


def _replace(path: Path, names: dict[str, str]) -> None:
    before = after = path.read_text(encoding="utf-8")
    for old, new in names.items():
        after = after.replace(old, new)
    if after != before:
        path.write_text(after, encoding="utf-8")
