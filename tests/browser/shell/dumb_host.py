"""Static hosts as there are: dist/ below a path, no header of ours, their own ideas of types and addresses."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PREFIX = "/some/path/"


class Host(SimpleHTTPRequestHandler):
    """Python's own file server, below a path. `sent` counts the bytes of bodies by address."""

    protocol_version = "HTTP/1.1"
    caching = ""
    hides_html = False
    packs = False  # sends the .br beside a file

    def __init__(self, *args: Any, sent: dict[str, list[int]], **options: Any) -> None:
        self.sent = sent
        super().__init__(*args, **options)

    def send_head(self) -> Any:
        path, _, query = self.path.partition("?")
        if not path.startswith(PREFIX):
            if path == PREFIX.rstrip("/"):
                return self._elsewhere(PREFIX, query)
            return self.send_error(404)
        if self.hides_html and path.endswith(".html"):
            name = path.removesuffix(".html")
            return self._elsewhere(name.removesuffix("index"), query)
        inside = path.removeprefix(PREFIX.rstrip("/"))
        if self.hides_html and "." not in inside and inside != "/":
            inside += ".html"
        self.path = inside
        self.whole = path
        return super().send_head()

    def translate_path(self, path: str) -> str:
        found = super().translate_path(path)
        self.packed = self.packs and Path(f"{found}.br").is_file()
        return f"{found}.br" if self.packed else found

    def guess_type(self, path: Any) -> str:
        name = str(path).removesuffix(".br") if self.packed else str(path)
        return super().guess_type(name)

    def end_headers(self) -> None:
        if self.caching:
            self.send_header("Cache-Control", self.caching)
        if getattr(self, "packed", False):
            self.send_header("Content-Encoding", "br")
        super().end_headers()

    def copyfile(self, source: Any, outputfile: Any) -> None:
        data = source.read()
        self.sent.setdefault(self.whole.removeprefix(PREFIX), []).append(len(data))
        outputfile.write(data)

    def _elsewhere(self, path: str, query: str) -> None:
        self.send_response(301)
        self.send_header("Location", path + (f"?{query}" if query else ""))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Knowing(Host):
    """Knows text, scripts and pictures; everything else is bytes, WebAssembly and modules in .mjs too."""

    extensions_map = {  # noqa: RUF012 (as the base class has it)
        **SimpleHTTPRequestHandler.extensions_map,
        ".wasm": "application/octet-stream",
        ".mjs": "application/octet-stream",
        ".zip": "application/octet-stream",
    }


class Plain(Host):
    """What it does not know is text; it lets everything be kept for ten minutes, and hides `.html`."""

    extensions_map = {  # noqa: RUF012 (as the base class has it)
        **SimpleHTTPRequestHandler.extensions_map,
        ".wasm": "text/plain",
        ".mjs": "text/plain",
        ".zip": "text/plain",
    }
    caching = "max-age=600"
    hides_html = True


class Packing(Host):
    """Sends what the build has compressed."""

    packs = True


@contextlib.contextmanager
def hosted(kind: type[Host], dist: Path, sent: dict[str, list[int]]) -> Iterator[str]:
    handler = functools.partial(kind, directory=str(dist), sent=sent)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
    finally:
        server.shutdown()
        server.server_close()
