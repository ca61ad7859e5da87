"""The three sites that are measured: ours, a static page beside it, and the peer."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tooling.assets import filling
from tooling.parts import runtime
from tooling.places import HERE
from tooling.setup import wheels

PEER = Path(__file__).with_name("peer")
STATIC = "static.html"
PROMPT = "Tell me everything."
_SCRIPTS = re.compile(r"<script.*?</script>|<iframe.*?</iframe>|<noscript.*?</noscript>", re.S)
_EMPTY = re.compile(r'<section data-part="empty".*?</section>', re.S)
_TRANSCRIPT = re.compile(r'(<div role="log"[^>]*>)<!--turns-->(</div>)')


def answer(kilobytes: int) -> str:
    """Markdown of about that size: the kept answers, again and again."""
    kept = sorted((HERE.root / "tests" / "streams" / "answers").glob("*.md"))
    texts = "\n\n".join(path.read_text() for path in kept)
    return (texts + "\n\n") * (kilobytes * 1024 // len(texts) + 1)


def ours(target: Path, markdown: str) -> None:
    """dist/ with one more page in the service worker's care: the same answer as static HTML."""
    shutil.copytree(HERE.dist, target)
    (target / STATIC).write_text(_static(target / "index.html", markdown), encoding="utf-8")
    _list(target / "sw.js", target / STATIC)


def _list(worker: Path, page: Path) -> None:
    build = json.loads(worker.read_text(encoding="utf-8").split(filling.MARKER)[1])
    data = page.read_bytes()
    entry = {"url": page.name, "hash": filling.integrity(data), "size": len(data)}
    build["shell"].append(entry)
    filling.substitute(worker, build)
    worker.with_name("sw.js.br").unlink(missing_ok=True)  # as it was before


def _static(index: Path, markdown: str) -> str:
    """The app's own page and style without its scripts, the conversation in its place."""
    page = _EMPTY.sub("", _SCRIPTS.sub("", index.read_text(encoding="utf-8")))
    page = re.sub(r"<html[^>]*>", '<html lang="en">', page)
    page = re.sub(r'<link rel="(modulepreload|preload)"[^>]*>\n?', "", page)
    command = [sys.executable, "-m", "midstream.cli", "render", "--policy", "safe", "-"]
    html = subprocess.run(command, input=markdown, capture_output=True, text=True, check=True)
    turns = (
        f'<article data-author="user"><div data-part="content">{PROMPT}</div></article>'
        f'<article data-author="assistant"><div data-part="content">{html.stdout}</div></article>'
    )
    return _TRANSCRIPT.sub(lambda match: match[1] + turns + match[2], page)


def peer(target: Path) -> None:
    """PyScript, Pyodide and micropip as they come from npm and PyPI, and our wheels."""
    shutil.copytree(PEER, target)
    shutil.copytree(HERE.node_modules / "@pyscript/core/dist", target / "pyscript")
    pyodide = runtime.pyodide(HERE)
    shutil.copytree(pyodide, target / "pyodide", ignore=shutil.ignore_patterns("*.map", "*.d.ts"))
    packed = [wheels.own(HERE), *wheels.vendored(HERE)]
    (target / "wheels").mkdir()
    for wheel in packed:
        beside = "pyodide" if wheel.name.startswith(("micropip-", "packaging-")) else "wheels"
        shutil.copy(wheel, target / beside)
    own_lock = [wheel for wheel in packed if (target / "pyodide" / wheel.name).exists()]
    lock = json.loads(wheels.package_list(own_lock, runtime.info(HERE)))
    lock["packages"]["micropip"]["depends"] = ["packaging"]
    (target / "pyodide" / "pyodide-lock.json").write_text(json.dumps(lock))


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The peer's folder on a server of its own, and there its configuration; gives the URL."""
    handler = functools.partial(_Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        # In a worker made from a blob only absolute addresses of wheels work.
        packages = [f"{url}wheels/{path.name}" for path in (folder / "wheels").glob("*.whl")]
        config = {"interpreter": f"{url}pyodide/pyodide.mjs", "packages": packages}
        (folder / "py.json").write_text(json.dumps(config))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield url
        server.shutdown()
