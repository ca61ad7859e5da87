"""Takes the README's sheet of all states of an answer: `.venv/bin/python -m tests.browser.pictures.states`.

Each state is the real one: the built app, a gateway, a line that is cut. Only the model is a script: it has to pause.
"""

from __future__ import annotations

import base64
import shutil
import tempfile
import time
from contextlib import ExitStack
from html import escape
from pathlib import Path

from playwright.sync_api import Browser, Route, ViewportSize, sync_playwright

from midstream import sse
from midstream.providers import openai
from tests.browser.chat import Chat
from tests.browser.conftest import FLAGS, PROJECT
from tests.browser.screen.answer.answer_states import ROWS
from tests.support.gate import Gate
from tests.support.patience import PATIENCE_MS
from tests.support.processes import Serve, serve
from tests.support.servers.scripted import Call, Scripted

TARGET = PROJECT / "docs" / "screenshots" / "states.webp"
SIZE: ViewportSize = {"width": 520, "height": 760}
MARGIN = 20
QUALITY = 88
RATE = 30  # tokens per second
QUESTION = "Why are some tides higher?"
ANSWER = (
    "The Moon pulls on the ocean, and **so does the Sun**. Where both pull along one line, the water rises highest: "
    "that is a *spring tide*. Neap tides come a week later, when the two pull at right angles."
)
TOKENS = [ANSWER[at : at + 4] for at in range(0, len(ANSWER), 4)]
HALF = len(TOKENS) // 2
# The question and all that stands under it, down to the buttons.
CLIP = """
() => {
  const turns = [...document.querySelectorAll('article')].slice(-2);
  const box = document.querySelector('[data-part=column]').getBoundingClientRect();
  const last = turns.at(-1).querySelector('[data-part=foot]').getBoundingClientRect();
  const top = turns[0].getBoundingClientRect().top;
  return { x: box.left, y: top, width: box.width, height: Math.max(last.bottom, last.top + 8) - top };
}
"""
SHEET = """
body { margin: 0; padding: 24px; font: 15px/1.4 system-ui, sans-serif; background: #fff; inline-size: fit-content; }
main { columns: 2; column-gap: 24px; inline-size: %dpx; }
figure { margin: 0 0 24px; break-inside: avoid; }
figcaption { font-weight: 600; margin-block-end: 6px; color: #1d2426; }
img { display: block; border: 1px solid #dfe2dc; border-radius: 12px; }
"""


class Studio:
    """The app on a line that can be cut, before a model that does what it is told to."""

    def __init__(self, browser: Browser, exit: ExitStack) -> None:
        folder = Path(exit.enter_context(tempfile.TemporaryDirectory()))
        self.browser = browser
        self.exit = exit
        self.model = exit.enter_context(Scripted())
        self.base = self.model.url.removesuffix("/chat/completions")
        self.dist = ["--dist", str(PROJECT / "dist"), "--allow-host", "127.0.0.1"]
        store = f"sqlite:{folder / 'runs.sqlite'}"
        gateway = serve("--upstream", self.base, "--model", "tides", "--store", store, *self.dist)
        self.app = exit.enter_context(gateway)
        self.line = self.to(self.app)
        direct = serve("--direct", self.base, "--model", "tides", *self.dist)
        self.direct = exit.enter_context(direct)
        self.pictures: dict[str, bytes] = {}
        self.calls = 0

    def to(self, app: Serve) -> Gate:
        line = self.exit.enter_context(Gate(app))
        line.open()
        return line

    def chat(self, url: str | None = None) -> Chat:
        context = self.browser.new_context(viewport=SIZE, device_scale_factor=1)
        context.set_default_timeout(PATIENCE_MS)
        self.exit.callback(context.close)
        return Chat(context.new_page(), url or self.line.url)

    def asked(self, chat: Chat) -> Call:
        chat.open().send(QUESTION)
        return self.call()

    def call(self) -> Call:
        self.calls += 1
        return self.model.call(self.calls)

    def take(self, chat: Chat, state: str) -> None:
        """Every other one is dark."""
        page = chat.page
        dark = len(self.pictures) % 2 == 1
        page.emulate_media(color_scheme="dark" if dark else "light")
        clip = page.evaluate(CLIP)
        clip = {"x": clip["x"] - MARGIN, "y": clip["y"] - MARGIN / 2, "scale": 1} | {
            "width": clip["width"] + 2 * MARGIN,
            "height": clip["height"] + MARGIN,
        }
        shown = chat.page.locator("article").last.get_attribute("data-state")
        assert shown == state, f"{state} was wanted, {shown} is there"
        self.pictures[state] = captured(chat, {"format": "png", "clip": clip})
        print(state, flush=True)


def captured(chat: Chat, options: dict[str, object]) -> bytes:
    session = chat.page.context.new_cdp_session(chat.page)
    return base64.b64decode(session.send("Page.captureScreenshot", options)["data"])


