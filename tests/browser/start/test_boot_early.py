"""The request for the rest of an answer leaves while Python is still loading, once, and nothing is lost by it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.chat import Chat, score
from tests.support.built import change
from tests.support.gate import Model
from tests.support.processes import serve
from tooling.assets.filling import MARKER, integrity, substitute

# Python is not started before the test says so.
LOAD = "async function loadPyodide(options){"
HOLD = """
  await new Promise((resolve) => { new BroadcastChannel('held').onmessage = resolve; });
"""
RELEASE = """async () => {
  const held = new BroadcastChannel('held');
  while (document.documentElement.dataset.engine !== 'ready') {
    held.postMessage('go');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}"""


@pytest.fixture(scope="module")
def held_dist(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("held") / "dist"
    shutil.copytree(dist, folder)
    boot = folder / "engine/pyodide" / "boot.js"
    change(boot, re.escape(LOAD), LOAD + HOLD)
    worker = folder / "sw.js"  # it keeps no file that is not the build's
    build = json.loads(worker.read_text().split(MARKER)[1])
    for entry in build["runtime"]:
        if entry["url"] == "engine/pyodide/boot.js":
            entry["hash"] = integrity(boot.read_bytes())
    substitute(worker, build)
    (folder / "sw.js.br").unlink(missing_ok=True)
    return folder


@pytest.fixture(params=["gateway", "direct"])
def url(
    request: pytest.FixtureRequest,
    held_dist: Path,
    model: Model,
    tmp_path: Path,
) -> Iterator[str]:
    options = ["--direct", model.url]
    if request.param == "gateway":
        options = ["--upstream", model.url, "--store", f"sqlite:{tmp_path / 'runs.sqlite'}"]
    with serve("--dist", str(held_dist), *options) as running:
        yield running.url


def follows(request: Request) -> bool:
    path = request.url.partition("?")[0]
    spooled = "/spool/" in path and not path.endswith(("/spool/", "/ping"))
    return request.method == "GET" and (path.endswith("/events") or spooled)


def opened(page: Page, url: str) -> Chat:
    chat = Chat(page, url)
    page.goto(url)
    page.evaluate(RELEASE)
    return chat


def test_leaves_before_python_and_once(page: Page, url: str, model: Model, answer_file: Path) -> None:
    opened(page, url)
    expect(page.locator("html")).to_have_attribute("data-shell", "offline-ready")
    model.gate.allow(40)
    chat = opened(page, url).send("numbered words, please")
    chat.until_seq(30)
    asked: list[Request] = []
    page.context.on("request", lambda request: asked.extend([request] * follows(request)))
    with page.context.expect_event("request", follows):
        chat.reload()
    assert page.locator("html").get_attribute("data-engine") == "booting", "Python was not needed"
    page.evaluate(RELEASE)
    model.gate.open()
    assert chat.until_ended() == "complete"
    result = score(answer_file.read_text(), chat.text())
    assert (result.lost, result.repeated, result.in_order) == ([], [], True)
    assert len(asked) == 1, "the engine has asked again for what was on its way"
