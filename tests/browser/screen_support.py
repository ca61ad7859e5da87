"""The screen without its engine: a small server for web/ with the real policies, and a driver for the mock engine.

The mock is there because the screen is tested alone here: every message of the port can be sent, the impossible
ones too.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import mimetypes
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Frame,
    Locator,
    Page,
    expect,
)

from midstream.gateway.http.policies import FRAMED, PAGES, SCREEN_POLICY
from tests.browser.together import WEB, together
from tests.support.port import intent_faults
from tooling.parts import diagrams
from tooling.places import HERE

ROOT = Path(__file__).parents[2]
MOCK = Path(__file__).parent / "mock_engine"
MARK = "/*build*/"
TEMML = ROOT / "node_modules/temml/dist/temml.min.js"
LATE = "late/temml.js"
MERMAID = "late/mermaid/"  # a folder that the build makes


@functools.cache
def mermaid() -> Path:
    return diagrams.ensure(HERE)


class Site:
    """web/ on a free port, put together as in dist/; a module that a test asks for alone is there too.

    `files` replaces or adds files (path → bytes); None takes one away.
    """

    def __init__(self, prefix: str = "/") -> None:
        self.prefix = prefix
        self.web = together()
        self.files: dict[str, bytes | None] = {
            "favicon.ico": b"",  # asked for by pages without an icon
            LATE: TEMML.read_bytes() + b"\nexport default temml;\n",  # as the build has it
        }
        self.requests: list[str] = []
        self.caching = "no-cache"
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    def start(self) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        ThreadingHTTPServer.daemon_threads = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Nobody listens any more: what the browser then gets is a refused connection."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def mock_engine(self) -> None:
        for name in ("engine.html", "engine/engine.js"):
            self.files[name] = (MOCK / name).read_bytes()

    def mock_pyscript(self) -> None:
        self.files["pyscript/core.js"] = (MOCK / "core.js").read_bytes()
        self.files |= dict.fromkeys(
            ("py.json", "engine/engine.py", "engine/pyodide/a.wasm", "engine/pyodide/b.zip"), b"{}"
        )

    def build(self, version: str) -> None:
        """Fills in sw.js as the build does: web/ is the shell, what a test has added is the runtime."""
        files = [path for path in self.web.rglob("*") if path.is_file()]
        names = {path.relative_to(self.web).as_posix() for path in files}
        names -= {"sw.js", "sw-off.js", "config.json", "engine/engine.py"}
        drawing = {f"{MERMAID}{path.name}" for path in mermaid().iterdir()}
        late = {LATE} | drawing | {name for name in names if name.startswith("late/")}
        names -= late
        others = self.files.keys() - names - {"sw.js", "favicon.ico", "config.json"} - late
        runtime = {name for name in others if self.files[name] is not None}
        lists = {
            "version": version,
            "shell": self._listed(sorted(names)),
            "runtime": self._listed(sorted(runtime)),
            "late": self._listed(sorted(late)),
        }
        before, _, after = (self.web / "sw.js").read_text().split(MARK)
        self.files["sw.js"] = f"{before}{json.dumps(lists)}{after}".encode()

    def _listed(self, names: list[str]) -> list[dict[str, str | int]]:
        listed: list[dict[str, str | int]] = []
        for name in names:
            if (content := self.content(name)) is not None:
                digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
                listed.append({"url": name, "hash": f"sha256-{digest}", "size": len(content)})
        return listed

    def content(self, name: str) -> bytes | None:
        if name in self.files:
            return self.files[name]
        if name.startswith(MERMAID):
            folders, name = [mermaid()], name.removeprefix(MERMAID)
        else:
            folders = [self.web, WEB]
        found = (folder / name for folder in folders)
        return next((path.read_bytes() for path in found if path.is_file()), None)

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = urlsplit(handler.path).path
        name = path.removeprefix(self.prefix) or "index.html"
        self.requests.append(handler.path)
        content = self.content(name) if path.startswith(self.prefix) else None
        handler.send_response(404 if content is None else 200)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        if name.endswith(".html"):
            policy = PAGES.get(name, SCREEN_POLICY)
            handler.send_header("Content-Security-Policy", f"{policy}; {FRAMED}")
        handler.send_header("Content-Type", kind)
        handler.send_header("Cache-Control", self.caching)
        handler.send_header("Content-Length", str(len(content or b"")))
        handler.end_headers()
        handler.wfile.write(content or b"")


class Screen:
    """One page with the mock engine behind it."""

    def __init__(self, browser: Browser, site: Site, context: BrowserContext | None = None, **options: Any) -> None:
        self.site = site
        self.context = context or browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.problems: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.problems.append(f"{message.type}: {message.text}")

    def goto(self, query: str = "") -> Screen:
        self.page.goto(self.site.url + query)
        return self

    @property
    def engine(self) -> Frame:
        frame = self.page.query_selector("#engine")
        assert frame is not None
        content = frame.content_frame()
        assert content is not None
        return content

    def post(self, *messages: dict[str, Any]) -> None:
        self.engine.evaluate("batch => mock.post(batch)", list(messages))

    def post_raw(self, batch: str) -> None:
        self.engine.evaluate("batch => mock.post(batch)", batch)

    def aside(self, **message: Any) -> None:
        self.engine.evaluate("message => mock.aside(message)", message)

    def intent(self, type: str) -> dict[str, Any]:
        """The next intent of this type; waits for it."""
        intent: dict[str, Any] = self.engine.evaluate("type => mock.intent(type)", type)
        assert type.startswith("aside:") or intent_faults(intent) == [], "not as docs/port.md has it"
        return intent

    def intents(self) -> list[str]:
        types: list[str] = self.engine.evaluate("mock.intents.map(intent => intent.type)")
        return types

    def ready(self) -> Screen:
        """Python answers."""
        self.intent("network")
        self.post({"type": "hello", "version": "test", "protocol": 1})
        expect(self.html).to_have_attribute("data-engine", "ready")
        return self

    def conversation(self, *turns: dict[str, Any], id: str = "c1", title: str = "Tides") -> None:
        self.post({"type": "conversation", "id": id, "title": title, "turns": list(turns)})

    def patch(
        self,
        n: int,
        *ops: list[Any],
        message: str = "a1",
        seq: int | None = None,
        reset: bool = False,
    ) -> None:
        patch = {
            "type": "patch",
            "message": message,
            "n": n,
            "seq": n if seq is None else seq,
            "ops": list(ops),
        }
        self.post(patch | {"reset": True} if reset else patch)

    def status(self, state: str, message: str = "a1", **numbers: Any) -> None:
        self.post({"type": "status", "message": message, **counts(state, **numbers)})

    @property
    def html(self) -> Locator:
        return self.page.locator("html")

    def article(self, message: str = "a1") -> Locator:
        return self.page.locator(f"article[data-message='{message}']")

    def content(self, message: str = "a1") -> Locator:
        return self.article(message).locator("[data-part=content]")

    def line(self, message: str = "a1") -> Locator:
        return self.article(message).locator("[data-part=status]")

    def part(self, name: str) -> Locator:
        return self.page.locator(f"[data-part={name}]")

    def close(self) -> None:
        self.context.close()


def counts(state: str, **numbers: Any) -> dict[str, Any]:
    base = {"seq": 0, "saved": 0, "tokens": 0, "seconds": 0, "rate": 0}
    return {"state": state, **base, **numbers}


def asked(text: str = "How do tides work?", message: str = "u1", state: str = "complete") -> dict[str, Any]:
    return {"message": message, "author": "user", "text": text, "status": {"state": state}}


def answer(state: str = "streaming", message: str = "a1", **numbers: Any) -> dict[str, Any]:
    return {"message": message, "author": "assistant", "status": counts(state, **numbers)}


# A database as the engine writes it (py/midstream/journal.py): three stores, one index.
STORE_JS = """
async rows => {
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open('midstream', 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('conversations', { keyPath: 'id' });
      const messages = request.result.createObjectStore('messages', { keyPath: 'id' });
      messages.createIndex('conversation', ['conversation', 'position']);
      request.result.createObjectStore('journal', { keyPath: ['message', 'n'] });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const transaction = database.transaction(['conversations', 'messages', 'journal'], 'readwrite');
  for (const [store, row] of rows) transaction.objectStore(store).put(row);
  await new Promise(resolve => (transaction.oncomplete = resolve));
  database.close();
}
"""


# Another tab that upgrades the database and never gets to it.
HOLD_DATABASE = """
new Promise(resolve => {
  indexedDB.open('midstream', 1).onsuccess = ({target}) => {
    const waiting = indexedDB.open('midstream', 2);
    waiting.onblocked = resolve;  // for ever: the first connection stays open
    window.held = target.result;
  };
})
"""


def saved_rows(*patches: list[list[Any]], state: str = "streaming") -> list[list[Any]]:
    """Rows of one conversation c1: a question u1 and an answer a1 with these patches, ten events and tokens each."""
    conversation = {"id": "c1", "title": "Tides", "created": 1, "updated": 2}
    common = {"conversation": "c1", "created": 1, "runs": []}
    question = common | {
        "id": "u1",
        "position": 0,
        "author": "user",
        "text": "How do tides work?",
        "state": "complete",
    }
    reply = common | {"id": "a1", "position": 1, "author": "assistant", "state": state, "parser": 1}
    journal = [
        {
            "message": "a1",
            "n": n,
            "run": 0,
            "first": 10 * n - 9,
            "last": 10 * n,
            "text": "",
            "tokens": 10,
            "ops": ops,
        }
        for n, ops in enumerate(patches, 1)
    ]
    rows = [["conversations", conversation], ["messages", question], ["messages", reply]]
    return rows + [["journal", row] for row in journal]


class Ops:
    """Makes ops from nested tuples: `("p", "text", ("em", "x"), {"name": "value"})`; a string is text."""

    def __init__(self) -> None:
        self.next = 1

    def of(self, *nodes: Any, parent: int = 0) -> list[list[Any]]:
        ops: list[list[Any]] = []
        for node in nodes:
            if isinstance(node, str):
                ops.append([1, parent, node])
            elif isinstance(node, dict):
                ops += [[2, parent, name, value] for name, value in node.items()]
            else:
                id, self.next = self.next, self.next + 1
                ops += [[0, parent, node[0], id], *self.of(*node[1:], parent=id)]
        return ops
