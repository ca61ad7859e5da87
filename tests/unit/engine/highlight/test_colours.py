"""Code in colours: which blocks there are, what Pygments says of them, and when the screen hears."""

from __future__ import annotations

import asyncio
import importlib
import random
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from midstream.engine.browser.pygments_loader import PygmentsLoader
from midstream.engine.highlight import colours as colours_module
from midstream.engine.highlight.code_blocks import Blocks
from midstream.engine.highlight.colours import LONGEST, Colours
from midstream.engine.highlight.languages import LEXERS, MODULES
from midstream.engine.highlight.lexing import KINDS, lexer_for, spans
from midstream.engine.ports.host import Message
from midstream.journal import Row
from midstream.markdown import Parser
from midstream.patch import opened, pack
from tests.support.watchdog import SignalWatchdog
from tooling.parts.pygments_zip import skipped

FENCE = "Look:\n\n- in a list\n\n  ```python\n  def f(x):\n      return 'é🌊' + x\n  ```\n\n```js\nlet y = 1\n"
PYTHON = "def f(x):\n    return 'é🌊' + x  # done\n"


def units(text: str, first: int, end: int) -> str:
    """The part between two positions in UTF-16 units."""
    return text.encode("utf-16-le")[2 * first : 2 * end].decode("utf-16-le")


def named(text: str, found: list[tuple[int, int, int]]) -> list[tuple[str, str]]:
    return [(KINDS[kind], units(text, first, end)) for kind, first, end in found]


@pytest.mark.parametrize("seed", range(20))
def test_blocks_are_found_in_any_chunking(seed: int) -> None:
    dice, parser, blocks, at = random.Random(seed), Parser(), Blocks(), 0
    while at < len(FENCE):
        size = dice.randint(1, 12)
        blocks.feed(parser.feed(FENCE[at : at + size]))
        at += size
    blocks.feed(parser.finish())
    python, js = blocks.blocks.values()
    assert (python.language, python.text) == ("python", "def f(x):\n    return 'é🌊' + x\n")
    assert (js.language, js.text) == ("js", "let y = 1\n")
    assert not python.open


def test_an_outer_element_closes_the_block_in_it() -> None:
    blocks = Blocks()
    blocks.feed([[0, 0, "ul", 1], [0, 1, "li", 2], [0, 2, "pre", 3], [0, 3, "code", 4], [1, 4, "a🌊b"]])
    blocks.feed([[3, 4, 2]])
    assert blocks.blocks[4].text == "a"  # a character of two units goes when either is taken
    assert [block.open for block in blocks.blocks.values()] == [True]
    blocks.feed([[7, 1]])
    assert [block.open for block in blocks.blocks.values()] == [False]
    blocks.feed([[0, 0, "pre", 5], [0, 5, "code", 6], [6, 5, 0]])
    assert list(blocks.blocks) == [4]


def test_positions_are_those_of_the_page() -> None:
    found = list(spans(lexer_for("python"), PYTHON))
    assert named(PYTHON, found) == [
        ("keyword", "def"),
        ("name", "f"),
        ("keyword", "return"),
        ("string", "'é🌊'"),
        ("comment", "# done"),
    ]


