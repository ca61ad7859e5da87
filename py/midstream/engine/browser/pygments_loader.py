"""Loads Pygments when the page shows the first code in a known language. From then on it can be
imported, and the service worker stores it."""

from __future__ import annotations

import sys
from pathlib import Path

from midstream.engine.ports.host import LARGE_BODY_BYTES, Net, body_of

URL = "late/pygments.zip"
ZIP = "/lib/midstream-pygments.zip"  # tooling/parts/pygments_zip.py has compiled it for this path


class PygmentsLoader:
    def __init__(self, net: Net, path: str = ZIP) -> None:
        self._net = net
        self._path = path

    async def __call__(self) -> None:
        """Raises UpstreamBroken or OSError."""
        if self._path in sys.path:
            return
        response = await self._net.open("GET", URL, {})
        data = await body_of(response, LARGE_BODY_BYTES)
        # During an update the host may answer with a web page.
        if response.status != 200 or not data.startswith(b"PK"):
            raise OSError(f"{URL} was answered with status {response.status}")
        Path(self._path).write_bytes(data)
        sys.path.append(self._path)
