"""Tokens: who may use the gateway, when it is started with `--auth token`.

A folder with a file for each: its name is the token's name and so the owner of all that is made with
it, its content the SHA-256 of the token. A token has 256 random bits: nobody can guess one, and a
slower hash would protect nothing.

Every process looks at the folder again when it has changed, at the latest after a second.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from midstream.errors import MachineError, UsageError
from midstream.gateway.config import data_directory

log = logging.getLogger(__name__)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PREFIX = "midstream_"  # by which a token is known wherever it turns up
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LOOK_AGAIN = 1.0  # seconds; two changes may have the same time in the file system


@dataclass(frozen=True, slots=True)
class Token:
    name: str
    digest: str
    created: float  # seconds since the epoch


class Tokens:
    """The tokens in `folder`, which need not exist."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, str] = {}  # digests by name
        self._changed = -1  # the folder's time at the last look
        self._looked = float("-inf")

    def add(self, name: str) -> str:
        """The new token, which is stored nowhere. UsageError when the name is taken, or is none."""
        if not NAME.fullmatch(name):
            raise UsageError(
                f"NAME has 1 to 64 letters a-z, digits and any of . _ - and begins with none of these, not {name!r}."
            )
        token = _PREFIX + secrets.token_urlsafe(32)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(name, digest_of(token))
        except OSError as error:
            raise self._unusable(error) from error
        return token

    def _write(self, name: str, digest: str) -> None:
        try:
            handle = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            hint = f"`midstream token revoke {name}` ends it."
            raise UsageError(f"There is a token {name} already.", hint=hint) from None
        with os.fdopen(handle, "w") as file:
            file.write(digest + "\n")

    def revoke(self, name: str) -> None:
        """UsageError when there is none of that name."""
        try:
            if not NAME.fullmatch(name):
                raise FileNotFoundError
            (self._folder / name).unlink()
        except FileNotFoundError:
            raise UsageError(f"There is no token {name}.", hint="`midstream token list` shows them.") from None
        except OSError as error:
            raise self._unusable(error) from error

    def listed(self) -> list[Token]:
        """By name. MachineError when the folder cannot be read."""
        try:
            files = sorted(self._folder.iterdir()) if self._folder.exists() else []
            named = [(file, file.read_text().strip()) for file in files if NAME.fullmatch(file.name)]
            return [Token(file.name, text, file.stat().st_mtime) for file, text in named if _DIGEST.fullmatch(text)]
        except (OSError, UnicodeDecodeError) as error:
            raise self._unusable(error) from error

    def name_of(self, digest: str) -> str | None:
        """The name of the token with this digest. All are compared, and each in constant time. None
        also when the folder cannot be read, which the log says."""
        self._look()
        found = None
        for name, known in self._known.items():
            if hmac.compare_digest(known, digest):
                found = name
        return found

    def _look(self) -> None:
        now = time.monotonic()
        changed = self._folder.stat().st_mtime_ns if self._folder.exists() else 0
        if changed == self._changed and now - self._looked < _LOOK_AGAIN:
            return
        self._changed, self._looked = changed, now
        try:
            self._known = {token.name: token.digest for token in self.listed()}
        except MachineError as error:
            self._known = {}
            log.error("%s", error.message)

    def _unusable(self, error: Exception) -> MachineError:
        words = error.strerror if isinstance(error, OSError) else str(error)
        return MachineError(f"The tokens in {self._folder} cannot be used: {words}.")


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def default_folder() -> Path:
    return data_directory() / "tokens"
