"""How Python starts in the page: the fast way, and the ways on when something of it did not arrive.

On a plain static host under a folder of its own, as anybody might serve dist/.
"""

from __future__ import annotations

import functools
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Worker, expect

FOLDER = "some/folder/"
PATIENCE_MS = 60_000  # for any state to come; a limit for what is broken, not a measure of speed

# In the place of the engine: what a started Python must be able to do, told on the console.
PROBE = """
import asyncio, json, random
import js, pyodide_js
import difflib, html.parser, mistletoe, midstream.engine.idb  # late: none of them is in the memory

async def probe():
    await pyodide_js.loadPackage("micropip")
    import micropip
    await micropip.install("{url}wheels/packaging-26.1-py3-none-any.whl")
    import packaging
    said = [js.midstreamBoot, random.random(), mistletoe.markdown("*a*"), packaging.__version__]
    js.console.log("probe " + json.dumps(said))

asyncio.ensure_future(probe())
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Host:
    """A copy of the built site that a test may damage, and where it is served."""

    folder: Path
    url: str

    def damage(self, pattern: str, at: int = 100_000) -> None:
        (file,) = self.folder.glob(pattern)
        data = bytearray(file.read_bytes())
        data[at] ^= 0xFF
        file.write_bytes(data)

    def remove(self, pattern: str) -> None:
        (file,) = self.folder.glob(pattern)
        file.unlink()


@pytest.fixture
def host(dist: Path, tmp_path: Path) -> Iterator[Host]:
    folder = tmp_path / FOLDER
    shutil.copytree(dist, folder)
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield Host(folder, f"http://127.0.0.1:{server.server_port}/{FOLDER}")
        server.shutdown()
        thread.join()


def python_worker(page: Page) -> Worker:
    """The worker that runs Python; the only one that knows how it was started."""
    for worker in page.workers:
        if worker.evaluate("typeof globalThis.midstreamBoot") == "string":
            return worker
    raise AssertionError("no worker of the page runs Python")


def boot(page: Page, host: Host) -> tuple[str, list[str]]:
    """Opens the page until Python answers; the way it was started and why not a faster one."""
    page.goto(host.url)
    expect(page.locator("html")).to_have_attribute("data-engine", "ready", timeout=PATIENCE_MS)
    worker = python_worker(page)
    way: str = worker.evaluate("globalThis.midstreamBoot")
    errors: list[str] = worker.evaluate("globalThis.midstreamBootErrors")
    return way, errors


def probe(page: Page, host: Host) -> list[object]:
    with page.expect_console_message(lambda message: message.text.startswith("probe ")) as told:
        page.goto(host.url)
    said: list[object] = json.loads(told.value.text.removeprefix("probe "))
    return said


def test_starts_from_the_snapshot_and_asks_nobody_else(page: Page, host: Host) -> None:
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    assert boot(page, host) == ("snapshot", [])
    assert len(asked) > 10
    outside = [url for url in asked if not url.removeprefix("blob:").startswith(host.url)]
    # A worker made from a blob is named after the origin alone.
    origin = "{0.scheme}://{0.netloc}/".format(urlsplit(host.url))
    assert [url for url in outside if not url.startswith(f"blob:{origin}")] == []


@pytest.mark.parametrize(
    ("way", "gone"),
    [
        ("snapshot", []),
        ("compiled", ["snapshot-*.bin"]),
        ("plain", ["snapshot-*.bin", "app-*.zip"]),
    ],
)
def test_however_it_started_it_can_do_the_same(
    page: Page, host: Host, way: str, gone: list[str]
) -> None:
    for pattern in gone:
        host.remove(f"pyodide/{pattern}")
    (host.folder / "engine.py").write_text(PROBE.replace("{url}", host.url))
    first, second = probe(page, host), probe(page, host)
    assert first[0] == second[0] == way
    assert first[1] != second[1], "chance is that of the snapshot"
    assert first[2:] == second[2:] == ["<p><em>a</em></p>\n", "26.1"]


@pytest.mark.parametrize("harm", ["damaged", "gone"])
def test_without_a_sound_snapshot_the_compiled_way(page: Page, host: Host, harm: str) -> None:
    if harm == "damaged":
        host.damage("pyodide/snapshot-*.bin", at=6_000_000)
    else:
        host.remove("pyodide/snapshot-*.bin")
    way, errors = boot(page, host)
    assert way == "compiled" and len(errors) == 1


@pytest.mark.parametrize("pattern", ["pyodide/app-*.zip", "pyodide/stdlib-*.zip"])
def test_without_the_compiled_parts_as_published(page: Page, host: Host, pattern: str) -> None:
    host.remove(pattern)
    way, errors = boot(page, host)
    assert way == "plain" and len(errors) == 2
