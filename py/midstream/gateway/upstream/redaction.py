"""The gateway's key, taken out of whatever the upstream sends: servers repeat it in their errors."""

from __future__ import annotations

import json
import re

__all__ = ["Redaction"]

_INSTEAD = "…".encode()


class Redaction:
    """Bytes in, bytes out, however they are cut: what may be the beginning of the key waits for the
    next piece."""

    def __init__(self, key: str | None) -> None:
        forms = {key, json.dumps(key)[1:-1], key.replace("/", "\\/")} if key else set()
        self._forms = sorted((form.encode() for form in forms), key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, self._forms)))
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        if not self._forms:
            return data
        data = self._pattern.sub(_INSTEAD, self._held + data)
        kept = self._beginning_in(data)
        self._held = data[len(data) - kept :]
        return data[: len(data) - kept]

    def rest(self) -> bytes:
        held, self._held = self._held, b""
        return held

    def whole(self, data: bytes) -> bytes:
        return self._pattern.sub(_INSTEAD, data) if self._forms else data

    def _beginning_in(self, data: bytes) -> int:
        """How many bytes at the end of `data` may be the beginning of the key."""
        longest = min(len(data), max(map(len, self._forms)) - 1)
        for count in range(longest, 0, -1):
            end = data[-count:]
            if any(form.startswith(end) for form in self._forms):
                return count
        return 0
