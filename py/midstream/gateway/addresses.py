"""Where the gateway listens: whether only this machine can reach it, and its addresses in words."""

from __future__ import annotations

import ipaddress
import socket

from midstream.errors import MachineError

# Of the documentation (RFC 5737, RFC 3849): nothing is sent there, the system only says by which of
# its addresses it would.
_SOMEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
EVERYWHERE = ("0.0.0.0", "::")


def is_loopback(host: str) -> bool:
    """Whether nobody else can reach a server on `host`, in all that the name stands for.

    MachineError when it stands for nothing.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]") or EVERYWHERE[0], None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        words = getattr(error, "strerror", None) or error
        raise MachineError(f"Cannot listen on {host}: {words}.", hint="Check --host.", code="port") from error
    return all(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_loopback for entry in found)


def urls_of(listener: socket.socket) -> list[str]:
    """All by which it can be reached, as far as the system knows; one for this machine first."""
    host, port = listener.getsockname()[:2]
    hosts = _own_addresses(listener) if host in EVERYWHERE else [host]
    return [f"http://[{each}]:{port}/" if ":" in each else f"http://{each}:{port}/" for each in hosts]


def _own_addresses(listener: socket.socket) -> list[str]:
    families = [socket.AF_INET]
    if listener.family == socket.AF_INET6:
        both = not listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        families = [*(families if both else []), socket.AF_INET6]
    found = ["127.0.0.1" if socket.AF_INET in families else "::1"]
    for family in families:
        address = _outgoing(family)
        found += [address] if address and address not in found else []
    return found


def _outgoing(family: socket.AddressFamily) -> str:
    """The address that other machines see; "" without a network."""
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect((_SOMEWHERE[family], 9))
            return str(asking.getsockname()[0])
        except OSError:
            return ""
