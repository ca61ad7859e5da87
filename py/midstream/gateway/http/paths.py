"""Paths of this app, which may itself lie below a path of another one."""

from __future__ import annotations

from starlette.types import Scope


def root_of(scope: Scope) -> str:
    """Where the app lies: "" or "/below"."""
    return str(scope.get("root_path", "")).rstrip("/")


def path_in(scope: Scope) -> str:
    """The path without the place where the app lies; it begins with a slash."""
    path, root = str(scope["path"]), root_of(scope)
    below = path.removeprefix(root) if path == root or path.startswith(f"{root}/") else path
    return below or "/"


def is_api(scope: Scope) -> bool:
    return path_in(scope).startswith("/v1/")
