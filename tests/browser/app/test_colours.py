"""Code in colours, from Pygments in the engine to the browser's highlights."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.chat import Chat
from tests.browser.shell.test_offline import offline_ready
from tests.support.processes import replay, serve

CODE = """Here it is:

```python
def quicksort(items: list[int]) -> list[int]:
    \"\"\"Sorts.\"\"\"
    if len(items) < 2:
        return items  # nothing to do
    return "done" and sorted(items)
```

And this is how it is called, in words enough for the code above to be coloured before the end comes.
"""
# How many spans of each kind are painted, in the order of the names.
PAINTED = "[...CSS.highlights].map(([name, ranges]) => [name, ranges.size])"
KEYWORDS = """[...(CSS.highlights.get('code-keyword') ?? [])].map(({startContainer, startOffset, endOffset}) =>
  startContainer.data.slice(startOffset, endOffset))"""
ALL_THERE = f"(wanted) => {KEYWORDS}.length === wanted"
WANTED = ["def", "if", "return", "return", "and"]
LIBRARY = "late/pygments.zip"


@pytest.fixture
def answer_of_code(tmp_path: Path) -> Path:
    file = tmp_path / "code.md"
    file.write_text(CODE)
    return file


def test_code_is_coloured_while_it_comes_after_a_reload_and_offline(
    page: Page, dist: Path, tmp_path: Path, answer_of_code: Path
) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    with replay(answer_of_code, rate=25, chunk=6) as upstream:
        options = ["--upstream", upstream.url, "--store", f"sqlite:{tmp_path / 'runs.sqlite'}"]
        with serve(*options, "--dist", str(dist)) as app:
            chat = Chat(page, app.url).open()
            offline_ready(page)
            assert not [url for url in requests if LIBRARY in url]
            chat.send("code, please")
            chat.until("() => CSS.highlights.get('code-keyword').size > 0")
            page.evaluate("window.text = document.querySelector('pre code').firstChild")
            page.evaluate("getSelection().setBaseAndExtent(text, 4, text, 13)")
            chat.until_ended()
            chat.until(ALL_THERE, len(WANTED))
            assert page.evaluate(KEYWORDS) == WANTED
            assert page.evaluate("document.querySelector('pre code').childNodes.length") == 1
            assert page.evaluate("document.querySelector('pre code').firstChild === text")
            assert page.evaluate("getSelection().toString()") == "quicksort"
            painted = page.evaluate(PAINTED)
            assert len([url for url in requests if LIBRARY in url]) >= 1

            requests.clear()
            chat.reload()
            chat.until(ALL_THERE, len(WANTED))
            assert page.evaluate(PAINTED) == painted
            assert not [url for url in requests if "rest-" in url]
        chat.reload()  # the server has gone
        chat.until(ALL_THERE, len(WANTED))
        assert page.evaluate(PAINTED) == painted
    assert chat.foreign == []


def test_without_the_library_the_answer_is_plain(page: Page, dist: Path, tmp_path: Path, answer_of_code: Path) -> None:
    page.context.route(f"**/{LIBRARY}", lambda route: route.fulfill(status=404))
    with replay(answer_of_code, rate=200, chunk=6) as upstream:
        options = ["--upstream", upstream.url, "--store", f"sqlite:{tmp_path / 'runs.sqlite'}"]
        with serve(*options, "--dist", str(dist)) as app:
            chat = Chat(page, app.url).open()
            with page.context.expect_event("console", lambda message: "code stays plain" in message.text):
                chat.send("code, please")
            chat.until_ended()
            assert chat.state() == "complete"
            assert page.evaluate("CSS.highlights.get('code-keyword').size") == 0
            assert "quicksort" in chat.text()


def test_hostile_code_stops_nobody(page: Page, dist: Path, tmp_path: Path) -> None:
    """Each block keeps its lexer busy for minutes, in one expression or in all of them."""
    shapes = [("hcl", "a"), ("c", "\n"), ("java", "a "), ("make", "a"), ("ts", "a."), ("nix", "é"), ("csharp", "a\n")]
    file = tmp_path / "hostile.md"
    file.write_text(
        "\n\n".join(f"```{name}\n{(shape * 29_900)[:29_900]}\n```" for name, shape in shapes) + f"\n\n{CODE}"
    )
    with replay(file, rate=2000, chunk=4096) as upstream:
        options = ["--upstream", upstream.url, "--store", f"sqlite:{tmp_path / 'runs.sqlite'}"]
        with serve(*options, "--dist", str(dist)) as app:
            chat = Chat(page, app.url).open()
            chat.send("first").until_ended()
            chat.send("and while the first is coloured").until_ended()
            chat.until(f"() => {KEYWORDS}.length > 0")  # what stands behind the hostile blocks has its colours
            assert page.evaluate("localStorage.getItem('midstream.given-up')") is None, "Python was never lost"
            page.evaluate("localStorage.setItem('midstream.given-up', '[\"x/2\"]')")
            chat.reload()
            chat.until_ready()
            chat.send("after a reload").until_ended()
    assert chat.problems == []
