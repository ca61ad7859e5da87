"""A certificate that nobody has signed but itself, made anew: a key in the repository would be everybody's."""

from __future__ import annotations

import base64
import hashlib
import math
import secrets
import ssl
from pathlib import Path

_RSA = bytes.fromhex("06092a864886f70d010101")
_SHA256_RSA = bytes.fromhex("06092a864886f70d01010b")
_SHA256 = bytes.fromhex("0609608648016503040201")
_NAME = bytes.fromhex("0603550403")
_NULL = b"\x05\x00"
_PUBLIC = 65537
_SMALL = math.prod(n for n in range(3, 2000, 2) if all(n % d for d in range(3, 45, 2) if d < n))


def server_context(folder: Path) -> ssl.SSLContext:
    """For a TLS server at `localhost`, which no client trusts."""
    key, certificate = _made()
    (folder / "key.pem").write_text(_pem("RSA PRIVATE KEY", key))
    (folder / "certificate.pem").write_text(_pem("CERTIFICATE", certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


def _made() -> tuple[bytes, bytes]:
    p, q = _prime(), _prime()
    n, d = p * q, pow(_PUBLIC, -1, (p - 1) * (q - 1))
    numbers = (0, n, _PUBLIC, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    key = _sequence(*map(_integer, numbers))
    name = _sequence(_der(0x31, _sequence(_NAME, _der(0x0C, b"localhost"))))
    days = _sequence(_der(0x17, b"200101000000Z"), _der(0x17, b"491231235959Z"))
    public = _sequence(_integer(n), _integer(_PUBLIC))
    spki = _sequence(_sequence(_RSA, _NULL), _der(0x03, b"\x00" + public))
    signed_with = _sequence(_SHA256_RSA, _NULL)
    body = _sequence(_integer(1), signed_with, name, days, name, spki)
    digest = _sequence(_sequence(_SHA256, _NULL), _der(0x04, hashlib.sha256(body).digest()))
    size = (n.bit_length() + 7) // 8
    padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    signature = pow(int.from_bytes(padded, "big"), d, n).to_bytes(size, "big")
    return key, _sequence(body, signed_with, _der(0x03, b"\x00" + signature))


def _prime(bits: int = 1024) -> int:
    while True:
        found = secrets.randbits(bits) | (3 << (bits - 2)) | 1
        if found % _PUBLIC == 1 or math.gcd(found, _SMALL) != 1:
            continue
        if all(pow(base, found - 1, found) == 1 for base in (2, 3, 5)):
            return found


def _sequence(*parts: bytes) -> bytes:
    return _der(0x30, b"".join(parts))


def _integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _pem(kind: str, content: bytes) -> str:
    lines = base64.encodebytes(content).decode()
    return f"-----BEGIN {kind}-----\n{lines}-----END {kind}-----\n"
