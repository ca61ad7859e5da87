"""Who asks: the owner of all that a request makes or sees, known by a token.

A program sends its token as `Authorization: Bearer`, a browser as a cookie, which only our own pages
can use (`guard` takes it away from the requests of others). The app's files hold nothing private and
are for everybody; the API is not, and whoever opens the page is led to the sign-in.
"""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from midstream.gateway.http.paths import is_api, path_in
from midstream.gateway.http.requests import OWNER, VISITOR, Visitor, not_signed_in
from midstream.gateway.http.responses import error_response
from midstream.gateway.http.static import NOTHING_POLICY
from midstream.gateway.tokens import Tokens, digest_of

_PAGES = ("/", "/index.html")
_NOBODY = Visitor("", lambda: False)


class Auth:
    """ASGI middleware. Without `tokens` everybody is one and the same owner."""

    def __init__(self, app: ASGIApp, tokens: Tokens | None, port: int) -> None:
        self._app = app
        self._tokens = tokens
        self._cookie = cookie_name(port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visitor = self._visitor(Headers(scope=scope)) if self._tokens else Visitor(OWNER, lambda: True)
        app = self._app if visitor else _refusal(scope) or self._app
        await app({**scope, VISITOR: visitor or _NOBODY}, receive, send)

    def _visitor(self, headers: Headers) -> Visitor | None:
        """By the one token that the request has; a wrong one in a header is not made up for by a cookie."""
        kind, _, given = headers.get("authorization", "").partition(" ")
        token = given.strip() if kind.lower() == "bearer" else token_in(headers, self._cookie) if not kind else ""
        digest = digest_of(token) if token else ""
        name = self._name(digest)
        return Visitor(name, lambda: self._name(digest) == name) if name else None

    def _name(self, digest: str) -> str | None:
        return self._tokens.name_of(digest) if self._tokens and digest else None


def cookie_name(port: int) -> str:
    """Cookies know no ports: two gateways on one machine would sign each other out."""
    return f"midstream-{port}"


def token_in(headers: Headers, name: str) -> str:
    return cookie_parser(headers.get("cookie", "")).get(name, "")


def _refusal(scope: Scope) -> ASGIApp | None:
    """What somebody unknown gets; None where everybody may go."""
    if is_api(scope):
        return error_response(not_signed_in(), {"WWW-Authenticate": "Bearer"})
    headers = Headers(scope=scope)
    if path_in(scope) in _PAGES and "text/html" in headers.get("accept", ""):
        return _to_sign_in(scope, headers)
    return None


def _to_sign_in(scope: Scope, headers: Headers) -> Response:
    address = "sign-in?" + urlencode({"next": scope["query_string"].decode("latin-1")})
    fixed = {"Cache-Control": "no-store", "Content-Security-Policy": NOTHING_POLICY.replace("; sandbox", "")}
    if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        # A link on another site: the cookie comes only with a request that our own page makes.
        return HTMLResponse(f'<!doctype html><meta http-equiv="refresh" content="0; url={address}">', headers=fixed)
    return RedirectResponse(address, 303, fixed)
