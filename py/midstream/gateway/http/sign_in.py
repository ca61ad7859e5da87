"""The sign-in: a form without scripts, which turns a token into a cookie."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from midstream.errors import RequestError
from midstream.gateway.http.auth import cookie_name
from midstream.gateway.http.failures import Failures
from midstream.gateway.http.paths import root_of
from midstream.gateway.http.requests import VISITOR, read_all
from midstream.gateway.http.sign_in_texts import language_of, texts_in
from midstream.gateway.tokens import Tokens, digest_of
from midstream.problems import problem

_SIGNED_IN = 30 * 24 * 3600  # seconds
_FORM = 16 * 1024  # bytes
_FORM_KIND = "application/x-www-form-urlencoded"

# The rest is style.css, the app's own.
_STYLE = (
    "body{display:grid;place-items:center;padding:1.25rem}"
    "main{inline-size:min(100%,22rem);display:grid;gap:1rem}"
    "form{display:grid;gap:.75rem}h1{font-size:1.25rem}small{color:var(--soft)}[role=alert]{color:var(--warn)}"
    "input,button,a{font:inherit;color:inherit;min-block-size:var(--target);padding:.375rem .75rem;"
    "border:1px solid var(--line);border-radius:var(--round);background:var(--tint);inline-size:100%}"
    "a,button{text-align:center;text-decoration:none}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'self' 'sha256-{_STYLE_HASH}'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    # With "no-referrer" the form would come with the Origin "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class SignIn:
    """The routes `/sign-in` and `/sign-out` of a gateway with tokens."""

    def __init__(self, tokens: Tokens, port: int) -> None:
        self._tokens = tokens
        self._cookie = cookie_name(port)
        self._failures = Failures()
        self.routes: list[BaseRoute] = [
            Route("/sign-in", self._show),
            Route("/sign-in", self._sign_in, methods=["POST"]),
            Route("/sign-out", self._sign_out, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        owner, wanted = request.scope[VISITOR].owner, request.query_params.get("next")
        if owner and wanted is not None:  # the cookie did not come with the request for the page
            return _to_app(wanted)
        return _page(request, _account(request, owner) if owner else _form(request, wanted or ""))

    async def _sign_in(self, request: Request) -> Response:
        fields = await _fields(request)
        token, wanted = fields.get("token", "").strip(), fields.get("next", "")
        if not self._tokens.name_of(digest_of(token)):
            return self._refused(request, wanted)
        response = _to_app(wanted)
        response.set_cookie(
            self._cookie,
            token,
            max_age=_SIGNED_IN,
            path=f"{root_of(request.scope)}/",
            secure=_is_https(request),
            httponly=True,
            samesite="strict",
        )
        return response

    def _refused(self, request: Request, wanted: str) -> Response:
        # One that is right is always taken: nobody can lock out the others behind the same address.
        address = request.client.host if request.client else ""
        if self._failures.are_too_many(address):
            busy = _page(request, _form(request, wanted, "too_many"), 429)
            busy.headers["Retry-After"] = f"{self._failures.window:g}"
            return busy
        self._failures.add(address)
        return _page(request, _form(request, wanted, "wrong"), 401)

    async def _sign_out(self, request: Request) -> Response:
        response = RedirectResponse("sign-in", 303, _HEADERS)
        response.delete_cookie(
            self._cookie,
            path=f"{root_of(request.scope)}/",
            secure=_is_https(request),
            httponly=True,
            samesite="strict",
        )
        return response


def _to_app(wanted: str) -> Response:
    """Back to the page, with its query and nothing else: no address from outside is ever followed."""
    query = urlencode(parse_qsl(wanted))
    return RedirectResponse(f"./?{query}" if query else "./", 303, _HEADERS)


async def _fields(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM_KIND:
        why = problem("request_bad", message=f"The body must be {_FORM_KIND}.")
        raise RequestError(why, status=415)
    return dict(parse_qsl((await read_all(request, _FORM)).decode("utf-8", "replace")))


def _is_https(request: Request) -> bool:
    """As the browser sees it, and says; a proxy that does TLS says it too. Only who lies is harmed by a lie."""
    origin, forwarded = request.headers.get("origin", ""), request.headers.get("x-forwarded-proto", "")
    return "https" in (request.url.scheme, origin.partition(":")[0], forwarded.strip().lower())


# The page


def _page(request: Request, body: str, status: int = 200) -> Response:
    language = _language(request)
    title = texts_in(language)["title"]
    html = (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{title} · Midstream</title>\n'
        '<link rel="icon" href="icons/icon.svg" type="image/svg+xml">\n<link rel="stylesheet" href="style.css">\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
    return HTMLResponse(html, status, {**_HEADERS, "Content-Language": language})


def _form(request: Request, wanted: str, trouble: str = "") -> str:
    say = texts_in(_language(request))
    alert = f'<p role="alert">{say[trouble]}</p>\n' if trouble else ""
    return (
        f"<h1>Midstream</h1>\n{alert}"
        '<form method="post" action="sign-in">\n'
        f'<input type="hidden" name="next" value="{escape(wanted)}">\n'
        f'<label for="token">{say["token"]}</label>\n'
        '<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>\n'
        f"<button>{say['sign_in']}</button>\n</form>\n<small>{say['whence']}</small>\n"
    )


def _account(request: Request, owner: str) -> str:
    say = texts_in(_language(request))
    return (
        f"<h1>Midstream</h1>\n<p>{say['signed_in'].format(name=escape(owner))}</p>\n"
        f'<a href="./">{say["open"]}</a>\n'
        f'<form method="post" action="sign-out">\n<button>{say["sign_out"]}</button>\n</form>\n'
        f"<small>{say['stays']}</small>\n"
    )


def _language(request: Request) -> str:
    return language_of(request.headers.get("accept-language", ""))
