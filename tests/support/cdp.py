"""Chromium over its raw debugging protocol, attached to pages only.

    with Chromium(folder) as browser:      # `folder` becomes its profile
        tab = browser.open(url)
        tab.until("document.querySelector('article')")
        tab.reload()
        tab.crash()                        # the renderer dies; reload() gives it a new one
        browser.kill()                     # SIGKILL to all of its processes
        browser.start()                    # the same profile again

Playwright and its like attach to service workers too, and a browser lets a service worker live for as
long as a debugger is attached to it: what depends on its lifetime passes there wrongly.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PATIENCE = 60.0  # s, for any state to come; a limit for what is broken, not a measure of speed
_LOOK = 0.05  # s between two looks at a file or a process
_EVENTS = 1000  # kept; older ones are of no interest to anybody
# Without these, Chromium looks for its maker's servers at every start, or asks whether to restore.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-crash-restore-bubble",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Pages for the address bar's suggestions, two in every window and each with a process of its own.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
    "--window-size=1280,800",
)


class Failed(AssertionError):
    """What was evaluated threw, or the protocol refused a call."""


def executable() -> str:
    """The system's Chromium. AssertionError when there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise AssertionError("these tests need a Chromium on the path")


class Chromium:
    """One browser with the profile folder `profile`, which outlives it."""

    def __init__(self, profile: Path, flags: Sequence[str] = ()) -> None:
        self.profile = profile
        self.events: deque[dict[str, Any]] = deque(maxlen=_EVENTS)
        self._flags = flags
        self._process: subprocess.Popen[bytes] | None = None
        self._connection = contextlib.ExitStack()
        self._socket: ClientConnection | None = None
        self._calls = 0

    def __enter__(self) -> Chromium:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Chromium:
        """Starts it, again too; returns when it takes calls."""
        address = self.profile / "DevToolsActivePort"
        address.unlink(missing_ok=True)
        self.profile.mkdir(parents=True, exist_ok=True)
        options = [f"--user-data-dir={self.profile}", "--remote-debugging-port=0"]
        self._process = subprocess.Popen(
            [executable(), *FLAGS, *self._flags, *options, "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a process group of its own, for kill()
        )
        port, path = self._poll(lambda: _lines(address), "its debugging port")
        connecting = connect(f"ws://127.0.0.1:{port}{path}", max_size=None, proxy=None)
        self._socket = self._connection.enter_context(connecting)
        return self

    def open(self, url: str, hidden: bool = False) -> Tab:
        """A new tab that has loaded `url`. `hidden`: behind the other tabs."""
        target = self.call("Target.createTarget", url="about:blank", background=hidden)["targetId"]
        return Tab(self, target).goto(url)

    def tabs(self) -> list[str]:
        """Target ids of the pages that there are."""
        found = self.call("Target.getTargets", filter=[{"type": "page"}])["targetInfos"]
        return [target["targetId"] for target in found]

    def kill(self) -> None:
        """SIGKILL to the whole process group: nothing can be written any more."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Quits it as a person would."""
        if self._socket is not None:
            with contextlib.suppress(Exception):  # it may be gone already, which is what we want
                self.call("Browser.close")
        try:
            self._end(None)
        except subprocess.TimeoutExpired:
            self.kill()

    def call(self, method: str, session: str = "", **arguments: Any) -> dict[str, Any]:
        """One call of the protocol. Raises Failed when it is refused."""
        number = self.send(method, session, **arguments)
        answer = self.wait(lambda message: message.get("id") == number, method)
        if "error" in answer:
            raise Failed(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def send(self, method: str, session: str = "", **arguments: Any) -> int:
        """A call whose answer is not waited for; gives its number."""
        assert self._socket is not None, "the browser is not running"
        self._calls += 1
        call = {"id": self._calls, "method": method, "params": arguments}
        self._socket.send(json.dumps(call | ({"sessionId": session} if session else {})))
        return self._calls

    def wait(self, wanted: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """The next message that is `wanted`; the others go to `events`."""
        assert self._socket is not None, "the browser is not running"
        end = time.monotonic() + PATIENCE
        while True:
            try:
                text = self._socket.recv(timeout=max(end - time.monotonic(), 0))
            except TimeoutError:
                raise AssertionError(f"no answer to {what} within {PATIENCE:.0f} s") from None
            message: dict[str, Any] = json.loads(text)
            if wanted(message):
                return message
            if "method" in message:
                self.events.append(message)

    def _poll(self, look: Callable[[], Any], what: str) -> Any:
        assert self._process is not None
        for _ in range(int(PATIENCE / _LOOK)):
            if found := look():
                return found
            assert self._process.poll() is None, f"Chromium ended before {what}"
            time.sleep(_LOOK)
        raise AssertionError(f"Chromium: no {what} within {PATIENCE:.0f} s")

    def _end(self, number: signal.Signals | None) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            if number is not None:
                os.killpg(process.pid, number)
            process.wait(PATIENCE / 4)
        except subprocess.TimeoutExpired:
            self._process = process
            raise
        finally:
            if self._process is None and self._socket is not None:
                self._socket = None
                self._connection.close()


class Tab:
    """A page, and the debugger's connection to it alone."""

    def __init__(self, browser: Chromium, target: str) -> None:
        self.browser = browser
        self.target = target
        attached = browser.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = str(attached["sessionId"])
        for domain in ("Page", "Runtime", "Inspector"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        return self.browser.call(method, self.session, **arguments)

    def goto(self, url: str) -> Tab:
        """Returns when the page has loaded."""
        self._forget_events()
        answer = self.call("Page.navigate", url=url)
        if error := answer.get("errorText"):
            raise Failed(f"{url}: {error}")
        self._event("Page.loadEventFired", lambda _: True)
        return self

    def reload(self) -> Tab:
        """Returns when the page has loaded again."""
        self._forget_events()
        self.call("Page.reload")
        self._event("Page.loadEventFired", lambda _: True)
        return self

    def back(self) -> Tab:
        """One step back in the history, to whatever is there; returns when it is shown."""
        history = self.call("Page.getNavigationHistory")
        entry = history["entries"][history["currentIndex"] - 1]
        self._forget_events()
        self.call("Page.navigateToHistoryEntry", entryId=entry["id"])
        self._event("Page.frameNavigated", lambda event: "parentId" not in event["frame"])
        return self

    def close(self) -> None:
        """Returns when it is gone."""
        self.browser.call("Target.closeTarget", targetId=self.target)
        while self.target in self.browser.tabs():
            time.sleep(_LOOK)

    def crash(self) -> None:
        """Kills the renderer. The tab stays and shows an error until reload()."""
        self._forget_events()
        self.browser.send("Page.crash", self.session)  # who would answer is dead
        self._event("Inspector.targetCrashed", lambda _: True)

    def evaluate(self, expression: str) -> Any:
        """The value as JSON, of a promise when it is fulfilled. Raises Failed with what was thrown."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if thrown := answer.get("exceptionDetails"):
            raise Failed(thrown.get("exception", {}).get("description") or thrown["text"])
        return answer["result"].get("value")

    def until(self, expression: str, seconds: float = PATIENCE) -> Any:
        """The expression's value once it is true, looked at from outside: it lives through reloads."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(Failed):  # the document is being replaced
                if found := self.evaluate(expression):
                    return found
            time.sleep(_LOOK)
        raise AssertionError(f"never: {expression}")

    def _event(self, method: str, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Returns when the page has sent this event, also if it was before."""

        def is_it(message: dict[str, Any]) -> bool:
            ours = message.get("sessionId") == self.session and message.get("method") == method
            return ours and wanted(message["params"])

        if not any(is_it(message) for message in self.browser.events):
            self.browser.wait(is_it, method)

    def _forget_events(self) -> None:
        kept = [event for event in self.browser.events if event.get("sessionId") != self.session]
        self.browser.events.clear()
        self.browser.events.extend(kept)


def _lines(address: Path) -> list[str]:
    """Port and path of the debugging socket, once both are written."""
    try:
        lines = address.read_text().splitlines()
    except FileNotFoundError:
        return []
    return lines if len(lines) == 2 else []
