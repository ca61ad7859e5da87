"""Who may talk to this server at all: Host and Origin, checked before any route.

A page on the internet can make a browser send requests to this machine. It cannot choose the Host
header freely, except by pointing a name of its own here (DNS rebinding), and it cannot hide its
Origin from requests that change something. So the Host has to be one of ours, and an Origin,
where there is one, too.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from midstream.errors import RequestError
from midstream.gateway.http.paths import is_api, root_of
from midstream.gateway.http.responses import error_response
from midstream.names import LOOPBACK
from midstream.problems import problem

_EXPOSED = "Midstream-Run, Midstream-Head, Location, Retry-After"
_ALLOWED_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Midstream-Conversation, Midstream-On-Disconnect"
)
_EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Hosts:
    """The Host allowlist: our own names with our port, and configured names with any.

    Bound to all addresses, any literal address is our own: rebinding needs a name.
    """

    def __init__(self, bound_to: Iterable[str], port: int, names: Iterable[str] = ()) -> None:
        self._port = port
        self._any_address = not {"0.0.0.0", "::"}.isdisjoint(bound_to)
        self._own = {*LOOPBACK, *(host.strip("[]").lower() for host in bound_to)}
        if self._any_address:
            self._own.add(socket.gethostname().lower())
        self._configured = {name.lower() for name in names}

    def allows(self, header: str) -> bool:
        host, port = split_host(header)
        return self.has(header) or (self._any_address and _is_address(host) and port == self._port)

    def has(self, header: str) -> bool:
        """Whether it is one of our names, and not only an address that may be ours."""
        host, port = split_host(header)
        if port is None or not host:
            return False
        # A proxy in front of a configured one has its own port.
        return host in self._configured or (host in self._own and port == self._port)


def split_host(header: str) -> tuple[str, int | None]:
    """("::1", 8765) from "[::1]:8765".

    The port is 80 when none is named, None when it is not one.
    """
    host, colon, port = header.strip().lower().rpartition(":")
    if not colon or port.endswith("]"):
        host, port = header.strip().lower(), "80"
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else None
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    return host, number


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Guard:
    """ASGI middleware.

    Refuses foreign hosts and origins, answers preflights, adds the fixed headers. A cookie goes only
    with the requests of our own pages. `lifespan` is for an app that mounts this one.
    """

    def __init__(
        self, app: ASGIApp, hosts: Hosts, origins: Iterable[str] = (), lifespan: Lifespan[Any] | None = None
    ) -> None:
        self.lifespan = lifespan
        self._app = app
        self._hosts = hosts
        self._origins = {origin.rstrip("/").lower() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        foreign = origin is not None and not self._same_origin(origin, headers.get("host", ""))
        refusal = self._refusal(scope, headers, foreign)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                self._add_headers(answer, origin if foreign else None)
                _place(answer, root_of(scope))
            await send(message)

        if refusal is not None and scope["type"] == "websocket":
            await WebSocketClose(1008, refusal.message)(scope, receive, send)
        elif refusal is not None:
            await error_response(refusal)(scope, receive, send_with_headers)
        elif foreign and scope.get("method") == "OPTIONS":
            await _preflight(headers)(scope, receive, send_with_headers)
        else:
            own = not foreign and headers.get("sec-fetch-site", "none") in ("none", "same-origin")
            await self._app(scope if own else _without_cookies(scope), receive, send_with_headers)

    def _refusal(self, scope: Scope, headers: Headers, foreign: bool) -> RequestError | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._hosts.allows(hosts[0]):
            return RequestError(problem("wrong_host"), status=421, code="wrong_host")
        if foreign and headers["origin"].lower() not in self._origins:
            return RequestError(problem("wrong_origin"), status=403, code="wrong_origin")
        if not foreign and headers.get("sec-fetch-site") == "cross-site" and not _is_page(scope):
            why = problem("wrong_origin", message="Not from another site.")
            return RequestError(why, status=403, code="wrong_origin")
        return None

    def _same_origin(self, origin: str, host: str) -> bool:
        """http or https, since a proxy in front may do TLS.

        "null" and everything unreadable is foreign, and so is a page at another address with our port.
        """
        scheme, separator, rest = origin.partition("://")
        if not separator or scheme not in ("http", "https"):
            return False
        return self._hosts.has(rest) or (rest.lower() == host.lower() and self._hosts.allows(rest))

    def _add_headers(self, headers: MutableHeaders, foreign_origin: str | None) -> None:
        for name, value in _EVERYWHERE.items():
            headers.setdefault(name, value)
        headers.add_vary_header("Origin")
        if foreign_origin is not None and foreign_origin.lower() in self._origins:
            headers["Access-Control-Allow-Origin"] = foreign_origin
            headers["Access-Control-Expose-Headers"] = _EXPOSED
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"


def _is_page(scope: Scope) -> bool:
    """What a link on another site may open."""
    return scope.get("method") in ("GET", "HEAD") and not is_api(scope)


def _without_cookies(scope: Scope) -> Scope:
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"cookie"]}


def _place(headers: MutableHeaders, root: str) -> None:
    """An address of this app, for a client that sees it below the path `root`."""
    location = headers.get("location", "")
    if root and location.startswith("/") and not location.startswith("//"):
        headers["Location"] = root + location


def _preflight(headers: Headers) -> Response:
    answer = {
        "Access-Control-Allow-Methods": "GET, POST, DELETE",
        "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
        "Access-Control-Max-Age": "600",
    }
    if headers.get("access-control-request-private-network") == "true":
        answer["Access-Control-Allow-Private-Network"] = "true"
    return Response(status_code=204, headers=answer)
