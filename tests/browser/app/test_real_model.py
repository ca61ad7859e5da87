"""The built-in model itself: a real answer in a real browser, refreshed in the middle."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from midstream.markdown import Parser
from midstream.patch import Tree
from tests.browser.chat import Chat
from tests.support.processes import Serve, serve

# The model draws its words by lot. To "Name five fruits as a list" it sometimes answers 25 tokens, and nothing is left
# to refresh in the middle of; to this, 110 and more in each of 30 answers.
LONG = "Explain in ten numbered steps how to bake bread, with a heading for each part and a table of the ingredients."


@pytest.fixture(scope="module")
def app(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    store = tmp_path_factory.mktemp("log") / "runs.sqlite"
    options = ["--model", "local", "--store", f"sqlite:{store}", "--dist", str(dist)]
    with serve(*options) as running:
        yield running


def test_a_list_and_a_table_refreshed_in_the_middle(page: Page, app: Serve) -> None:
    chat = Chat(page, app.url).open()
    page.locator("[data-part=endpoint]", has_text="tiny").wait_for()  # also in other cases
    chat.send(LONG)
    chat.until_seq(25)
    before = chat.text()
    chat.reload()
    painted = chat.until_painted()
    assert chat.watched()["engineAtPaint"] == "booting"
    assert squeezed(before) in squeezed(painted)
    chat.until_ready()
    assert chat.until_ended() in ("complete", "length")
    assert squeezed(chat.text()) == squeezed(as_shown(answer_in_the_log(app)))
    chat.assert_clean()


def answer_in_the_log(app: Serve) -> str:
    """The text of the only run, from the gateway's own log."""
    with urllib.request.urlopen(f"{app.url}v1/conversations") as response:
        (conversation,) = json.load(response)["data"]
    with urllib.request.urlopen(f"{app.url}v1/conversations/{conversation['id']}") as response:
        (run,) = json.load(response)["runs"]
    with urllib.request.urlopen(f"{app.url}v1/runs/{run['id']}") as response:
        return str(json.load(response)["text"])


def as_shown(source: str) -> str:
    parser = Parser()
    tree = Tree().apply(parser.feed(source) + parser.finish())
    return "".join(texts(tree.root))


def texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    else:
        for child in node.children:  # type: ignore[attr-defined]
            yield from texts(child)


def squeezed(text: str) -> str:
    """Without white space: the page lays blocks out on lines of their own."""
    return "".join(text.split())
