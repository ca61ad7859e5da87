"""Pygments for the page: fetched when the first code in a known language is shown, and importable
from then on. The service worker keeps it from then on, too."""

from __future__ import annotations

import sys
from pathlib import Path

from midstream.engine.ports.host import Net

URL = "late/pygments.zip"
ZIP = "/lib/midstream-pygments.zip"  # tooling/parts/pygments_zip.py has compiled it for this place


class Library:
    def __init__(self, net: Net, place: str = ZIP) -> None:
        self._net = net
        self._place = place

    async def __call__(self) -> None:
        """Raises UpstreamBroken or OSError when it cannot be had."""
        if self._place in sys.path:
            return
        response = await self._net.open("GET", URL, {})
        data = b""
        while piece := await response.read():
            data += piece
        # A host that is being replaced may answer with a page of words.
        if response.status != 200 or not data.startswith(b"PK"):
            raise OSError(f"{URL} was answered with status {response.status}")
        Path(self._place).write_bytes(data)
        sys.path.append(self._place)