@pytest.mark.parametrize("language", sorted(LEXERS))
def test_every_language_reads_whatever_stands_there(language: str) -> None:
    text = 'a = "b" // c\n#include <x>\nfn f() { return 1 }\n\ttail 🌊 \\\n<p class="q">'
    found = list(spans(lexer_for(language), text))
    places = [place for _, first, end in found for place in (first, end)]
    assert places == sorted(places)
    assert places[-1:] <= [len(text.encode("utf-16-le")) // 2]


def test_the_names_are_those_that_pygments_knows() -> None:
    known = importlib.import_module("pygments.lexers._mapping").LEXERS
    here = {(module, lexer) for module, classes in MODULES.items() for lexer in classes}
    theirs = {(entry[0].rpartition(".")[2], lexer) for lexer, entry in known.items()}
    assert here <= theirs


# When the screen hears


class Screen:
    """Collects what the colours say, and can make the library fail."""

    def __init__(self) -> None:
        self.said: list[Message] = []
        self.fetched = 0
        self.refuse = False
        self.watchdog = SignalWatchdog()
        self.colours = Colours(self.said.append, self.library, self.watchdog)

    async def library(self) -> None:
        self.fetched += 1
        if self.refuse:
            raise OSError("no network")

    async def settled(self) -> None:
        while self.colours._job and not self.colours._job.done():
            await asyncio.sleep(0.001)

    def spans(self, node: int) -> list[int]:
        """What a screen would have after all of it."""
        all: list[int] = []
        for message in (each for each in self.said if each["node"] == node):
            all[message["kept"] * 3 :] = message["spans"]
        return all


def run(play: Callable[[Screen], object]) -> Screen:
    async def whole() -> Screen:
        screen = Screen()
        await play(screen)  # type: ignore[misc]
        await screen.settled()
        return screen

    return asyncio.run(whole())


def row(n: int, ops: Sequence[Any]) -> Row:
    return Row("a1", n, 0, n, n, "", ops=list(ops))


def patches(*texts: str) -> list[Message]:
    parser, newest, made = Parser(), 0, []
    for n, text in enumerate(texts, 1):
        ops = parser.feed(text)
        made.append({"type": "patch", "message": "a1", "n": n, "packed": pack(ops, newest)})
        newest += opened(ops)
    return made


def test_whole_lines_are_coloured_while_they_come_and_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(colours_module, "REST", 0)

    async def play(screen: Screen) -> None:
        for patch in patches("```python\nx = 1\n", "def", " f(", "):\n", "    ret", "urn\n```\n\nok"):
            screen.colours.patch(patch)
            await screen.settled()

    screen = run(play)
    starts = [(message["kept"], message["spans"]) for message in screen.said]
    assert starts == [(0, [3, 4, 5]), (1, [0, 6, 9, 1, 10, 11]), (3, [0, 19, 25])]


def test_what_a_reload_shows_is_the_same() -> None:
    async def live(screen: Screen) -> None:
        for patch in patches(*[PYTHON.join(("```python\n", "```\n\nok"))[i::1][:1] for i in range(60)]):
            screen.colours.patch(patch)
            await asyncio.sleep(0)

    text = PYTHON.join(("```python\n", "```\n\nok"))[:60]

    async def again(screen: Screen) -> None:
        screen.colours.show("a1", [row(1, Parser().feed(text))])

    assert run(live).spans(2) == run(again).spans(2) != []


def test_without_a_known_language_nothing_is_fetched() -> None:
    async def play(screen: Screen) -> None:
        ops = Parser().feed("```\nplain\n```\n\n```klingon\nnuqneH\n```\n\n`x` ok")
        screen.colours.show("a1", [row(1, ops)])

    screen = run(play)
    assert screen.fetched == 0 and screen.said == []


def test_a_library_that_cannot_be_had_leaves_plain_text() -> None:
    async def play(screen: Screen) -> None:
        screen.refuse = True
        screen.colours.show("a1", [row(1, Parser().feed(f"```python\n{PYTHON}```\n\n```c\nint x;\n```\n\n"))])

    screen = run(play)
    assert screen.fetched == 1 and screen.said == []


def test_a_patch_after_a_hole_is_no_guess() -> None:
    async def play(screen: Screen) -> None:
        first, _, third = patches("```python\nx = 1\n", "y = 2\n", "z = 3\n")
        screen.colours.patch(first)
        screen.colours.patch(third)

    assert run(play).said == []


def test_a_very_long_block_is_coloured_at_its_beginning() -> None:
    async def play(screen: Screen) -> None:
        screen.colours.show("a1", [row(1, Parser().feed("```python\n" + "x = 1\n" * 9000 + "```\n\n"))])

    places = run(play).spans(2)
    assert LONGEST - 10 < places[-1] <= LONGEST


def test_another_conversation_is_told_nothing_of_this_one() -> None:
    async def play(screen: Screen) -> None:
        screen.colours.show("a1", [row(1, Parser().feed(f"```python\n{PYTHON * 300}```\n\n"))])
        await asyncio.sleep(0)
        screen.colours.clear()

    assert run(play).said == []


# The library


class Net:
    def __init__(self, status: int, body: bytes) -> None:
        self.status, self._body = status, body

    async def open(self, method: str, url: str, headers: object, body: object = None) -> Net:
        assert (method, url) == ("GET", "late/pygments.zip")
        return self

    async def read(self) -> bytes:
        body, self._body = self._body, b""
        return body


def test_the_library_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    place = str(tmp_path / "late.zip")
    library = PygmentsLoader(Net(200, b"PK\5\6" + bytes(18)), place)  # type: ignore[arg-type]
    asyncio.run(library())
    asyncio.run(library())
    assert sys.path.count(place) == 1 and zipfile.is_zipfile(place)


@pytest.mark.parametrize(("status", "body"), [(404, b"PK"), (200, b"<!doctype html>"), (200, b"")])
def test_what_is_no_library_is_not_taken(status: int, body: bytes, tmp_path: Path) -> None:
    place = tmp_path / "late.zip"
    with pytest.raises(OSError, match=r"late/pygments\.zip"):
        asyncio.run(PygmentsLoader(Net(status, body), str(place))())  # type: ignore[arg-type]
    assert not place.exists()


def test_only_what_the_languages_need_is_built(tmp_path: Path) -> None:
    wheel = tmp_path / "pygments.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {
            "__init__": "",
            "lexer": "from pygments.util import x\ndef f():\n    import pygments.filters",
            "util": "",
            "filters/__init__": "",
            "formatters/__init__": "",
            "lexers/__init__": "from pygments.formatters import y",
            "lexers/c_cpp": "from pygments.lexer import z",
            "lexers/cobol": "",
        }.items():
            archive.writestr(f"pygments/{name}.py", text)
        archive.writestr("pygments.dist-info/METADATA", "")
    assert skipped(wheel, {"c_cpp": {}}) == [
        "pygments.dist-info/METADATA",
        "pygments/formatters/__init__.py",
        "pygments/lexers/cobol.py",
    ]