def write(call: Call, tokens: list[str], finish: str | None = None) -> None:
    """At the pace of a model, so that the line has a rate to show."""
    for token in tokens:
        call.send(sse.encode(openai.chunk("0" * 32, "tides", content=token)))
        time.sleep(1 / RATE)
    if finish:
        call.send(sse.encode(openai.chunk("0" * 32, "tides", finish=finish)))
        call.send(sse.encode(openai.DONE))
        call.end()


def online(chat: Chat, online: bool) -> None:
    """What the browser believes; the line is cut beside it."""
    session = chat.page.context.new_cdp_session(chat.page)
    limits = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", {"offline": not online, **limits})


def begun(studio: Studio) -> None:
    """One answer from its prompt to its end, with a cut in its middle."""
    chat = studio.chat()
    engine: list[Route] = []
    chat.page.route("**/engine.html", lambda route: engine.append(route))
    chat.page.goto(chat.url, wait_until="commit")
    chat.page.wait_for_selector("html[data-paint=done]", state="attached")
    chat.send(QUESTION)
    chat.page.wait_for_selector("article[data-state=sending]")
    studio.take(chat, "sending")
    engine[0].continue_()
    call = studio.call()
    chat.until_state("waiting")
    chat.until_status("model, ")
    studio.take(chat, "waiting")
    write(call, TOKENS[:HALF])
    chat.until_seq(HALF)
    studio.take(chat, "streaming")
    studio.line.refuse()
    studio.line.abort()
    chat.until_state("reconnecting")
    chat.until_status("again in")
    studio.take(chat, "reconnecting")
    write(call, TOKENS[HALF:])
    studio.line.allow(8)
    studio.line.accept()
    chat.until_state("catching-up")
    studio.take(chat, "catching-up")
    studio.line.open()
    write(call, [], "stop")
    chat.until_state("complete")
    studio.take(chat, "complete")


def ended(studio: Studio) -> None:
    """Three ends that are none."""
    chat = studio.chat()
    call = studio.asked(chat)
    write(call, TOKENS[:HALF])
    chat.until_seq(HALF)
    chat.page.click("button[name=stop]")
    chat.until_state("stopped")
    studio.take(chat, "stopped")
    long = studio.chat()
    write(studio.asked(long), TOKENS[: 2 * HALF // 3], "length")
    long.until_state("length")
    studio.take(long, "length")
    plain = studio.chat(studio.direct.url)
    call = studio.asked(plain)
    write(call, TOKENS[:HALF])
    plain.until_seq(HALF)
    call.die()
    plain.until_state("interrupted")
    studio.take(plain, "interrupted")


def refused(studio: Studio) -> None:
    studio.model.status = 401
    studio.model.headers = {"Content-Type": "application/json"}
    chat = studio.chat(studio.direct.url)
    call = studio.asked(chat)
    call.send(b'{"error": {"message": "Incorrect API key provided."}}').end()
    chat.until_state("failed")
    studio.take(chat, "failed")
    studio.model.status = 200
    studio.model.headers = {"Content-Type": "text/event-stream"}


def away(studio: Studio) -> None:
    chat = studio.chat()
    call = studio.asked(chat)
    write(call, TOKENS[:HALF])
    chat.until_seq(HALF)
    online(chat, False)
    studio.line.refuse()
    studio.line.abort()
    chat.until_state("offline")
    studio.take(chat, "offline")
    chat.page.click("button[name=list]")
    chat.page.click("button[name=new]")
    chat.send(QUESTION)
    chat.until_state("queued")
    studio.take(chat, "queued")


def sheet(studio: Studio) -> None:
    def figure(state: str, picture: bytes) -> str:
        data = base64.b64encode(picture).decode()
        return f'<figure><figcaption>{escape(state)}</figcaption><img src="data:image/png;base64,{data}"></figure>'

    page = studio.browser.new_page(viewport={"width": 1200, "height": 800})
    figures = "".join(figure(state, picture) for state, picture in studio.pictures.items())
    page.set_content(f"<style>{SHEET % (2 * SIZE['width'] + 24)}</style><main>{figures}</main>")
    box = page.locator("body").bounding_box()
    clip = {**(box or {}), "scale": 1}
    options = {"format": "webp", "quality": QUALITY, "clip": clip, "captureBeyondViewport": True}
    TARGET.write_bytes(captured(Chat(page, ""), options))
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


def main() -> None:
    with ExitStack() as exit:
        playwright = exit.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*FLAGS, "--hide-scrollbars"]
        )
        exit.callback(browser.close)
        studio = Studio(browser, exit)
        for scene in (begun, ended, refused, away):
            scene(studio)
        assert set(studio.pictures) == {row.state for row in ROWS}
        sheet(studio)


if __name__ == "__main__":
    main()
