"""Firefox by WebDriver BiDi and WebKitGTK by WebDriver, as the few verbs that the scenarios need.

    with opened("firefox") as browser:
        browser.preload(script)          # runs in every document from now on, before or soon after its own scripts
        browser.goto("http://…")
        browser.evaluate("1 + 1")        # a JSON value; a promise is awaited

Neither protocol is wrapped any further: a scenario that needs more than JavaScript in the page says so by a verb here.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.support.processes import free_port

T = TypeVar("T")

PATIENCE = 60.0  # seconds; a limit for what is broken, not a measure
LOOK = 0.02  # seconds between two looks at something that cannot be waited for
MINI_BROWSER = "/usr/lib/*/webkit2gtk-4.*/MiniBrowser"


class Missing(Exception):
    """The browser, or a program that it needs, is not installed."""


class BrowserError(Exception):
    """What the browser itself said that went wrong."""


class Driver(Protocol):
    name: str  # with its version

    def preload(self, script: str) -> None: ...
    def goto(self, url: str) -> None:
        """Returns once the new document is there; it may still be loading."""

    def reload(self) -> None:
        """The same."""

    def evaluate(self, expression: str) -> Any: ...
    def close(self) -> None: ...


@contextlib.contextmanager
def opened(kind: str) -> Iterator[Driver]:
    """A browser with an empty profile: "firefox" or "webkit". Raises Missing."""
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        driver: Driver = Firefox(stack, home) if kind == "firefox" else WebKit(stack, home)
        yield driver


def program(name: str, package: str) -> str:
    found = shutil.which(name)
    if not found and "*" in name:
        pattern = Path(name).relative_to("/")
        found = next((str(path) for path in sorted(Path("/").glob(str(pattern)))), None)
    if not found:
        raise Missing(f"{Path(name).name} is not installed (Debian: apt-get install {package})")
    return found


def started(stack: contextlib.ExitStack, command: list[str], look: str, env: Mapping[str, str]) -> str:
    """Runs a program until the stack ends; gives the first group of `look` in its output.

    Its output is read on: a full pipe would stop it.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, **env},
    )
    stack.callback(_end, process)
    lines: list[str] = []
    news = threading.Condition()
    threading.Thread(target=_read, args=(process, lines, news), daemon=True).start()

    def found() -> str | None:
        match = re.search(look, "".join(lines))
        return match.group(1) if match else None

    with news:
        news.wait_for(lambda: found() or process.poll() is not None, PATIENCE)
    answer = found()
    if answer is None:
        raise BrowserError(f"{command[0]} did not start ({process.poll()}):\n{''.join(lines)}")
    return answer


def _read(process: subprocess.Popen[str], lines: list[str], news: threading.Condition) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        with news:
            lines.append(line)
            news.notify_all()
    process.wait()
    with news:
        news.notify_all()


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Firefox:
    """Firefox by WebDriver BiDi over its own web socket."""

    def __init__(self, stack: contextlib.ExitStack, home: Path) -> None:
        profile = home / "profile"
        profile.mkdir()
        (profile / "user.js").write_text(FIREFOX_SETTINGS)
        path = shutil.which("firefox-esr") or program("firefox", "firefox-esr")
        options = ["--headless", "--remote-debugging-port=0", "--profile", str(profile)]
        command = [path, *options, "--no-remote", "about:blank"]
        url = started(stack, command, r"BiDi listening on (ws://\S+)", {"HOME": str(home)})
        self._numbers = itertools.count(1)
        self._socket: ClientConnection = stack.enter_context(
            connect(f"{url}/session", max_size=None, open_timeout=PATIENCE, compression=None)
        )
        said = self._ask("session.new", capabilities={})["capabilities"]
        self.name = f"Firefox {said['browserVersion']}"
        tree = self._ask("browsingContext.getTree")
        self._page: str = tree["contexts"][0]["context"]

    def preload(self, script: str) -> None:
        self._ask("script.addPreloadScript", functionDeclaration=f"() => {{{script}}}")

    def goto(self, url: str) -> None:
        # "none" would answer while the old document still stands.
        self._ask("browsingContext.navigate", context=self._page, url=url, wait="interactive")

    def reload(self) -> None:
        self._ask("browsingContext.reload", context=self._page, wait="interactive")

    def evaluate(self, expression: str) -> Any:
        target = {"context": self._page}
        said = self._ask("script.evaluate", expression=told(expression), target=target, awaitPromise=True)
        if said["type"] == "exception":  # before there was a promise
            raise BrowserError(said["exceptionDetails"]["text"])
        return value(said["result"]["value"])

    def close(self) -> None:
        self._ask("browser.close")

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            said: dict[str, Any] = json.loads(self._socket.recv(timeout=2 * PATIENCE))
            if said.get("id") != number:  # an event; none was subscribed to
                continue
            if said["type"] == "error":
                raise BrowserError(f"{method}: {said['error']}: {said['message']}")
            return dict(said["result"])


