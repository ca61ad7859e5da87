"""How a batch of payloads is kept in one value: JSON, compressed when that helps.

The chunks of one answer repeat everything but a word, so a full batch shrinks to about a tenth.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

_PLAIN, _ZLIB = b"j", b"z"


def pack(payloads: Sequence[str]) -> bytes:
    text = json.dumps(list(payloads), ensure_ascii=False, separators=(",", ":"))
    plain = text.encode("utf-8", "surrogatepass")  # json.loads reads it so
    small = zlib.compress(plain, 1)
    return _ZLIB + small if len(small) < len(plain) else _PLAIN + plain


def unpack(value: bytes) -> list[str]:
    """Inverse of `pack`; ValueError when the value was not made by it."""
    kind, body = value[:1], value[1:]
    try:
        payloads = json.loads(zlib.decompress(body) if kind == _ZLIB else body)
    except zlib.error as error:
        raise ValueError("a damaged batch in the log") from error
    if not isinstance(payloads, list) or not all(isinstance(item, str) for item in payloads):
        raise ValueError("a damaged batch in the log")
    return payloads
