"""The content security policies of the app's pages.

The gateway sends them as headers, and the build writes them into the pages, for static hosts.
"""

from __future__ import annotations

from midstream.names import LOOPBACK

# A policy has no form for an address of IPv6.
_LOOPBACK = " ".join(f"http://{host}:*" for host in LOOPBACK if ":" not in host)

SCREEN_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob:; font-src 'self'; frame-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
ENGINE_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval' blob:; "
    f"style-src 'self' 'unsafe-inline'; connect-src 'self' https: {_LOOPBACK}; "
    "worker-src 'self' blob:; base-uri 'none'; form-action 'none'"
)
# The script that begins the sandbox of a diagram (web/late/diagram_sandbox.js), whose frame inherits this policy.
BEGIN = "'sha256-O9hOa65PeyBV0/KkTYdM0HTUsnPi95cgBPMwYum9ank='"
DIAGRAM_POLICY = (
    f"default-src 'none'; script-src 'self' {BEGIN} blob:; style-src 'unsafe-inline'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
# Only a header can say it.
FRAMED = "frame-ancestors 'self'"

PAGES = {
    "index.html": SCREEN_POLICY,
    "engine.html": ENGINE_POLICY,
    "late/diagram.html": DIAGRAM_POLICY,
}
