"""What can be known to fail before anything is set up: wrong options, a port that is taken."""

from __future__ import annotations

import argparse
import errno
import socket

from tooling.places import Places, make_importable
from tooling.trouble import USAGE, Trouble


def serve_options(places: Places, options: list[str]) -> argparse.Namespace:
    """The options of `midstream serve`, read by its own parser, which ends the program (exit 2,
    one line) when they are wrong. The parser needs only the standard library."""
    make_importable(places)
    from midstream.cli import parser

    return parser().parse_args(["serve", *options])


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can ask there."""
    from midstream.names import LOOPBACK

    return host in LOOPBACK


def port_is_free(host: str, port: int) -> None:
    """Raises Trouble when nobody could listen there."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise Trouble(f"--host {host}: this machine knows no such name", USAGE) from error
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise _bind_trouble(error, host, port) from error


def _bind_trouble(error: OSError, host: str, port: int) -> Trouble:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 8765
        return Trouble(f"port {port} is taken; stop what listens there or choose another: --port {other}")
    if error.errno == errno.EACCES:
        return Trouble(f"port {port} is reserved for administrators; choose one above 1023")
    return Trouble(f"cannot listen on {host}, port {port}: {error.strerror}", USAGE)
