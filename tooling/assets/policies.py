"""The meta tags of each page: its content security policy, from `midstream.gateway.http.policies`, and no referrer."""

from __future__ import annotations

import runpy
from pathlib import Path

from tooling.assets.filling import exchange
from tooling.places import Places, make_importable

PLACEHOLDER = "<!--policy-->"
REFERRER = '<meta name="referrer" content="no-referrer">'


def write(places: Places, web: Path) -> None:
    """Puts the tags into the pages in `web`, which is a copy of `web/`. Raises Trouble."""
    make_importable(places)  # for the names that the policies hold
    pages: dict[str, str] = runpy.run_path(str(places.root / "py/midstream/gateway/http/policies.py"))["PAGES"]
    for name, policy in pages.items():
        tag = f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n{REFERRER}'
        exchange(web / name, PLACEHOLDER, tag)
