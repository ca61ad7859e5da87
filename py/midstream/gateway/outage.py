"""What the log file says while a store is away: one line at its beginning and one at its end."""

from __future__ import annotations

import logging
import time

from midstream.errors import StoreError

log = logging.getLogger(__name__)


class Outage:
    """Seen by one part of the gateway; `who` names it in the lines."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._since: float | None = None

    def begun(self, error: StoreError) -> None:
        if self._since is None:
            self._since = time.monotonic()
            log.warning("%s: %s", self._who, error.message)

    def over(self) -> None:
        if self._since is not None:
            log.warning("%s: it works again, after %.0f s", self._who, time.monotonic() - self._since)
            self._since = None
