"""Placeholders in the files of the app, and the build's texts for them."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from tooling.trouble import Trouble

MARKER = "/*build*/"


def integrity(data: bytes) -> str:
    """The hash in the form that browsers check (subresource integrity)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(data).digest()).decode()


def substitute(file: Path, value: object) -> None:
    """Puts `value` as JSON between the two markers of the file. Raises Trouble."""
    text = json.dumps(value, sort_keys=True).replace("</", "<\\/")
    exchange(file, marked(file), f"{MARKER}{text}{MARKER}")


def marked(file: Path) -> str:
    """The two markers of the file with the text between them. Raises Trouble."""
    parts = file.read_text(encoding="utf-8").split(MARKER)
    if len(parts) != 3:
        raise Trouble(f"{file.name} must have exactly one {MARKER}…{MARKER} place")
    return f"{MARKER}{parts[1]}{MARKER}"


def exchange(file: Path, placeholder: str, text: str) -> None:
    """Puts `text` in the place of a text that the file must have once. Raises Trouble."""
    before = file.read_text(encoding="utf-8")
    if before.count(placeholder) != 1:
        raise Trouble(f"{file.name} must have exactly one {placeholder.strip()}")
    file.write_text(before.replace(placeholder, text), encoding="utf-8")
