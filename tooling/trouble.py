"""One clear line for everything that can go wrong, and what to do about it."""

from __future__ import annotations

import errno
import re

FAILED, USAGE = 1, 2


class Trouble(Exception):
    """The build cannot go on for a reason outside its code; `str()` is one line for a person."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


# What an outside program (pip, npm, node, apt) prints -> what it means. The first match counts, so
# causes come before their consequences: a full disk also looks like a broken download.
MEANINGS: tuple[tuple[str, str], ...] = (
    (
        r"ENOSPC|No space left on device|Disk quota exceeded",
        "the disk is full; free about 1 GB here and in the temporary folder, then run this again",
    ),
    (
        r"DO NOT MATCH THE HASHES|EINTEGRITY|integrity checksum failed",
        "a download does not have the expected hash, so it was not used; run this again, and if it"
        " stays so, the package index or a proxy in between sends a changed file",
    ),
    (
        r"EROFS|Read-only file system|EACCES|EPERM|Permission denied",
        "a folder cannot be written; check its owner and rights (see the log), then run this again",
    ),
    (
        r"IncompleteRead|Connection broken|ConnectionResetError|RemoteDisconnected"
        r"|incomplete-download|ECONNRESET|ERR_SOCKET|unexpected end of file|Z_BUF_ERROR"
        r"|TAR_BAD_ARCHIVE|BadZipFile|Response ended prematurely",
        "a download was cut off; run this again, what is already here is kept",
    ),
    (
        r"NewConnectionError|NameResolutionError|Name or service not known|ConnectTimeout"
        r"|ReadTimeout|Temporary failure in name resolution|ProxyError|Connection refused"
        r"|Max retries exceeded|connection error|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT"
        r"|ENETUNREACH|EHOSTUNREACH|Network is unreachable|ERR_INVALID_URL|SSLError"
        r"|CERTIFICATE_VERIFY_FAILED|CERT_IN_CHAIN|ERR_SOCKET_TIMEOUT|Temporary failure resolving"
        r"|Could not resolve",
        "the package index cannot be reached; check the network and the proxy settings, then run this again",
    ),
    (
        r"from versions: none",
        "the package index cannot be reached or has no package that fits this machine; check the"
        " network and the proxy settings, then run this again",
    ),
    (
        r"No matching distribution|Could not find a version|ETARGET|E404",
        "the package index has no fitting package for this machine or this Python",
    ),
)


def meaning(output: str) -> str | None:
    """What a failed program's output says in words, or None when nothing known is in it."""
    for pattern, words in MEANINGS:
        if re.search(pattern, output):
            return words
    return None


def from_os_error(error: OSError) -> Trouble:
    """Our own file work failed: a full disk, no right to write, or what the system says."""
    where = error.filename2 or error.filename or "a file"  # of a copy the second is the target
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Trouble(f"the disk is full (writing {where}); free about 1 GB, then run this again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Trouble(f"{where} cannot be written; check its owner and rights, run this again")
    return Trouble(f"{error.strerror or error} ({where})")
