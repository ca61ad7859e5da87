"""dist/: the app's files with their policies and types."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from midstream.errors import MachineError
from midstream.gateway.config import project_directory
from midstream.gateway.http.paths import path_in
from midstream.gateway.http.policies import FRAMED, PAGES, SCREEN_POLICY

# For every answer that is not a page of ours: were it ever shown as a document, it could do
# nothing.
NOTHING_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"

_POLICIES = {name.rpartition("/")[2]: policy for name, policy in PAGES.items()}

# Not left to the system's table, which differs between machines.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".py": "text/plain; charset=utf-8",
    ".toml": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".zip": "application/zip",
    ".whl": "application/zip",
}


# What the build puts beside a file that becomes smaller by it.
PACKED = ".br"


class Dist(StaticFiles):
    """Unknown paths are 404, never the index page: a missing script must not come back as HTML."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory, html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path_in(scope).endswith("/") and path_in(scope) != "/":
            return not_found()  # there are no index pages below the first
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            return not_found() if error.status_code == 404 else _plain(error)
        if response.status_code == 404:  # the site's own 404.html would need a policy
            return not_found()
        served = str(getattr(response, "path", path))
        _dress(response, Path(served.removesuffix(PACKED)))
        return response

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """The packed file for who takes it. Each has its own ETag, made of size and time."""
        packed = _stat(f"{full_path}{PACKED}")
        if packed is None:
            return super().file_response(full_path, stat_result, scope, status_code)
        if _wants_packed(Headers(scope=scope)):
            response = super().file_response(f"{full_path}{PACKED}", packed, scope, status_code)
            response.headers["Content-Encoding"] = "br"
        else:
            response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Vary"] = "Accept-Encoding"
        return response


def _stat(path: str) -> os.stat_result | None:
    try:
        return Path(path).stat()
    except OSError:
        return None


def _wants_packed(headers: Headers) -> bool:
    """Whether brotli is accepted and not less welcome than the plain file.

    A part is always one of the plain file: of the packed one it would be of no use.
    """
    if "range" in headers:
        return False
    weights = dict(map(_weighed, headers.get("accept-encoding", "").split(",")))
    packed = weights.get("br", weights.get("*", 0.0))
    return packed > 0 and packed >= weights.get("identity", 0.0)


def _weighed(item: str) -> tuple[str, float]:
    """`br;q=0.5` as its name and weight; what cannot be read counts as not wanted."""
    name, _, weight = item.partition(";")
    try:
        value = float(weight.strip().removeprefix("q=")) if weight else 1.0
    except ValueError:
        value = 0.0
    return name.strip().lower(), value


def _dress(response: Response, path: Path) -> None:
    """Type, policy and caching.

    Names stay the same over versions, so every use is revalidated (304).
    """
    headers = response.headers
    if "content-type" in headers:
        headers["content-type"] = _TYPES.get(path.suffix, "application/octet-stream")
    headers["Cache-Control"] = "no-cache"
    if path.suffix == ".html":
        policy = _POLICIES.get(path.name, SCREEN_POLICY)
        headers["Content-Security-Policy"] = f"{policy}; {FRAMED}"
        if policy == SCREEN_POLICY:
            headers["Cross-Origin-Opener-Policy"] = "same-origin"


def _plain(error: HTTPException) -> Response:
    return PlainTextResponse(error.detail, error.status_code, error.headers)


def not_found() -> Response:
    headers = {"Content-Security-Policy": NOTHING_POLICY, "Cache-Control": "no-store"}
    return PlainTextResponse("Not found.\n", 404, headers)


def find_dist(option: str | None) -> Path:
    """--dist, else MIDSTREAM_DIST, else dist/ of the checkout, else of the working directory."""
    given = option or os.environ.get("MIDSTREAM_DIST")
    project = project_directory()
    places = [Path(given)] if given else [base / "dist" for base in (project, Path.cwd()) if base]
    for place in places:
        if (place / "index.html").is_file():
            return place
    raise MachineError(
        f"There is no built app in {places[0]}.",
        hint="Build it with `python3 build.py`, or name its place with --dist.",
    )
