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
from playwright.sync_api import Browser, Page, Request, Worker, expect

from tests.browser.start.snapshots import FOLDER as IN_OPFS
from tests.browser.start.snapshots import KEPT, UNTIL_KEPT
from tests.support.built import change
from tests.support.patience import PATIENCE_MS

FOLDER = "some/folder/"
EMPTY = "empty.html"

# In the place of the engine: what a started Python must be able to do, told on the console.
PROBE = """
import asyncio, json, random
import js, pyodide_js
import html.entities, mistletoe, midstream.engine.browser.idb  # not in the memory
import difflib, html.parser, email.mime.text  # not even in the page's part of the library

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

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")  # a test changes files
        super().end_headers()


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


def quicken(folder: Path) -> None:
    """A snapshot is made soon after the start, not when the page has been quiet for a while; and
    without the work for the machine code, which the benchmark shows."""
    change(folder / "engine/engine.js", r"\bWAIT=5e3\b", "WAIT=10")
    change(folder / "engine/pyodide" / "snapshot_maker.js", r"\.rehearse\(\)", ".rehearse(1)")
    change(folder / "engine/pyodide" / "snapshot_maker.js", r"\bREST = 2000\b", "REST = 0")


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """The whole one: where its Python gets an error from a damaged memory, the small one's page crashes."""
    return chromium


@pytest.fixture
def host(dist: Path, tmp_path: Path) -> Iterator[Host]:
    folder = tmp_path / FOLDER
    shutil.copytree(dist, folder)
    quicken(folder)
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


# Of the memory, which begins after what the file says of itself.
HARM = f"""async ([at, bytes, rightly]) => {{
  const root = await navigator.storage.getDirectory();
  const file = await (await root.getDirectoryHandle({IN_OPFS})).getFileHandle('snapshot');
  const whole = new Uint8Array(await (await file.getFile()).arrayBuffer());
  const memory = whole.subarray(4096).fill(0x5a, at, at + bytes);
  const said = JSON.parse(new TextDecoder().decode(whole.subarray(0, whole.indexOf(0))));
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', memory));
  if (rightly) said.hash = Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('');
  whole.set(new TextEncoder().encode(JSON.stringify(said)));
  const out = await file.createWritable();
  await out.write(whole);
  await out.close();
}}"""
UNSAY = f"""async () => {{
  const root = await navigator.storage.getDirectory();
  const file = await (await root.getDirectoryHandle({IN_OPFS})).getFileHandle('snapshot');
  const out = await file.createWritable({{keepExistingData: true}});
  await out.write(new Uint8Array(4096));
  await out.close();
}}"""
FAIL_TWICE = """
import {recordFailure} from './engine/pyodide/snapshot_store.js';
await recordFailure();
await recordFailure();
postMessage('noted');
"""


def until_kept(page: Page) -> dict[str, str]:
    """Waits for the snapshot that is made at an idle time: what it says of itself."""
    kept: dict[str, str] = page.evaluate(UNTIL_KEPT)
    return kept


def start_and_keep(page: Page, host: Host) -> None:
    assert boot(page, host) == ("compiled", [])
    until_kept(page)


def fail_twice(page: Page, host: Host) -> None:
    """As if a snapshot could not be made, or had not loaded."""
    (host.folder / "fail.js").write_text(FAIL_TWICE)
    (host.folder / EMPTY).write_text("<!doctype html><title>Empty</title>")
    page.goto(host.url + EMPTY)
    page.evaluate(
        """new Promise((resolve) => {
          new Worker('fail.js', { type: 'module' }).onmessage = resolve;
        })"""
    )


def test_starts_from_its_own_snapshot_and_asks_nobody_else(page: Page, host: Host) -> None:
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    start_and_keep(page, host)
    assert boot(page, host) == ("own", [])
    assert len(asked) > 10
    outside = [url for url in asked if not url.removeprefix("blob:").startswith(host.url)]
    # A worker made from a blob is named after the origin alone.
    origin = "{0.scheme}://{0.netloc}/".format(urlsplit(host.url))
    assert [url for url in outside if not url.startswith(f"blob:{origin}")] == []
    rare = (
        "engine/pyodide/rest-",
        "engine/pyodide/snapshot-",
        "engine/pyodide/python_stdlib",
        "wheels/",
    )
    assert [url for url in asked if url.removeprefix(host.url).startswith(rare)] == []


def prepared(page: Page, host: Host, way: str) -> None:
    if way == "own":
        start_and_keep(page, host)
    if way == "snapshot":
        fail_twice(page, host)
        start_and_keep(page, host)
    if way == "plain":
        host.remove("engine/pyodide/app-*.zip")


