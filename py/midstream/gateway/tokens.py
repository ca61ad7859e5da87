"""Tokens: who may use the gateway, when it is started with `--auth token`.

A folder with a file for each: its name is the token's name and so the owner of all that is made with
it, its content the SHA-256 of the token. A token has 256 random bits: nobody can guess one, and a
slower hash would protect nothing.

Every process looks at the folder again when it has changed, at the latest after a second.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from midstream.errors import MachineError, UsageError
from midstream.gateway.config import data_directory

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
                f"A name has 1 to 64 of A-Z a-z 0-9 . _ - and begins with one of the first three, not {name!r}."
            )
        token = _PREFIX + secrets.token_urlsafe(32)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(digest_of(token) + "\n")
        except FileExistsError:
            raise UsageError(
                f"There is a token {name} already.", hint=f"`midstream token revoke {name}` ends it."
            ) from None
        except OSError as error:
            raise self._unusable(error) from error
        return token

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
        """The name of the token with this digest. All are compared, and each in constant time."""
        self._look()
        found = None
        for name, known in self._known.items():
            if hmac.compare_digest(known, digest):
                found = name
        return found

    def _look(self) -> None:
        now = time.monotonic()
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            changed = 0
        if changed != self._changed or now - self._looked > _LOOK_AGAIN:
            self._known = {token.name: token.digest for token in self.listed()}
            self._changed, self._looked = changed, now

    def _unusable(self, error: Exception) -> MachineError:
        words = error.strerror if isinstance(error, OSError) else str(error)
        return MachineError(f"The tokens in {self._folder} cannot be used: {words}.")


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def default_folder() -> Path:
    return data_directory() / "tokens"
