"""Names that several rooms must read alike: those on the wire (PROTOCOL.md), and this machine's."""

from __future__ import annotations

import re

KEY_CHARACTERS = 128  # of an Idempotency-Key, at most

RUN = re.compile(r"[0-9a-f]{32}")
CONVERSATION = re.compile(r"[A-Za-z0-9._~-]{1,128}")  # stands in a path
KEY = re.compile(rf"[!-~]{{1,{KEY_CHARACTERS}}}")
# What becomes of a run when the connection that began it closes.
ON_DISCONNECT = ("cancel", "continue")

# The hosts that mean this machine.
LOOPBACK = ("127.0.0.1", "localhost", "::1")
LOOPBACK_IN_URLS = tuple(f"[{host}]" if ":" in host else host for host in LOOPBACK)
