"""Changes in a copy of `dist/`, where the scripts are put together and the white space is gone."""

from __future__ import annotations

import re
from pathlib import Path


def change(file: Path, pattern: str, text: str) -> None:
    """Puts `text` in the place of the one match of the pattern; no packed copy tells of the old one."""
    changed, count = re.subn(pattern, lambda _: text, file.read_text(encoding="utf-8"))
    assert count == 1, f"{count} places in {file.name} are like {pattern}"
    file.write_text(changed, encoding="utf-8")
    file.with_name(f"{file.name}.br").unlink(missing_ok=True)
