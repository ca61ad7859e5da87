"""Zip archives, as other programs export their conversations."""

from __future__ import annotations

import io
import zipfile


def archive(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, content in files:
            made.writestr(name, content)
        made.comment = comment
    return out.getvalue()