# No page of its maker, no requests of its own.
FIREFOX_SETTINGS = "".join(
    f'user_pref("{key}", {value});\n'
    for key, value in {
        "browser.shell.checkDefaultBrowser": "false",
        "browser.startup.page": "0",
        "datareporting.policy.dataSubmissionEnabled": "false",
        "app.normandy.enabled": "false",
        "network.captive-portal-service.enabled": "false",
        "network.connectivity-service.enabled": "false",
        "services.settings.server": '"data:,"',
    }.items()
)


class WebKit:
    """WebKitGTK's MiniBrowser by WebKitWebDriver, on a display of its own."""

    def __init__(self, stack: contextlib.ExitStack, home: Path) -> None:
        binary = program(MINI_BROWSER, "webkit2gtk-driver")
        server = program("WebKitWebDriver", "webkit2gtk-driver")
        screen = [program("Xvfb", "xvfb"), "-displayfd", "1", "-screen", "0", "1280x900x24"]
        display = started(stack, [*screen, "-nolisten", "tcp"], r"(?m)^(\d+)$", {})
        env = {"DISPLAY": f":{display}", "HOME": str(home), "NO_AT_BRIDGE": "1"}
        port = free_port()
        started(stack, ["sh", "-c", f"echo at {port}; exec {server} --port={port}"], "at (.*)", env)
        self._http = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=2 * PATIENCE))
        self._session = ""
        self._preloaded: list[str] = []
        options = {"binary": binary, "args": ["--automation"]}
        asked = {"webkitgtk:browserOptions": options, "pageLoadStrategy": "none"}
        until(self._listens, "WebKitWebDriver's port")
        said = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": asked}})
        self._session = f"/session/{said['sessionId']}"
        stack.callback(self.close)
        self.name = f"WebKitGTK {said['capabilities']['browserVersion']}"
        limits = {"script": int(2000 * PATIENCE)}
        self._ask("POST", f"{self._session}/timeouts", limits)

    def preload(self, script: str) -> None:
        self._preloaded.append(script)

    def goto(self, url: str) -> None:
        self._change("/url", {"url": url})

    def reload(self) -> None:
        self._change("/refresh", {})

    def evaluate(self, expression: str) -> Any:
        body = {"script": f"{told(expression)}.then(arguments[0])", "args": []}
        return value(self._ask("POST", f"{self._session}/execute/async", body))

    def close(self) -> None:
        if self._session:
            self._ask("DELETE", self._session)
            self._session = ""

    def _change(self, path: str, body: dict[str, Any]) -> None:
        """WebDriver has no preload scripts: they run as soon as a document without our mark is seen."""
        self.evaluate("globalThis.driverOld = true")
        self._ask("POST", self._session + path, body)

        def fresh() -> bool:
            with contextlib.suppress(BrowserError):  # asked in the moment between two documents
                return bool(self.evaluate("!globalThis.driverOld && document.body !== null"))
            return False

        until(fresh, "new document")
        for script in self._preloaded:
            self.evaluate(f"(() => {{{script}}})()")

    def _listens(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return bool(self._ask("GET", "/status"))
        return False

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        said = self._http.request(method, path, json=body).json()["value"]
        if isinstance(said, dict) and "error" in said:
            raise BrowserError(f"{path}: {said['error']}: {said['message']}")
        return said


def told(expression: str) -> str:
    """A promise for what `expression` gives, as text; neither protocol carries an error well."""
    given = f"(async () => JSON.stringify(await ({expression})) ?? 'null')()"
    return f"{given}.catch((error) => '!' + error)"


def value(text: str) -> Any:
    if text.startswith("!"):
        raise BrowserError(text[1:])
    return json.loads(text)


def until(look: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """What `look` gives once that is true; for things that tell nobody when they are."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise BrowserError(f"no {what} within {seconds:.0f} s")
        time.sleep(LOOK)
    return found
