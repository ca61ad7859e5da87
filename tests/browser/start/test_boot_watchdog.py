"""A Python that answers no more is replaced by another one, without a reload, and the answer goes on."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from itertools import dropwhile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import Chat, score
from tests.support.built import change
from tests.support.gate import Model
from tests.support.patience import PATIENCE_MS
from tests.support.processes import serve

# Beside the engine: a way to catch Python in a loop.
HANG = """
import js
from pyodide.ffi import create_proxy

def hang(event):
    while True:
        pass

channel = js.BroadcastChannel.new("test")
channel.onmessage = create_proxy(hang)
"""
HANG_AT_ONCE = """
import asyncio

def hang():
    while True:
        pass

asyncio.get_running_loop().call_later(0.1, hang)
"""
TERMINATE = """async () => {
  const core = await import('./pyscript/core.js');
  (await core.whenDefined('py')).xworker.terminate();
}"""


@pytest.fixture
def folder(dist: Path, tmp_path: Path) -> Path:
    """The app, with less patience than it has."""
    folder = tmp_path / "dist"
    shutil.copytree(dist, folder)
    (folder / "sw.js").unlink()  # it would keep none of what is changed here
    change(folder / "engine/engine.js", r"\bBEAT=5e3\b", "BEAT=500")
    change(folder / "screen" / "main.js", r"\bAGAIN_WITHIN=6e4\b", "AGAIN_WITHIN=6e5")
    return folder


@pytest.fixture
def url(folder: Path, model: Model, tmp_path: Path) -> Iterator[str]:
    store = f"sqlite:{tmp_path / 'runs.sqlite'}"
    options = ("--upstream", model.url, "--store", store, "--dist", str(folder))
    with serve(*options) as running:
        yield running.url


def engine(folder: Path, more: str) -> None:
    script = folder / "engine/engine.py"
    change(script, re.escape("main(xworker)"), f"main(xworker)\n{more}")


@pytest.mark.parametrize("how", ["caught in a loop", "gone"])
def test_the_answer_goes_on_without_a_reload(
    page: Page, folder: Path, url: str, model: Model, answer_file: Path, how: str
) -> None:
    engine(folder, HANG)
    model.gate.allow(60)
    chat = Chat(page, url).open().send("numbered words, please")
    chat.until_seq(40)
    before = page.evaluate_handle("document.querySelector('[data-part=content] h1')")
    if how == "gone":
        page.frames[1].evaluate(TERMINATE)
    else:
        page.evaluate("new BroadcastChannel('test').postMessage('hang')")
    model.gate.open()
    notice = page.locator("[data-part=notice]")
    expect(notice).to_contain_text("started again", timeout=PATIENCE_MS)
    assert page.locator("html").get_attribute("data-engine") != "failed"
    chat.until_ready()
    assert chat.until_ended() == "complete"
    result = score(answer_file.read_text(), chat.text())
    assert (result.lost, result.repeated, result.in_order) == ([], [], True)
    assert page.evaluate("(node) => node.isConnected", before), "the text was painted anew"
    shown = list(dropwhile(lambda length: length == 0, chat.watched()["samples"]))
    assert shown and min(shown) > 0, "the text was gone for a frame"


def test_one_that_is_lost_again_and_again_is_given_up(page: Page, folder: Path, url: str) -> None:
    engine(folder, HANG_AT_ONCE)
    change(folder / "engine/engine.js", r"\bBEAT=500\b", "BEAT=100")  # none is to live
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    page.goto(url)
    html = page.locator("html")
    expect(html).to_have_attribute("data-engine", "failed", timeout=2 * PATIENCE_MS)
    expect(page.locator("[data-part=engine]")).to_contain_text("stopped several times")
    assert sum(url.endswith("engine.html") for url in loads) == 4
