"""How long a test waits for any state: a limit for what is broken, no measure of speed."""

from __future__ import annotations

# A first visit took 45 s where four of them shared two cores, and once 60.
PATIENCE_MS = 120_000