@pytest.mark.parametrize("way", ["own", "snapshot", "compiled", "plain"])
def test_however_it_started_it_can_do_the_same(page: Page, host: Host, way: str) -> None:
    host.remove("sw.js")  # it would keep the app's own engine/engine.py
    prepared(page, host, way)
    (host.folder / "engine/engine.py").write_text(PROBE.replace("{url}", host.url))
    late = requested(page, "/rest-")
    first = probe(page, host)
    assert len(late) == (0 if way == "plain" else 1), "the rest of the library is fetched once"
    second = probe(page, host)
    assert first[0] == second[0] == way
    assert first[1] != second[1], "chance is that of the snapshot"
    assert first[2:] == second[2:] == ["<p><em>a</em></p>\n", "26.1"]


@pytest.mark.parametrize("rightly_hashed", [False, True])
def test_a_damaged_snapshot_is_dropped_and_made_again(page: Page, host: Host, rightly_hashed: bool) -> None:
    start_and_keep(page, host)
    page.evaluate(HARM, [100_000, 5_000_000, rightly_hashed])
    way, errors = boot(page, host)
    assert way == "compiled" and len(errors) == 1
    until_kept(page)
    assert boot(page, host) == ("own", [])


def test_half_a_snapshot_says_nothing_and_is_made_again(page: Page, host: Host) -> None:
    """As when the browser was closed while it was written."""
    start_and_keep(page, host)
    page.evaluate(UNSAY)
    assert boot(page, host) == ("compiled", [])
    until_kept(page)
    assert boot(page, host) == ("own", [])


def test_a_snapshot_of_another_build_is_not_loaded_and_goes(page: Page, host: Host) -> None:
    host.remove("sw.js")  # it would keep the older build
    start_and_keep(page, host)
    for name in ("boot.js", "reader.js", "parts.js"):
        change(host.folder / "engine/pyodide" / name, r'(?<="id":)( ?)"\w+"', '"another"')
    assert boot(page, host) == ("compiled", [])
    page.evaluate(f"async () => {{ while (!(await ({KEPT})())?.of.startsWith('another')) await 0; }}")
    assert boot(page, host) == ("own", [])


def test_without_its_reader_the_compiled_way(page: Page, host: Host) -> None:
    host.remove("sw.js")  # it would keep the reader
    start_and_keep(page, host)
    host.remove("engine/pyodide/reader.js")
    assert boot(page, host) == ("compiled", [])


def test_without_a_file_system_the_compiled_way(page: Page, host: Host) -> None:
    denied = "value: () => Promise.reject(new DOMException('denied', 'SecurityError'))"
    script = f"Object.defineProperty(navigator.storage, 'getDirectory', {{ {denied} }});"
    for name in ("reader.js", "snapshot_maker.js"):
        change(host.folder / "engine/pyodide" / name, "^", script)
    codes = requested(page, "asm.wasm")
    for _ in range(2):
        with page.expect_console_message(lambda said: "no snapshot: denied" in said.text):
            assert boot(page, host) == ("compiled", [])
    assert len(codes) == 2, "a snapshot is made though none can be kept"


@pytest.mark.parametrize("pattern", ["engine/pyodide/app-*.zip", "engine/pyodide/stdlib-*.zip"])
def test_without_the_compiled_parts_as_published(page: Page, host: Host, pattern: str) -> None:
    host.remove(pattern)
    way, errors = boot(page, host)
    assert way == "plain" and len(errors) == 1


@pytest.mark.parametrize("harm", ["damaged", "gone"])
def test_a_rest_of_the_library_that_cannot_be_had_is_said(page: Page, host: Host, harm: str) -> None:
    """It is a failed import, which a program may expect, and the next one tries again."""
    if harm == "damaged":
        host.damage("engine/pyodide/rest-*.zip")
    else:
        host.remove("engine/pyodide/rest-*.zip")
    code = """
import js
for _ in range(2):
    try:
        import difflib
    except ImportError as error:
        js.console.log("probe " + str(error))
"""
    (host.folder / "engine/engine.py").write_text(code)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    with page.expect_console_message(lambda message: message.text.startswith("probe ")):
        page.goto(host.url)
    assert "rest of the standard library could not be loaded" in said[-1]
    assert "difflib" in said[-1]


def requested(page: Page, part: str) -> list[str]:
    """The addresses with `part` in them that are asked for from now on."""
    urls: list[str] = []

    def note(request: Request) -> None:
        if part in request.url:
            urls.append(request.url)

    page.context.on("request", note)
    return urls
