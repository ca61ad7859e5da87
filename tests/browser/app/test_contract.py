"""Names that others rely on (ARCHITECTURE.md), asked of the real page in the state in which each is to be there."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import Chat
from tests.browser.home import Home
from tests.support.gate import Gate, Model
from tests.support.processes import replay

# An answer with every kind of content that has a name.
ANSWER = """# Tides

| when | height |
|:--|--:|
| noon | $h = 2$ |

![A boat](http://127.0.0.1:1/boat.png)

```python
tide = 2
```

```mermaid
flowchart LR
  Moon --> Tide
```

Twice a day.
"""
# Which keys a page writes, those too that it takes away again.
KEYS_JS = """
window.keys = new Set();
const write = Storage.prototype.setItem;
Storage.prototype.setItem = function (key, value) {
  keys.add(`${this === localStorage ? 'local' : 'session'} ${key}`);
  return write.call(this, key, value);
};
"""

ALWAYS = (
    "html[data-engine=ready][data-connection=online][data-shell=offline-ready]",
    "[role=log][data-part=transcript]",
    "textarea[name=prompt]",
    "input[name=search]",
    "button[name=send|stop|new|export|import]",
)
IN_A_TURN = (
    "[data-part=transcript] > article[data-author=user][data-message][data-state=complete] [data-part=content]",
    "article[data-author=assistant][data-message][data-seq][data-saved] [data-part=content|status]",
    "article[data-author=assistant] button[name=copy|save|source|continue|regenerate|retry|edit|remove]",
    "article[data-author=assistant] details[data-part=reasoning]",
    "nav [data-conversation]",
    "nav button[name=more]",
)
OF_CONTENT = (
    "h1",
    "table td",
    "code[data-math] [data-part=formula]",
    "button[data-src]",
    "pre > code[data-language=python]",
    "pre > button[data-do=copy|wrap|diagram]",
)
MENU = "button[name=rename|pin|export-markdown|export-html|export-json|print|delete]"


def each(selector: str) -> Iterator[str]:
    """`a[name=x|y]` is two of them."""
    parts = re.split(r"\[([\w-]+)=([\w|-]+\|[\w-]+)\]", selector)
    names = [
        [f"[{name}={value}]" for value in values.split("|")]
        for name, values in zip(parts[1::3], parts[2::3], strict=True)
    ]
    for chosen in itertools.product(*names):
        yield "".join(itertools.chain(*itertools.zip_longest(parts[::3], chosen, fillvalue="")))


def assert_there(page: Page, *selectors: str) -> None:
    for selector in itertools.chain(*map(each, selectors)):
        expect(page.locator(selector).first, selector).to_be_attached()


def marks(page: Page) -> set[str]:
    names: list[str] = page.evaluate("performance.getEntriesByType('mark').map(({name}) => name)")
    return {name for name in names if name.startswith("midstream:")}


@pytest.fixture
def gate(tmp_path: Path, home: Home) -> Iterator[Gate]:
    """Holds a model's answer back; its gateway is behind the app's address."""
    file = tmp_path / "answer.md"
    file.write_text(ANSWER)
    with replay(file, rate=400, chunk=6) as upstream, ExitStack() as stack:
        model = Model(upstream, stack)
        with home.serve("--upstream", model.url, "--store", "memory:"):
            yield model.gate


@pytest.fixture
def chat(home: Home, gate: Gate) -> Chat:
    chat = Chat(home.context.new_page(), home.url)
    chat.page.add_init_script(KEYS_JS)
    return chat


def test_every_name_is_there_in_its_state(chat: Chat, gate: Gate) -> None:
    page = chat.page
    page.goto(chat.url + "?title=Of&text=tides", wait_until="commit")
    expect(page.locator("html[data-engine=booting], html[data-engine=ready]")).to_be_attached()
    chat.until_ready()
    assert_there(page, *ALWAYS)
    expect(page.locator("textarea[name=prompt]")).to_have_value(re.compile("tides"))

    gate.allow(8)
    chat.send("Of tides").until_state("streaming")
    chat.until_seq(5)
    assert "midstream:engine" in marks(page)
    chat.reload()
    chat.until_painted()
    chat.until_ready()
    gate.open()
    chat.until_state("complete")
    assert marks(page) == {"midstream:painted", "midstream:engine", "midstream:live"}
    assert int(chat.answer.get_attribute("data-seq") or 0) > 8
    assert chat.answer.get_attribute("data-seq") == chat.answer.get_attribute("data-saved")
    assert_there(page, *IN_A_TURN, *(f"[data-part=content] {name}" for name in OF_CONTENT))
    stored = page.evaluate("indexedDB.databases().then(all => all.map(({name}) => name))")
    assert {"midstream", "midstream-sw"} <= set(stored)

    page.click("button[data-do=diagram]")
    assert_there(page, "pre > [data-part=diagram] > img")
    page.click("article button[name=source]")
    assert_there(page, "pre[data-part=source]")
    page.click("article button[name=regenerate]")
    assert_there(page, "[data-part=versions] button[name=previous|next]")
    chat.until_state("complete")
    page.click("article[data-author=user] button[name=edit]")
    assert_there(page, "textarea[name=edited]", "article button[name=ask|cancel]")
    page.fill("textarea[name=edited]", "Of the moon")
    page.fill("textarea[name=prompt]", "half a thought")

    page.hover("nav [data-conversation]")
    page.click("nav button[name=more]")
    assert_there(page, f"[role=menu] {MENU}")
    page.click("[role=menu] button[name=delete]")
    assert_there(page, "button[name=undo]")
    page.click("button[name=new]")
    expect(page).to_have_url(re.compile(r"\?c=new$"))

    keys = set(page.evaluate("[...keys, ...Object.keys(localStorage).map(key => `local ${key}`)]"))
    local = {f"local midstream.{name}" for name in ("pointer", "draft", "edits", "drawing")}
    assert local | {"session midstream.tab"} <= keys
