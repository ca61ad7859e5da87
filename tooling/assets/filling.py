"""What the build writes into a file of the app: the hashes and sizes of others."""

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
    parts = file.read_text(encoding="utf-8").split(MARKER)
    if len(parts) != 3:
        raise Trouble(f"{file.name} must have exactly one {MARKER}…{MARKER} place")
    text = json.dumps(value, sort_keys=True).replace("</", "<\\/")
    file.write_text(MARKER.join((parts[0], text, parts[2])), encoding="utf-8")
